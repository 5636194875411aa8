import { z } from "zod";
import { UserError } from "../engine/report";

/** A configuration as the stack's settings file has it: an encrypted value is a mapping with the one key `secure`. */
export type Config = Readonly<Record<string, unknown>>;

export const updateKinds = ["update", "refresh", "destroy", "import", "resource-import", "rename"] as const;

/** One entry of a stack's history. Nothing in it is a secret in plain text. */
export interface Update {
  /** What the backend knows it by: nanoseconds since 1970 where the state is in files, else the version. */
  readonly id: string;
  /** Its place in the history, from 1 on. */
  readonly number: number;
  readonly kind: string;
  readonly succeeded: boolean;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly message: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  /** How many resources were created, changed and so on. */
  readonly changes: Readonly<Record<string, number>>;
  /** Who asked for it, where the backend knows its users. */
  readonly requestedBy?: string;
}

const strings = z.record(z.string(), z.string()).nullish();

/** What every backend keeps of an update, but for its configuration. */
export const updateInfo = z.looseObject({
  kind: z.string(),
  startTime: z.number(),
  endTime: z.number().default(0),
  message: z.string().default(""),
  environment: strings,
  config: z.record(z.string(), z.unknown()).nullish(),
  result: z.string().default(""),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});

/** @param config turns the backend's form of a value into that of the settings file */
export function toUpdate(
  { id, number, requestedBy }: Pick<Update, "id" | "number" | "requestedBy">,
  info: z.infer<typeof updateInfo>,
  config: (value: unknown) => unknown = (value) => value,
): Update {
  const values = Object.entries(info.config ?? {}).map(([key, value]) => [key, config(value)] as const);
  return {
    id,
    number,
    requestedBy,
    kind: info.kind,
    succeeded: info.result === "succeeded",
    startedAt: new Date(info.startTime * 1000),
    endedAt: new Date((info.endTime || info.startTime) * 1000),
    message: info.message,
    environment: info.environment ?? {},
    config: Object.fromEntries(values),
    changes: info.resourceChanges ?? {},
  };
}

/** Reads an entry as the backends that keep files write it. @throws UserError naming the entry */
export function parseUpdate(id: string, number: number, text: string): Update {
  try {
    return toUpdate({ id, number }, updateInfo.parse(JSON.parse(text)));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UserError(`The entry ${id} of the history cannot be read: ${reason}`);
  }
}
