import { request as httpRequest, type RequestOptions } from "node:http";
import { join } from "node:path";
import { urlToHttpOptions } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { AdminClient } from "./api";
import type { Component } from "./components/component";
import { ClusterError } from "./errors";
import type { ClusterPaths } from "./paths";
import { logFile, runningRecord } from "./processes";

/** Whether the component answers that it works. */
export async function isHealthy(
  component: Component,
  paths: ClusterPaths,
  client: AdminClient,
): Promise<boolean> {
  const { health } = component;
  try {
    if (health.type === "https") return (await client.send("GET", health.url)).status < 400;
    const target =
      health.type === "http"
        ? urlToHttpOptions(new URL(health.url))
        : { socketPath: join(paths.run, health.path.slice("/run/".length)), path: health.url };
    return (await statusOf(target)) < 400;
  } catch {
    return false;
  }
}

function statusOf(target: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ ...target, timeout: 3000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 500));
      response.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in 3 s")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Waits until the component works. Throws as soon as its process is gone, or after `seconds`. */
export async function waitHealthy(
  component: Component,
  paths: ClusterPaths,
  client: AdminClient,
  seconds = 180,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (await isHealthy(component, paths, client)) return;
    if (runningRecord(paths, component.name) === undefined) {
      throw new ClusterError(
        `${component.name} ended while it was starting. Its last words are in ${logFile(paths, component.name)} ` +
          `(npm run cluster -- logs ${component.name}).`,
      );
    }
    await sleep(150);
  }
  throw new ClusterError(
    `${component.name} did not become healthy in ${seconds} s. See ${logFile(paths, component.name)} ` +
      `(npm run cluster -- logs ${component.name}).`,
  );
}
