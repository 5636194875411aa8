import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { userName } from "../engine/agent";
import { describeLock, type LockContent } from "../engine/locks";
import { UserError } from "../engine/report";
import { lockFolder } from "../history/names";
import type { StackReference } from "../history/source";
import { forgetLock, noteLock, removeAbandonedLocks } from "./ownLocks";
import type { Store } from "./store";

/**
 * Does something while the stack is locked the way the CLI locks it: whoever puts a lock there looks for others
 * afterwards, so that of two at most one goes on. What a killed command of this checkout has left goes first.
 * @throws UserError when somebody else holds a lock; nothing was done then
 */
export async function whileLocked<T>(
  root: string,
  store: Store,
  reference: StackReference,
  work: () => Promise<T>,
): Promise<T> {
  const folder = lockFolder(reference);
  const id = randomUUID();
  const name = `${id}.json`;
  const path = `${folder}/${name}`;
  const lock: LockContent = {
    pid: process.pid,
    username: userName(),
    hostname: hostname(),
    timestamp: new Date().toISOString(),
  };
  await removeAbandonedLocks(root, store);
  noteLock(root, { id, backend: store.url, path });
  await store.write(path, Buffer.from(JSON.stringify(lock)));
  try {
    const other = (await store.list(folder)).find((each) => each.endsWith(".json") && each !== name);
    if (other !== undefined) {
      const holder = describeLock((await store.read(`${folder}/${other}`)).toString("utf8"));
      throw new UserError(
        `The stack ${reference.stack} is locked: ${holder} (${store.locate(`${folder}/${other}`)}); nothing was ` +
          `written. Run it again when that has ended. ${giveUpAdvice(reference.stack)}`,
      );
    }
    return await work();
  } finally {
    await store.remove(path);
    forgetLock(root, id);
  }
}

/** What to do about a lock of which only people can know whether somebody holds it. */
export function giveUpAdvice(stack: string): string {
  return (
    `If it is certain that nobody holds the lock any more: npm run pulumi -- cancel --stack ${stack}; ` +
    "where that finds no such stack, delete the lock itself."
  );
}
