import { UserError } from "../engine/report";
import { isUnreachable, type Api } from "./api";
import { exitCodes } from "./phase";
import { pictureOf, type Picture } from "./picture";
import { readRelease } from "./read";
import { render, summary } from "./render";
import type { Screen } from "./screen";

export interface WatchOptions {
  readonly stack: string;
  /** Undefined for as long as it takes. */
  readonly timeoutSeconds?: number;
  readonly pollMilliseconds?: number;
}

/** How long the cluster may stay silent. */
const silenceSeconds = 60;

/** Shows a release until it has ended or the time is over; returns the exit code. */
export async function watch(api: Api, options: WatchOptions, screen: Screen): Promise<number> {
  const { stack, timeoutSeconds = Infinity, pollMilliseconds = 1000 } = options;
  const deadline = Date.now() + timeoutSeconds * 1000;
  let shown = "";
  let answered = Date.now();
  let picture: Picture | undefined;
  for (;;) {
    try {
      picture = pictureOf(await readRelease(api), { stack, now: Date.now() });
      answered = Date.now();
      shown = show(picture, shown, screen);
    } catch (error) {
      if (!isUnreachable(error) || Date.now() - answered > silenceSeconds * 1000) throw error;
      screen.progress("the cluster does not answer; asking again");
    }
    if (picture?.state === "healthy" || picture?.state === "failed") return exitCodes[picture.state];
    if (Date.now() >= deadline) {
      if (picture === undefined) throw new UserError("The cluster did not answer in time.");
      return exitCodes[picture.state];
    }
    await screen.sleep(Math.min(pollMilliseconds, Math.max(0, deadline - Date.now())));
  }
}

/** Shows what has changed; returns what is to be compared with the next time. */
function show(picture: Picture, shown: string, screen: Screen): string {
  const text = screen.isTerminal ? render(picture, screen.colours) : summary(picture);
  if (text === shown) return shown;
  if (screen.isTerminal) screen.redraw(text);
  else screen.print(`${new Date().toISOString().slice(11, 19)} ${text}`);
  return text;
}
