"""Brings what was done in an organisation on GitHub into Loki, from where the last run ended.

The log is read oldest first and written page by page: where a run is cut short, the next one goes on.
"""

import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus
from typing import Any

# ruff: noqa: S310, T201 (it asks two servers, whose addresses it is given, and tells its log)

Json = dict[str, Any]

GITHUB = os.environ.get("GITHUB_API", "https://api.github.com").rstrip("/")
ORGANISATION = os.environ["ORGANISATION"]
INCLUDE = os.environ.get("INCLUDE", "web")
TOKEN = os.environ["GITHUB_TOKEN"].strip()
LOKI = os.environ["LOKI"].rstrip("/") + "/loki/api/v1"
# How far back a Loki that has nothing yet is given the log.
LOOK_BACK_SECONDS = 86_400 * int(os.environ.get("LOOK_BACK_DAYS", "7"))
# After so long the run has to be over; a longer wait is left to the next one.
DEADLINE = time.monotonic() + int(os.environ.get("TIMEOUT_SECONDS", "540"))
# Events may come into the log later than others that are younger.
OVERLAP_SECONDS = 600
# Loki refuses lines that are an hour behind, and finds old ones late: see writtenAt in tools/audit/trail.ts.
LATE_SECONDS = 1800
STREAM = {"job": "audit", "source": "github"}


class RefusedError(Exception):
    """What the run cannot go on without; it says what to do."""


class LaterError(Exception):
    """What the next run makes up for by itself."""


def ask(url: str, headers: dict[str, str], body: Json | None = None) -> tuple[Any, Message]:
    """One request; the answer's JSON and its headers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
        return (json.loads(text) if text else None), response.headers


def wait_seconds(error: urllib.error.HTTPError) -> float | None:
    """How long GitHub wants to be left alone; None when it refuses for another reason."""
    if error.code not in (403, 429):
        return None
    headers = error.headers
    after = headers.get("retry-after")
    if after is not None:
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0":
        return max(1.0, float(headers.get("x-ratelimit-reset", "0")) - time.time())
    # A limit that it does not say the end of.
    return 60.0 if error.code == HTTPStatus.TOO_MANY_REQUESTS else None


def page(url: str) -> tuple[list[Json], str | None]:
    """One page of the log, and the address of the next one."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "technova-platform",
    }
    while True:
        try:
            events, answered = ask(url, headers)
            return events, following(answered.get("link", ""))
        except urllib.error.HTTPError as error:
            pause = wait_seconds(error)
            if pause is None:
                raise RefusedError(refused(error.code)) from error
        if time.monotonic() + pause > DEADLINE:
            raise LaterError(f"GitHub wants to be left alone for {pause:.0f} s; the next run goes on")
        print(f"GitHub wants to be left alone for {pause:.0f} s", flush=True)
        time.sleep(pause)


def refused(code: int) -> str:
    if code in (401, 403, 404):
        return (
            f"GitHub answered {code} for the audit log of {ORGANISATION}: the token has to be an owner's, "
            "with the scope read:audit_log, and the organisation has to be one of GitHub Enterprise Cloud"
        )
    return f"GitHub answered {code}; the next run tries again"


def following(link: str) -> str | None:
    """The next page, by its cursor; the token is for GitHub, and for nobody that an answer names."""
    found = re.search(r'<([^>]+)>;\s*rel="next"', link)
    if found is None:
        return None
    if not found[1].startswith(f"{GITHUB}/"):
        raise RefusedError("GitHub names a next page that is not its own; GITHUB_API has to be its address")
    return found[1]


def pages(since: float) -> Iterator[list[Json]]:
    created = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = {"phrase": f"created:>={created}", "include": INCLUDE, "order": "asc", "per_page": "100"}
    organisation = urllib.parse.quote(ORGANISATION, safe="")
    url: str | None = f"{GITHUB}/orgs/{organisation}/audit-log?{urllib.parse.urlencode(query)}"
    while url is not None:
        events, url = page(url)
        yield events


def seconds_of(event: Json) -> float:
    return float(event["@timestamp"]) / 1000


def known(now: float) -> list[Json]:
    """The newest events that Loki has."""
    query = {
        "query": '{job="audit", source="github"}',
        "start": f"{int(now - LOOK_BACK_SECONDS)}000000000",
        "end": f"{int(now) + 60}000000000",
        "limit": "2000",
        "direction": "backward",
    }
    answer, _ = ask(f"{LOKI}/query_range?{urllib.parse.urlencode(query)}", {})
    lines = [line for stream in answer["data"]["result"] for _, line in stream["values"]]
    return [json.loads(line) for line in lines]


def push(events: list[Json]) -> None:
    values = []
    for event in sorted(events, key=seconds_of):
        now = time.time()
        happened = seconds_of(event)
        moment = happened if now - happened < LATE_SECONDS else now
        metadata = {
            "who": str(event.get("actor") or "unknown"),
            "action": str(event.get("action", "")),
            "id": str(event["_document_id"]),
        }
        values.append([str(int(moment * 1000) * 1_000_000), json.dumps(event, sort_keys=True), metadata])
    ask(f"{LOKI}/push", {}, {"streams": [{"stream": STREAM, "values": values}]})


def main() -> int:
    now = time.time()
    brought = 0
    try:
        had = known(now)
        since = max([now - LOOK_BACK_SECONDS, *(seconds_of(event) - OVERLAP_SECONDS for event in had)])
        seen = {event["_document_id"] for event in had}
        for events in pages(since):
            fresh = {event["_document_id"]: event for event in events if event["_document_id"] not in seen}
            seen.update(fresh)
            if fresh:
                push(list(fresh.values()))
            brought += len(fresh)
    except LaterError as later:
        print(f"{brought} events brought; {later}", flush=True)
        return 0
    except (RefusedError, OSError, ValueError, KeyError) as error:
        print(f"{brought} events brought, then: {error}", flush=True)
        return 1
    print(f"{brought} events brought", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
