"""What a release has come to, in words."""

import json
import os
import re
from datetime import datetime

from cluster import CORE, ROLLOUT, ROLLOUTS, Json, listed, ready_pods, version_of

# How long what belongs to a release may need to reach the controller.
PATIENCE_SECONDS = float(os.environ.get("PATIENCE_SECONDS", "10"))


def strategy_of(rollout: Json) -> str:
    """The strategy by the name that the settings have for it."""
    strategy = rollout["spec"]["strategy"]
    if "blueGreen" in strategy:
        return "blueGreen"
    return "canary" if "trafficRouting" in strategy.get("canary", {}) else "rolling"


def place(rollout: Json) -> str:
    """Where on its way the release is or was."""
    strategy = strategy_of(rollout)
    status = rollout.get("status", {})
    if strategy == "blueGreen":
        # Its name stays when users have been given the version before again.
        switched = status.get("blueGreen", {}).get("postPromotionAnalysisRunStatus") is not None
        return f"{strategy}, {'after' if switched else 'before'} the switch"
    steps = rollout["spec"]["strategy"].get("canary", {}).get("steps", [])
    if not steps:
        return strategy
    index = status.get("currentStepIndex", 0)
    return f"{strategy}, step {min(index + 1, len(steps))} of {len(steps)}"


def runs_of(template_hash: str) -> list[Json]:
    """Everything that was asked about a version when it was last released, oldest first."""
    mine = re.compile(rf"{ROLLOUT}-{template_hash}-(\d+)\b")
    found = [
        (int(match[1]), run) for run in listed(f"{ROLLOUTS}/analysisruns") if (match := named(run, mine))
    ]
    latest = max((revision for revision, _ in found), default=0)
    runs = [run for revision, run in found if revision == latest]
    return sorted(runs, key=lambda run: str(run["metadata"].get("creationTimestamp", "")))


def named(item: Json, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.match(str(item["metadata"]["name"]))


def test_message(measurement: Json) -> str:
    """The last thing that a test said besides what went well."""
    job = measurement.get("metadata", {}).get("job-name", "")
    for pod in listed(f"{CORE}/pods", job_name=job) if job else []:
        for container in pod.get("status", {}).get("containerStatuses", []):
            message = str(container.get("state", {}).get("terminated", {}).get("message", ""))
            lines = [line for line in message.splitlines() if line.strip()]
            # What it writes to its two outputs may arrive in another order.
            failed = [line for line in lines if not line.startswith("ok ")]
            if lines:
                return (failed or lines)[-1]
    return str(measurement.get("message", "its Job says why"))


def answer(result: Json, limits: dict[str, str]) -> str | None:
    """What was measured and found wrong, or could not be measured, with its limit."""
    phase = result.get("phase")
    bad = [each for each in result.get("measurements", []) if each.get("phase") == phase]
    if phase not in ("Failed", "Error", "Inconclusive") or not bad:
        return None
    name, last = result["name"], bad[-1]
    limit = re.search(r"> ([0-9.]+)$", limits.get(name, ""))
    if phase == "Inconclusive":
        return f"{name} is not known: too few requests"
    if limit is None:
        return f"{name} failed: {test_message(last)}"
    if phase == "Error":
        return f"{name} could not be asked for: {last.get('message', 'no answer')}"
    values = json.loads(last.get("value") or "[]")
    value = f"{float(values[0]):.4g}" if values else "unknown"
    return f"{name} was {value}, its limit is {limit[1]}"


def answers(template_hash: str) -> list[str]:
    """For each question the last answer that speaks against a version."""
    last: dict[str, str] = {}
    for run in runs_of(template_hash):
        limits = {metric["name"]: metric.get("failureCondition", "") for metric in run["spec"]["metrics"]}
        for result in run.get("status", {}).get("metricResults", []):
            if (found := answer(result, limits)) is not None:
                last[result["name"]] = found
    return sorted(last.values())


def stuck(rollout: Json, now: datetime) -> str | None:
    """Why a release that the controller would leave where it is has to be aborted; nothing while it moves."""
    seconds = rollout["spec"]["progressDeadlineSeconds"]
    status = rollout.get("status", {})
    if status.get("phase") == "Progressing" and stalled(rollout, now, seconds):
        return f"no further Pod has become ready for {seconds} s"
    if status.get("phase") == "Paused" and silent(status, now, seconds):
        return f"it was paused as too little was known, and after {seconds} s none of its Pods is ready"
    return None


def stalled(rollout: Json, now: datetime, seconds: int) -> bool:
    """Whether a release makes no progress although nothing keeps it.

    The controller aborts such a one by itself, but not once an earlier blue-green version has been scaled
    down: it takes the deadline that this one left behind for one that is still to come (Argo Rollouts 1.10).
    """
    status = rollout.get("status", {})
    if waits(rollout):
        return False
    for condition in status.get("conditions", []):
        moving = condition.get("reason") in ("ReplicaSetUpdated", "NewReplicaSetCreated")
        if condition["type"] == "Progressing" and moving:
            # Some seconds more than the controller itself would wait.
            return age(condition["lastUpdateTime"], now) > seconds + 3
    return False


def waits(rollout: Json) -> bool:
    """Whether a release is where it may take its time: being tried out, measured, or paused."""
    status = rollout.get("status", {})
    if strategy_of(rollout) == "blueGreen":
        return "prePromotionAnalysisRunStatus" in status.get("blueGreen", {})
    steps = rollout["spec"]["strategy"].get("canary", {}).get("steps", [])
    current = steps[status.get("currentStepIndex", 0) :][:1]
    return any(key in step for step in current for key in ("experiment", "analysis", "pause", "plugin"))


def silent(status: Json, now: datetime, seconds: int) -> bool:
    """Whether a version that was paused because too little is known of it cannot answer at all."""
    for pause in status.get("pauseConditions", []):
        if pause["reason"] == "InconclusiveAnalysisRun" and age(pause["startTime"], now) > seconds:
            return ready_pods(status.get("currentPodHash", "")) == 0
    return False


def age(timestamp: str, now: datetime) -> float:
    """Seconds since then."""
    return (now - datetime.fromisoformat(timestamp)).total_seconds()


def refused(rollout: Json, now: datetime) -> str | None:
    """Why the controller does not even begin; nothing where it may only not have seen everything yet."""
    status = rollout.get("status", {})
    if status.get("observedGeneration") != str(rollout["metadata"]["generation"]):
        return None
    for condition in status.get("conditions", []):
        if condition["type"] != "InvalidSpec" or condition["status"] != "True":
            continue
        if age(condition["lastUpdateTime"], now) > PATIENCE_SECONDS:
            return f"The release did not begin: {condition['message']}"
    return None


def reason_of(status: Json) -> str:
    """The controller's own reason, without what everybody knows who reads it here."""
    message = str(status.get("message") or "no reason given")
    return (
        re.sub(r"^RolloutAborted: Rollout aborted update to revision \d+(: |$)", "", message).rstrip(".")
        or message
    )


def failure(rollout: Json, where: str, known: str | None = None) -> str:
    """What is told of a release that failed; without a reason that is known, those that the cluster has."""
    status = rollout["status"]
    told = [known] if known else answers(status.get("currentPodHash", ""))
    reasons = told or [reason_of(status)]
    serving = version_of(status.get("stableRS", ""))
    told_of = f"The release did not go through ({where}): {'; '.join(reasons)}. "
    if rollout["spec"].get("paused") and strategy_of(rollout) == "rolling":
        # The controller takes no Pod away while somebody keeps it from going on.
        return (
            f"{told_of}It is paused by hand, so Pods of it still serve beside version {serving}. "
            "To take them away: npm run release -- abort"
        )
    return f"{told_of}Version {serving} serves all requests."


def verdict(rollout: Json, where: str, known: str | None = None) -> tuple[int, str] | None:
    """The outcome, or nothing as long as there is none; `where` the release was when it was last moving."""
    status = rollout.get("status", {})
    if status.get("phase") == "Healthy":
        version = version_of(status.get("currentPodHash", ""))
        return 0, f"The release went through: version {version} serves all requests."
    if status.get("phase") == "Degraded":
        return 1, failure(rollout, where, known)
    return None
