import type { ProgramInfo } from "@pulumi/pulumi/proto/language_pb";
import { parseRuntimeOptions, type RuntimeOptions } from "./options";

export interface Program {
  readonly rootDirectory: string;
  readonly programDirectory: string;
  readonly entryPoint: string;
  readonly options: RuntimeOptions;
}

/** What every request says about the program that it is for. */
export function programInfo(request: { getInfo(): ProgramInfo | undefined }): Program {
  const info = request.getInfo();
  if (!info)
    throw new Error("the engine did not say which program it means; a Pulumi CLI 3.100 or newer is needed");
  return {
    rootDirectory: info.getRootDirectory(),
    programDirectory: info.getProgramDirectory(),
    entryPoint: info.getEntryPoint(),
    options: parseRuntimeOptions((info.getOptions()?.toJavaScript() ?? {}) as Record<string, unknown>),
  };
}
