"""Takes Falco's events to Alertmanager and Loki."""

import json
import os
import re
import signal
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from event import Event, InvalidEventError, Json, alert, parse, stream
from target import Target

PORT = int(os.environ.get("PORT", "2801"))
ENVIRONMENT = os.environ.get("ENVIRONMENT", "")
TEXTS: Json = json.loads(Path(os.environ["TEXTS"]).read_text(encoding="utf-8"))
LARGEST = 1 << 20
PREFIX = "technova_runtime_events"

counts = {"accepted": 0, "rejected": 0}
counting = threading.Lock()


def alerts(events: list[Event]) -> list[Json]:
    now = datetime.now(UTC)
    return [alert(event, TEXTS, ENVIRONMENT, now) for event in events]


def streams(events: list[Event]) -> Json:
    return {"streams": [stream(event, ENVIRONMENT) for event in events]}


def targets() -> list[Target]:
    known = [
        ("alertmanager", "/api/v2/alerts", alerts),
        ("loki", "/loki/api/v1/push", streams),
    ]
    return [
        Target(name, os.environ[name.upper()].rstrip("/") + path, body)
        for name, path, body in known
        if os.environ.get(name.upper())
    ]


def metrics() -> str:
    lines = [f"# TYPE {PREFIX}_total counter"]
    lines += [f'{PREFIX}_total{{outcome="{outcome}"}} {count}' for outcome, count in counts.items()]
    for figure, kind in (("delivered", "counter"), ("failures", "counter"), ("lost", "counter")):
        lines.append(f"# TYPE {PREFIX}_{figure}_total {kind}")
        lines += [
            f'{PREFIX}_{figure}_total{{target="{each.name}"}} {getattr(each, figure)}' for each in TARGETS
        ]
    lines.append(f"# TYPE {PREFIX}_queued gauge")
    lines += [f'{PREFIX}_queued{{target="{each.name}"}} {len(each)}' for each in TARGETS]
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """`POST /` takes an event; `/healthz` and `/metrics` tell how it is."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def stated(self) -> bytes:
        """As much as was announced, or one byte more than is taken."""
        length = self.headers.get("Content-Length") or ""
        return self.rfile.read(min(int(length), LARGEST + 1)) if length.isdecimal() else b""

    def chunks(self) -> bytes:
        """What comes in pieces, as proxies send it on, until there is more than is taken."""
        body = b""
        while len(body) <= LARGEST:
            size = self.rfile.readline(64).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                return b""
            length = int(size, 16)
            if length == 0:
                # Trailers, of which there are none, end with an empty line.
                self.rfile.readline(64)
                break
            body += self.rfile.read(min(length, LARGEST + 1))
            self.rfile.readline(64)
        return body

    def do_POST(self) -> None:
        body = self.chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.stated()
        if not 0 < len(body) <= LARGEST:
            self.close_connection = True
            self.answer(413 if body else 411, f"an event has 1 to {LARGEST} bytes\n")
            return
        try:
            event = parse(body)
        except InvalidEventError as error:
            count("rejected")
            self.answer(400, f"this is no event of Falco's: {error}\n")
            return
        # Every target is asked, also when one before it has no room.
        taken = [target.put(event) for target in TARGETS]
        if all(taken):
            count("accepted")
            if LOGGED:
                print(event.line(), flush=True)  # noqa: T201
            self.answer(202, "accepted\n")
        else:
            self.answer(503, "a queue is full: look at the log for the target that takes no events\n")

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, "ok\n")
        elif self.path == "/metrics":
            self.answer(200, metrics(), "text/plain; version=0.0.4")
        else:
            self.answer(404, "POST /, GET /healthz, GET /metrics\n")

    def answer(self, code: int, text: str, kind: str = "text/plain") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Probes and events are counted, not logged."""


def count(outcome: str) -> None:
    with counting:
        counts[outcome] += 1


def main() -> None:
    server = ThreadingHTTPServer(("", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on {server.server_address[1]}", flush=True)  # noqa: T201
    server.serve_forever()
    server.server_close()
    for target in TARGETS:
        target.end(10)


TARGETS = targets()
# Where nothing else keeps them, the log does.
LOGGED = not any(target.name == "loki" for target in TARGETS)
if __name__ == "__main__":
    main()
