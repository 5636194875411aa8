"""What stays of a release: an entry in the history, figures for the dashboards, an event when it failed."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime

from cluster import CORE, MERGE, NAMESPACE, ROLLOUT, Json, annotation_of, call, version_of
from verdict import strategy_of

# ruff: noqa: T201, S310 (it prints for whoever reads its log, and asks one server, whose address it is given)

HISTORY = os.environ["HISTORY"]
PROMETHEUS = os.environ.get("PROMETHEUS", "")
ENVIRONMENT = os.environ.get("ENVIRONMENT", "")
COMMITTED_AT = os.environ.get("COMMITTED_AT", "")
POD = os.environ["POD"]
POD_UID = os.environ["POD_UID"]
KEPT = 20


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def records() -> Json:
    data: Json = call(f"{CORE}/configmaps/{HISTORY}").get("data") or {}
    return data


def history() -> list[Json]:
    entries: list[Json] = json.loads(records().get("history.json") or "[]")
    return entries


def before(entries: list[Json], serving: str) -> Json:
    """What undo brings back: the newest version that ended well last, as in tools/release/history.ts."""
    seen = {serving}
    for each in reversed(entries):
        if each["hash"] in seen:
            continue
        seen.add(each["hash"])
        if each["outcome"] == "succeeded":
            return each
    return {}


def schema_revisions(entries: list[Json], serving: str) -> list[str]:
    """Revisions that are still needed: of the version that serves, and of the one that undo brings back."""
    revisions = [
        annotation_of(serving, "schema-revision"),
        before(entries, serving).get("schemaRevision", ""),
    ]
    return sorted({str(revision) for revision in revisions if revision})


def began(released: str) -> datetime | None:
    """When a release began that is on its way and was seen there before."""
    template_hash, _, since = str(records().get("under-way", "")).partition(" ")
    return datetime.fromisoformat(since) if template_hash == released else None


def begin(rollout: Json, now: datetime) -> datetime:
    """Writes down and tells that a release is on its way, once; returns when it began.

    Its schema revision is needed from then on: it serves before it is through.
    """
    released = str(rollout["status"]["currentPodHash"])
    if (since := began(released)) is not None:
        return since
    needed = {*str(records().get("schema-revisions", "")).split(), annotation_of(released, "schema-revision")}
    data = {"under-way": f"{released} {iso(now)}", "schema-revisions": "\n".join(sorted(needed - {""}))}
    call(f"{CORE}/configmaps/{HISTORY}", {"data": data}, MERGE)
    announce(rollout, now)
    return now


def catch_up(rollout: Json) -> None:
    """Writes the version down that serves beside a new one, where nobody has waited for it to get there.

    Otherwise `undo` would pass over it and bring back the one before.
    """
    released, serving = rollout["status"]["currentPodHash"], str(rollout["status"].get("stableRS", ""))
    try:
        entries = history()
    except ValueError:
        return
    if serving in ("", released, before(entries, "").get("hash")):
        return
    # It was there before the new one was tried, be it for the second time.
    place = len(entries)
    while place > 0 and entries[place - 1]["hash"] == released:
        place -= 1
    now = datetime.now(UTC)
    message = "it went through when nobody waited for it any more"
    entry = entry_of(rollout, serving, "succeeded", message, (began(serving) or now, now))
    entries.insert(place, entry)
    data = {"history.json": json.dumps(entries[-KEPT:], indent=1)}
    call(f"{CORE}/configmaps/{HISTORY}", {"data": data}, MERGE)


def entry_of(
    rollout: Json, released: str, outcome: str, message: str, span: tuple[datetime, datetime]
) -> Json:
    """As tools/release/history.ts reads it."""
    return {
        "hash": released,
        "version": version_of(released),
        "schemaRevision": annotation_of(released, "schema-revision"),
        "strategy": strategy_of(rollout),
        "startedAt": iso(span[0]),
        "finishedAt": iso(span[1]),
        "outcome": outcome,
        "message": message,
    }


def recorded(entries: list[Json], released: str, outcome: str) -> bool:
    """Whether an outcome that was there from the start is in the history already."""
    if outcome == "succeeded":
        # By the history it is what serves: a version that has come back is another release.
        return before(entries, "").get("hash") == released
    return any(each["hash"] == released and each["outcome"] == outcome for each in entries[-1:])


def remember(rollout: Json, code: int, message: str, started: datetime, *, moved: bool) -> None:
    """Keeps what a release has come to; `moved` is whether it was seen on its way."""
    status = rollout.get("status", {})
    released = str(status.get("currentPodHash", ""))
    try:
        entries = history()
    except ValueError:
        print("The history of releases cannot be read, so nothing is added: npm run release -- history")
        return
    outcome = "succeeded" if code == 0 else "failed"
    if not moved:
        if recorded(entries, released, outcome):
            return
        started = begin(rollout, started)
    finished = datetime.now(UTC)
    entry = entry_of(rollout, released, outcome, message, (started, finished))
    figures = figures_of(entries, entry, started, finished)
    entries = [*entries, entry][-KEPT:]
    serving = str(status.get("stableRS", ""))
    data = {
        "history.json": json.dumps(entries, indent=1),
        "schema-revisions": "\n".join(schema_revisions(entries, serving)),
        "under-way": None,
    }
    call(f"{CORE}/configmaps/{HISTORY}", {"data": data}, MERGE)
    publish(entry, figures, finished)


def figures_of(entries: list[Json], entry: Json, started: datetime, finished: datetime) -> dict[str, float]:
    """Seconds that the four figures of delivery performance are made from."""
    figures = {"duration": (finished - started).total_seconds()}
    if entry["outcome"] != "succeeded":
        return figures
    # A change is on its way once: other settings for the same version are none of its code's.
    was_there = any(
        each.get("version") == entry["version"] and each["outcome"] == "succeeded" for each in entries
    )
    if COMMITTED_AT and not was_there:
        figures["lead_time"] = (finished - datetime.fromisoformat(COMMITTED_AT)).total_seconds()
    bad = []
    for each in reversed(entries):
        # An `undo` has restored the service, and told so.
        if each["outcome"] != "failed":
            break
        bad.append(each)
    if bad:
        first = datetime.fromisoformat(str(bad[-1]["finishedAt"]))
        figures["recovery"] = (finished - first).total_seconds()
    return figures


def announce(rollout: Json, started: datetime) -> None:
    """Tells Prometheus that a release has begun."""
    released = str(rollout["status"]["currentPodHash"])
    entry = {"strategy": strategy_of(rollout), "version": version_of(released), "outcome": "started"}
    publish(entry, {"started_timestamp": started.timestamp()}, started)


def publish(entry: Json, figures: dict[str, float], moment: datetime) -> None:
    """One sample for each figure: counting samples counts releases."""
    if not PROMETHEUS:
        return
    labels = {
        "namespace": NAMESPACE,
        "app": ROLLOUT,
        "environment": ENVIRONMENT,
        "strategy": entry["strategy"],
        "version": entry["version"],
        "outcome": entry["outcome"],
    }
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
    point = {"timeUnixNano": str(int(moment.timestamp() * 1e9)), "attributes": attributes}
    metrics = [
        {"name": f"technova_release_{name}_seconds", "gauge": {"dataPoints": [{**point, "asDouble": value}]}}
        for name, value in figures.items()
    ]
    source = {"attributes": [{"key": "service.name", "value": {"stringValue": "release-outcome"}}]}
    body = {"resourceMetrics": [{"resource": source, "scopeMetrics": [{"metrics": metrics}]}]}
    request = urllib.request.Request(
        f"{PROMETHEUS}/api/v1/otlp/v1/metrics",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        print(f"Prometheus did not take the release's figures: {error}", flush=True)


def report_failure(message: str) -> None:
    """An event of its own Pod, where whoever waits for the Job finds it."""
    now = iso(datetime.now(UTC))
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
    call(f"{CORE}/events", event)
