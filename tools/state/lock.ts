import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { userName } from "../engine/agent";
import { describeLock, type LockContent } from "../engine/locks";
import { UserError } from "../engine/report";
import { lockFolder } from "../history/names";
import type { StackReference } from "../history/source";
import type { Store } from "./store";

/**
 * Does something while the stack is locked the way the CLI locks it: whoever puts a lock there looks for others
 * afterwards, so that of two at most one goes on.
 * @throws UserError when somebody else holds a lock; nothing was done then
 */
export async function whileLocked<T>(
  store: Store,
  reference: StackReference,
  work: () => Promise<T>,
): Promise<T> {
  const folder = lockFolder(reference);
  const name = `${randomUUID()}.json`;
  const lock: LockContent = {
    pid: process.pid,
    username: userName(),
    hostname: hostname(),
    timestamp: new Date().toISOString(),
  };
  await store.write(`${folder}/${name}`, Buffer.from(JSON.stringify(lock)));
  try {
    const other = (await store.list(folder)).find((each) => each.endsWith(".json") && each !== name);
    if (other !== undefined) {
      const holder = describeLock((await store.read(`${folder}/${other}`)).toString("utf8"));
      throw new UserError(
        `The stack ${reference.stack} is locked: ${holder}; nothing was written. Run it again when that has ended; ` +
          `a lock that nobody holds any more goes with npm run pulumi -- cancel --stack ${reference.stack}`,
      );
    }
    return await work();
  } finally {
    await store.remove(`${folder}/${name}`);
  }
}
