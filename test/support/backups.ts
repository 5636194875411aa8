import type { Application } from "../../components/delivery/application";
import { application as applicationWith } from "./application";
import { at, types } from "./components";
import type { JsonObject, Recording } from "./mocks";

export const store = {
  bucket: "backups",
  prefix: "a/b",
  region: "eu-1",
  endpoint: "https://s3.example.com:9000",
  existingSecret: "keys",
  cidrs: ["10.41.0.0/24"],
  temporaryStorage: "9Gi",
} satisfies JsonObject;
export const inCluster: JsonObject = { type: "inCluster", storage: "8Gi" };
export const external: JsonObject = { type: "external", cidrs: ["10.40.0.0/24"] };

export const application = (
  database: JsonObject,
  backup: JsonObject | undefined,
  others: JsonObject = {},
): Promise<Recording<Application>> =>
  applicationWith({ database, backup: backup ?? { enabled: false }, ...others });

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly env?: { name: string; value?: string }[];
  readonly volumeMounts: { name: string; mountPath: string }[];
}

export const podOf = ({ one }: Recording<Application>, type: string, name: string): JsonObject =>
  at(
    one(type, name).inputs,
    "spec",
    ...(type === types.cronJob ? ["jobTemplate", "spec"] : []),
    "template",
    "spec",
  ) as JsonObject;

export function steps(found: Recording<Application>, type: string, name: string): Container[] {
  const pod = podOf(found, type, name);
  return [
    ...((pod.initContainers ?? []) as unknown as Container[]),
    ...(pod.containers as unknown as Container[]),
  ];
}

export const wal = { store, walArchiving: {} };
