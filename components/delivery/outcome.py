"""Waits for the outcome of a release: ends with 0 when the new version serves, with 1 when it does not.

Runs in the cluster with nothing but Python. What it has to say goes to its output and, when the release has
failed, into an event of its own Pod, where whoever waits for the Job finds it.
"""

import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# ruff: noqa: T201, S310 (it prints for whoever reads its log, and asks one server, whose address it is given)

Json = dict[str, Any]

ACCOUNT = os.environ.get("ACCOUNT_PATH", "/var/run/secrets/kubernetes.io/serviceaccount")
HOST = os.environ.get("KUBERNETES_SERVICE_HOST", "")
SERVER = os.environ.get("API_SERVER", f"https://{HOST}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}")
NAMESPACE = os.environ["NAMESPACE"]
ROLLOUT = os.environ["ROLLOUT"]
POD = os.environ["POD"]
POD_UID = os.environ["POD_UID"]
TIMEOUT_SECONDS = float(os.environ["TIMEOUT_SECONDS"])
INTERVAL_SECONDS = float(os.environ.get("INTERVAL_SECONDS", "1"))
ROLLOUTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"


def call(path: str, body: Json | None = None) -> Json:
    """One request to the API server; its token is read anew each time, for it is exchanged now and then."""
    token = Path(ACCOUNT, "token").read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    authority = f"{ACCOUNT}/ca.crt"
    context = ssl.create_default_context(cafile=authority) if SERVER.startswith("https") else None
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVER + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=10, context=context) as response:
        answer: Json = json.load(response)
    return answer


def listed(path: str, **labels: str) -> list[Json]:
    selector = ",".join(f"{key.replace('_', '-')}%3D{value}" for key, value in labels.items())
    items: list[Json] = call(f"{path}?labelSelector={selector}")["items"]
    return items


def version_of(template_hash: str) -> str:
    """The application's version that a hash stands for."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
    for replica_set in listed(path, rollouts_pod_template_hash=template_hash):
        labels = replica_set["spec"]["template"]["metadata"]["labels"]
        return str(labels.get("app.kubernetes.io/version", template_hash))
    return template_hash


def answers(template_hash: str) -> list[str]:
    """What was measured and found wrong, or could not be measured, with its limit."""
    found = []
    for run in listed(f"{ROLLOUTS}/analysisruns", rollouts_pod_template_hash=template_hash):
        limits = {metric["name"]: metric.get("failureCondition", "") for metric in run["spec"]["metrics"]}
        for result in run.get("status", {}).get("metricResults", []):
            phase = result.get("phase")
            bad = [m for m in result.get("measurements", []) if m.get("phase") == phase]
            if phase not in ("Failed", "Error", "Inconclusive") or not bad:
                continue
            last = bad[-1]
            limit = re.search(r"> ([0-9.]+)$", limits.get(result["name"], ""))
            if phase == "Failed":
                values = json.loads(last.get("value") or "[]")
                value = f"{float(values[0]):.4g}" if values else "unknown"
                found.append(f"{result['name']} was {value}, its limit is {limit[1] if limit else 'unknown'}")
            elif phase == "Error":
                found.append(f"{result['name']} could not be asked for: {last.get('message', 'no answer')}")
            else:
                found.append(f"{result['name']} is not known: too few requests")
    return sorted(set(found))


def place(rollout: Json) -> str:
    """Where on its way the release is or was."""
    [(strategy, settings)] = rollout["spec"]["strategy"].items()
    steps = settings.get("steps", [])
    if not steps:
        return str(strategy)
    index = rollout["status"].get("currentStepIndex", 0)
    return f"{strategy}, step {min(index + 1, len(steps))} of {len(steps)}"


def failure(rollout: Json) -> str:
    status = rollout["status"]
    reasons = answers(status.get("currentPodHash", "")) or [status.get("message", "no reason given")]
    serving = version_of(status.get("stableRS", ""))
    return (
        f"The release did not go through ({place(rollout)}): {'; '.join(reasons)}. "
        f"Version {serving} serves all requests."
    )


def verdict(rollout: Json) -> tuple[int, str] | None:
    """The outcome, or nothing as long as there is none."""
    status = rollout.get("status", {})
    if status.get("observedGeneration") != str(rollout["metadata"]["generation"]):
        return None
    if status.get("phase") == "Healthy":
        version = version_of(status.get("currentPodHash", ""))
        return 0, f"The release went through: version {version} serves all requests."
    if status.get("phase") == "Degraded":
        return 1, failure(rollout)
    return None


def record(message: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{POD}-", "namespace": NAMESPACE},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": NAMESPACE,
            "name": POD,
            "uid": POD_UID,
        },
        "type": "Warning",
        "reason": "ReleaseFailed",
        "message": message[:1000],
        "source": {"component": "release-outcome"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    call(f"/api/v1/namespaces/{NAMESPACE}/events", event)


def main() -> int:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    said = ""
    while True:
        try:
            rollout = call(f"{ROLLOUTS}/rollouts/{ROLLOUT}")
            outcome = verdict(rollout)
            if outcome is None and time.monotonic() > deadline:
                reason = rollout.get("status", {}).get("message", "")
                waited = f"The release is not through after {TIMEOUT_SECONDS:.0f} s"
                outcome = 1, f"{waited} ({place(rollout)}) {reason}".strip()
            if outcome is not None:
                code, message = outcome
                if code != 0:
                    record(message)
                print(message, flush=True)
                return code
            now = f"{place(rollout)}: {rollout.get('status', {}).get('phase', 'waiting for the controller')}"
            if now != said:
                print(now, flush=True)
                said = now
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            # The API server may be restarted meanwhile; only the deadline ends the waiting.
            print(f"the API server does not answer: {error}", flush=True)
            if time.monotonic() > deadline:
                return 1
        time.sleep(INTERVAL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
