import type { PropertyMap } from "./values";

export type Severity = "debug" | "info" | "warning" | "error";

/** What every operation on a resource knows, and how it reports. */
export interface ResourceOperation {
  readonly urn: string;
  /** Type token, such as `random:index/randomPassword:RandomPassword`. */
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  /** Aborted when the user cancels or the engine goes away. */
  readonly signal: AbortSignal;
  /** A message that stays in the log of the update. */
  readonly log: (severity: Severity, message: string) => void;
  /** A message that the next one replaces, shown in the resource's line while the operation runs. */
  readonly status: (message: string) => void;
}

export interface CheckRequest extends ResourceOperation {
  /** The inputs of the last update; empty for a new resource. */
  readonly olds: PropertyMap;
  readonly news: PropertyMap;
  /** 32 bytes that stay the same from preview to update, for names that have to match in both. */
  readonly randomSeed: Uint8Array;
  /** The stack's own naming rule, when it has one. */
  readonly autonaming?: { proposedName: string; mode: "propose" | "enforce" | "disable" };
}

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: PropertyMap;
  readonly failures?: CheckFailure[];
}

export interface DiffRequest extends ResourceOperation {
  readonly id: string;
  /** The outputs of the last update. */
  readonly olds: PropertyMap;
  readonly oldInputs: PropertyMap;
  readonly news: PropertyMap;
  readonly ignoreChanges: string[];
}

export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
  readonly changes: boolean;
  /** Properties that changed and can only be changed by a new resource. */
  readonly replaces?: string[];
  /** Outputs that this change leaves as they are. */
  readonly stables?: string[];
  readonly deleteBeforeReplace?: boolean;
  /** By property path, such as `spec.template.containers[0].image`. */
  readonly detailed?: Record<string, { kind: DiffKind; inputDiff?: boolean }>;
}

export interface CreateRequest extends ResourceOperation {
  readonly properties: PropertyMap;
  readonly preview: boolean;
  /** From `customTimeouts`; 0 when the program sets none. */
  readonly timeoutSeconds: number;
}

export interface ReadRequest extends ResourceOperation {
  readonly id: string;
  readonly properties: PropertyMap;
  /** Empty when the resource is being imported. */
  readonly inputs: PropertyMap;
}

export interface ReadResult {
  readonly id: string;
  readonly properties: PropertyMap;
  readonly inputs: PropertyMap;
}

export interface UpdateRequest extends DiffRequest {
  readonly preview: boolean;
  readonly timeoutSeconds: number;
}

export interface DeleteRequest extends ResourceOperation {
  readonly id: string;
  readonly properties: PropertyMap;
  readonly oldInputs: PropertyMap;
  readonly timeoutSeconds: number;
}

export interface InvokeRequest {
  readonly token: string;
  readonly args: PropertyMap;
  readonly preview: boolean;
  readonly signal: AbortSignal;
}

export type InvokeResult = { readonly result: PropertyMap } | { readonly failures: CheckFailure[] };

/** The configuration of a provider resource. Values are strings, nested values JSON, as the engine sends them. */
export interface ConfigureRequest {
  readonly args: PropertyMap;
  readonly urn: string;
  readonly signal: AbortSignal;
}

/** One package's resources. Errors that are thrown reach the user as they are. */
export interface Provider {
  readonly version: string;
  readonly schema?: () => Promise<string>;
  /** Without these two, configuration is taken as it is and a change of it replaces nothing. */
  readonly checkConfig?: (request: CheckRequest) => Promise<CheckResult>;
  readonly diffConfig?: (request: DiffRequest) => Promise<DiffResult>;
  readonly configure?: (request: ConfigureRequest) => Promise<void>;
  readonly check: (request: CheckRequest) => Promise<CheckResult>;
  readonly diff: (request: DiffRequest) => Promise<DiffResult>;
  readonly create: (request: CreateRequest) => Promise<{ id: string; properties: PropertyMap }>;
  /** `undefined` when the resource is gone. */
  readonly read: (request: ReadRequest) => Promise<ReadResult | undefined>;
  readonly update: (request: UpdateRequest) => Promise<PropertyMap>;
  readonly delete: (request: DeleteRequest) => Promise<void>;
  readonly invoke?: (request: InvokeRequest) => Promise<InvokeResult>;
}
