import { openState } from "../../tools/engine/state";
import type { StackReference } from "../../tools/history/source";
import { whileLocked } from "../../tools/state/lock";
import { openStore } from "../../tools/state/store";

// A process that takes the lock of a stack, says so, and holds it until it is killed.
const [root = "", reference = ""] = process.argv.slice(2);
const store = openStore(openState(root, process.env), process.env);
if (store === undefined) throw new Error("only a backend with files is locked");
void whileLocked(root, store, JSON.parse(reference) as StackReference, () => {
  console.log("locked");
  return new Promise<void>((resolve) => setTimeout(resolve, 60_000));
});
