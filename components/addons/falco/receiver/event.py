"""What Falco sends, and what becomes of it: an alert and a line of a log."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

# Falco's priorities, and how grave an alert is.
SEVERITIES = {
    "emergency": "critical",
    "alert": "critical",
    "critical": "critical",
    "error": "warning",
    "warning": "warning",
    "notice": "info",
    "informational": "info",
    "debug": "info",
}

# How long an event is an alert; another one like it starts the time anew.
LASTS = timedelta(minutes=15)
LONGEST = 4096
HIDDEN = "<hidden>"

_NAMED = re.compile(
    r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|credential|authorization)[\w.-]*['\"]?(?:\s*[=:]\s*|\s+))"
    r"(?:(?:basic|bearer)\s+)?('[^']*'|\"[^\"]*\"|[^\s'\",;&]+)"
)
_IN_ADDRESS = re.compile(r"(\w://[^\s/:@]*):[^\s/@]+@")
# Long words of letters and digits: keys and hashes. Paths have slashes, names have dots.
_RANDOM = re.compile(r"(?<![\w/.-])(?=[A-Za-z_+=-]*\d)(?=[\d_+=-]*[A-Za-z])[\w+=-]{24,}(?![\w/.-])")


class InvalidEventError(Exception):
    """It is no event of Falco's; the text says why."""


@dataclass(frozen=True)
class Event:
    rule: str
    priority: str
    output: str
    nanoseconds: int
    fields: Json
    techniques: tuple[str, ...]
    node: str

    def line(self) -> str:
        """The whole event as a line of a log."""
        own = {"rule": self.rule, "priority": self.priority, "output": self.output, "node": self.node}
        return json.dumps({**own, "techniques": self.techniques, **self.fields})


def without_secrets(text: str) -> str:
    """A text in which what looks like a secret is hidden."""
    text = _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def parse(body: bytes) -> Event:
    """An event as `http_output` sends it, without secrets in it.

    Raises InvalidEventError where it is none.
    """
    try:
        event = json.loads(body)
    except ValueError as error:
        raise InvalidEventError(f"the body is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise InvalidEventError("the body is not an object")
    fields = event.get("output_fields")
    if not isinstance(fields, dict):
        raise InvalidEventError("output_fields is missing: Falco needs json_include_output_fields_property")
    priority = _text(event, "priority").lower()
    if priority not in SEVERITIES:
        raise InvalidEventError(f'priority is "{priority}"; it can be {", ".join(SEVERITIES)}')
    output = _text(event, "output")
    clean: Json = {}
    for name, value in fields.items():
        if isinstance(value, str):
            clean[name] = hidden = _clean(name, value)
            if value and hidden != value:
                output = output.replace(value, hidden)
        elif value is None or isinstance(value, int | float):
            clean[name] = value
    return Event(
        rule=_text(event, "rule"),
        priority=priority,
        output=without_secrets(output)[:LONGEST],
        nanoseconds=_nanoseconds(_text(event, "time")),
        fields=clean,
        techniques=tuple(sorted(str(tag) for tag in event.get("tags") or [])),
        node=str(event.get("hostname") or ""),
    )


def alert(event: Event, texts: Json, environment: str, now: datetime) -> Json:
    """What Alertmanager is told. Events that differ in no label are one alert."""
    labels = {
        "alertname": event.rule,
        "severity": SEVERITIES[event.priority],
        "priority": event.priority,
        "source": "falco",
        "environment": environment,
        "node": event.node,
        **_where(event),
    }
    told = texts.get(event.rule, {})
    annotations = {
        "summary": told.get("summary", event.rule),
        "action": told.get("action", ""),
        "description": event.output,
        "techniques": " ".join(event.techniques),
    }
    started = min(datetime.fromtimestamp(event.nanoseconds / 1e9, UTC), now)
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": started.isoformat(),
        "endsAt": (now + LASTS).isoformat(),
    }


def stream(event: Event, environment: str) -> Json:
    """What Loki keeps: the whole event, found by few labels."""
    labels = {
        "source": "falco",
        "rule": event.rule,
        "priority": event.priority,
        "environment": environment,
        "namespace": _where(event)["namespace"],
    }
    return {
        "stream": {name: value for name, value in labels.items() if value},
        "values": [[str(event.nanoseconds), event.line()]],
    }


def _where(event: Event) -> dict[str, str]:
    names = {"namespace": "k8s.ns.name", "pod": "k8s.pod.name", "container": "container.name"}
    return {label: str(event.fields.get(field) or "") for label, field in names.items()}


def _clean(name: str, value: str) -> str:
    value = without_secrets(value)
    # Names of programs, images and containers are no secrets, however long.
    return (_RANDOM.sub(HIDDEN, value) if name.endswith(("cmdline", "args")) else value)[:LONGEST]


def _text(event: Json, name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidEventError(f"{name} is missing")
    return value


def _nanoseconds(time: str) -> int:
    try:
        moment = datetime.fromisoformat(time)
    except ValueError as error:
        raise InvalidEventError(
            f'time is "{time}"; it has to be as in 2026-01-31T12:00:00.123456789Z'
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    fraction = re.search(r"\.(\d+)", time)
    digits = fraction.group(1)[:9].ljust(9, "0") if fraction else "0"
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + int(digits)
