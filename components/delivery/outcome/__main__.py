"""Waits for the outcome of a release: ends with 0 when the new version serves, with 1 when it does not.

Runs in the cluster with nothing but Python. What it has to say goes to its output and, when the release has
failed, into an event of its own Pod, where whoever waits for the Job finds it.
"""

import os
import sys
import time
import urllib.error
from dataclasses import dataclass
from datetime import UTC, datetime

from cluster import MERGE, ROLLOUT, ROLLOUTS, Json, adopt, annotation_of, call, serve
from record import begin, catch_up, remember, report_failure
from verdict import PATIENCE_SECONDS, answers, place, reason_of, refused, stuck, verdict

# ruff: noqa: T201 (it prints for whoever reads its log)

TIMEOUT_SECONDS = float(os.environ["TIMEOUT_SECONDS"])
RELEASE = os.environ["RELEASE"]
INTERVAL_SECONDS = float(os.environ.get("INTERVAL_SECONDS", "1"))
# Answers that mean something is missing, unless it has only just been given: not allowed, not there.
REFUSALS = (403, 404)
CONFIGURATION = os.environ.get("CONFIGURATION", "").split()


def seen(rollout: Json) -> bool:
    """Whether the controller has taken up what is to be released, and not the change of something else."""
    status = rollout.get("status", {})
    if status.get("observedGeneration") != str(rollout["metadata"]["generation"]):
        return False
    return annotation_of(status.get("currentPodHash", ""), "release") == RELEASE


def replaced(rollout: Json) -> bool:
    """Whether somebody has gone back, or on to another release, meanwhile."""
    annotations = rollout["spec"]["template"]["metadata"].get("annotations", {})
    return bool(annotations.get("technova.io/release") != RELEASE)


def give_back(rollout: Json) -> None:
    """Gives users the stable version again after an abort.

    The controller does so by itself, but for a blue-green version of which not every Pod is available:
    then it leaves the users with it (Argo Rollouts 1.10).
    """
    status = rollout["status"]
    blue_green = rollout["spec"]["strategy"].get("blueGreen")
    if blue_green is None or not status.get("abort") or not status.get("stableRS"):
        return
    if serve(blue_green["activeService"], status["stableRS"]):
        print("users have the stable version again", flush=True)


def too_late(rollout: Json) -> tuple[int, str]:
    status = rollout.get("status", {})
    reasons = answers(status.get("currentPodHash", "")) or [reason_of(status)]
    return 1, (
        f"The release is not through after {TIMEOUT_SECONDS:.0f} s ({place(rollout)}): {'; '.join(reasons)}. "
        "It goes on, or waits: npm run release -- status. Once it has ended, npm run up writes down how."
    )


@dataclass
class Watch:
    """What is known so far of the release that is waited for."""

    started: datetime
    adopted: bool = False
    aborted: str | None = None
    place: str = ""
    said: str = ""
    moved: bool = False

    def look(self, rollout: Json) -> tuple[int, str] | None:
        """The outcome, or nothing as long as there is none."""
        if seen(rollout):
            if not self.adopted:
                adopt(CONFIGURATION, rollout["status"]["currentPodHash"])
                catch_up(rollout)
                self.adopted = True
            if self.aborted is None and (reason := stuck(rollout, datetime.now(UTC))) is not None:
                call(f"{ROLLOUTS}/rollouts/{ROLLOUT}/status", {"status": {"abort": True}}, MERGE)
                self.aborted = reason
            give_back(rollout)
            # Where it was is forgotten when it is aborted.
            if rollout["status"].get("phase") != "Degraded" or not self.place:
                self.place = place(rollout)
            if (outcome := verdict(rollout, self.place, self.aborted)) is not None:
                return outcome
            # Pods that come and go without a new version are no release.
            if not self.moved and rollout["status"].get("stableRS") != rollout["status"]["currentPodHash"]:
                self.started = begin(rollout, self.started)
                self.moved = True
        elif (reason := refused(rollout, datetime.now(UTC))) is not None:
            return 1, reason
        now = f"{place(rollout)}: {rollout.get('status', {}).get('phase', 'waiting for the controller')}"
        if now != self.said:
            print(now, flush=True)
            self.said = now
        return None

    def end(self, rollout: Json, outcome: tuple[int, str], *, over: bool) -> int:
        """Tells the outcome; `over` is whether the release has ended, and not only the time to wait."""
        code, message = outcome
        if code != 0:
            report_failure(message)
        # What the controller never took up was no release of anything.
        if self.adopted and over:
            remember(rollout, code, message, self.started, moved=self.moved)
        print(message, flush=True)
        return code


def main() -> int:
    watch = Watch(started=datetime.now(UTC))
    answered = time.monotonic()
    deadline = answered + TIMEOUT_SECONDS
    while True:
        try:
            rollout = call(f"{ROLLOUTS}/rollouts/{ROLLOUT}")
            if replaced(rollout):
                message = "Another version has taken the place of this release: npm run release -- status"
                report_failure(message)
                print(message, flush=True)
                return 1
            if (outcome := watch.look(rollout)) is not None:
                return watch.end(rollout, outcome, over=True)
            if time.monotonic() > deadline:
                return watch.end(rollout, too_late(rollout), over=False)
            answered = time.monotonic()
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            lasting = time.monotonic() - answered > PATIENCE_SECONDS
            if isinstance(error, urllib.error.HTTPError) and error.code in REFUSALS and lasting:
                # Neither can it be told as an event, perhaps.
                print(
                    f"The release cannot be followed: {error.code} for {error.url}. It may go on all the "
                    "same: npm run release -- status. npm run up mends what the Job may read, and waits.",
                    flush=True,
                )
                return 1
            # The API server may be restarted meanwhile.
            print(f"the API server does not answer: {error}", flush=True)
            if time.monotonic() > deadline:
                return 1
        time.sleep(INTERVAL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
