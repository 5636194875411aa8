import { openState } from "../../tools/engine/state";
import { comparisonFor } from "../../tools/history/secrets";
import { openHistory } from "../../tools/history/source";
import { screenOn } from "../../tools/release/screen";
import { automation } from "../../tools/rollback/automation";
import { noPlatform } from "../../tools/rollback/platform";
import { fileSettings, rollback } from "../../tools/rollback/rollback";

/** A rollback in a process of its own, to be killed: tiny checkout, and the update to go back to. */
async function main([root = "", to = ""]: readonly string[]): Promise<void> {
  const { env } = process;
  const state = openState(root, env);
  await rollback(
    {
      stack: "test",
      to,
      allowDataLoss: false,
      watchSeconds: 0,
      program: "today",
      dryRun: false,
      yes: true,
      immediate: false,
    },
    {
      root,
      env,
      project: "tiny",
      screen: screenOn({ out: process.stdout, err: process.stderr }, env),
      history: await openHistory(root, "test", env, state),
      openHistory: () => openHistory(root, "test", env, state),
      settings: () => fileSettings(root, "test", "tiny"),
      secrets: (provider) => comparisonFor(provider, state, env),
      engine: automation(root, env, (text) => process.stdout.write(text)),
      platform: noPlatform,
      trail: { record: () => Promise.resolve() },
      confirm: () => Promise.resolve(true),
      notUnderstood: () => [],
    },
  );
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
