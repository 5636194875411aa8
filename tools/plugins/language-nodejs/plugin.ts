import type { ServerWritableStream } from "@grpc/grpc-js";
import { RunPluginResponse, type RunPluginRequest } from "@pulumi/pulumi/proto/language_pb";
import type { Children } from "./children";
import { pluginCommand, policyEnvironment } from "./command";
import { PolicyProxy } from "./policy-proxy";
import { locateRunner } from "./program";
import { programInfo } from "./request";

type Stream = ServerWritableStream<RunPluginRequest, RunPluginResponse>;

/** Runs a plugin written in TypeScript and streams what it prints, then its exit code. */
export async function runPlugin(call: Stream, children: Children): Promise<void> {
  const send = (kind: "stdout" | "stderr", chunk: string | Buffer) => {
    const response = new RunPluginResponse();
    const bytes = Buffer.from(chunk);
    if (kind === "stdout") response.setStdout(bytes);
    else response.setStderr(bytes);
    if (!call.writableEnded && !call.cancelled) call.write(response);
  };
  const isPolicyPack = call.request.getKind() === "analyzer";
  const code = await (isPolicyPack ? runPolicyPack : runOther)(call, children, send);
  const response = new RunPluginResponse();
  response.setExitcode(code);
  call.write(response);
  call.end();
}

type Send = (kind: "stdout" | "stderr", chunk: string | Buffer) => void;

async function runOther(call: Stream, children: Children, send: Send): Promise<number> {
  return start(
    call,
    children,
    "@pulumi/pulumi/cmd/run-plugin",
    call.request.getPwd(),
    {},
    {
      stdout: (chunk) => send("stdout", chunk),
      stderr: (chunk) => send("stderr", chunk),
    },
  );
}

async function runPolicyPack(call: Stream, children: Children, send: Send): Promise<number> {
  const folder = programInfo(call.request).programDirectory;
  const proxy = new PolicyProxy();
  call.on("cancelled", () => proxy.close());
  try {
    send("stdout", `${await proxy.listen()}\n`);
    const stack = await proxy.awaitStack();
    let attached = false;
    let firstLine = "";
    const code = await start(
      call,
      children,
      "@pulumi/pulumi/cmd/run-policy-pack",
      folder,
      stack ? policyEnvironment(stack) : {},
      {
        stderr: (chunk) => send("stderr", chunk),
        // The pack's first line is the port it listens on; everything after that is for the user.
        stdout: (chunk) => {
          if (attached) return send("stdout", chunk);
          firstLine += chunk.toString();
          const end = firstLine.indexOf("\n");
          if (end < 0) return;
          attached = true;
          proxy.attach(Number(firstLine.slice(0, end)));
          if (end + 1 < firstLine.length) send("stdout", firstLine.slice(end + 1));
        },
      },
    );
    if (!attached)
      proxy.fail(new Error(`the policy pack in ${folder} ended with code ${code} before it was ready`));
    return code;
  } finally {
    proxy.close();
  }
}

async function start(
  call: Stream,
  children: Children,
  runner: string,
  cwd: string,
  environment: Record<string, string>,
  onOutput: { stdout: (chunk: Buffer) => void; stderr: (chunk: Buffer) => void },
): Promise<number> {
  const { programDirectory, options } = programInfo(call.request);
  const { args, env } = pluginCommand(
    { kind: call.request.getKind(), programDirectory, args: call.request.getArgsList() },
    options,
    locateRunner(runner, programDirectory),
  );
  const given = call.request.getEnvList().map((entry): [string, string] => {
    const equals = entry.indexOf("=");
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  const { child, done } = children.start({
    args,
    cwd,
    env: { ...(given.length ? Object.fromEntries(given) : process.env), ...env, ...environment },
    onOutput,
  });
  call.on("cancelled", () => void children.end(child));
  const { code } = await done;
  return code ?? 1;
}
