"""`inventory serve` in a process of its own, and callers that keep it busy."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import httpx2 as httpx

from inventory.core.config import Role
from inventory.core.security import hash_key
from tests.support.api import KEYS, unique
from tests.support.postgres import free_port

ADMIN = {"X-API-Key": KEYS[Role.ADMIN]}


@dataclass
class Server:
    """`inventory serve` on a free port of loopback."""

    database_url: str
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        keys = [{"name": str(role), "role": str(role), "sha256": hash_key(key)} for role, key in KEYS.items()]
        settings = {
            "INVENTORY_DATABASE_URL": self.database_url,
            "INVENTORY_API_KEYS": json.dumps(keys),
            "INVENTORY_HOST": "127.0.0.1",
            "INVENTORY_PORT": str(self.port),
            "INVENTORY_VERSION": "1.2.3",
            "INVENTORY_RATE_LIMIT_PER_MINUTE": "0",
            "INVENTORY_SHUTDOWN_DELAY_SECONDS": "120",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inventory", "serve"],
            env=os.environ | settings | self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(300):
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.output()
            time.sleep(0.1)
        raise AssertionError("the server did not become ready")

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def output(self, timeout: float = 60) -> list[dict[str, object]]:
        """Waits for the end; returns the log."""
        assert self.process is not None
        text, _ = self.process.communicate(timeout=timeout)
        return [json.loads(line) for line in text.splitlines()]


@dataclass
class Load:
    """Callers that go on until they are told to stop. Each request has a connection of its own: those are
    what a server that stops listening too early refuses."""

    server: Server
    sku: str
    code: str
    statuses: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(6)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(timeout=30)

    def wait_for(self, requests: int) -> None:
        """Returns after so many more answers."""
        goal = len(self.statuses) + requests
        deadline = time.monotonic() + 60
        while len(self.statuses) < goal and not self.failures:
            assert time.monotonic() < deadline, "no answers for a minute"
            time.sleep(0.05)

    def _work(self) -> None:
        body = {"kind": "receipt", "sku": self.sku, "destination": self.code, "quantity": 1}
        while not self.stopped.is_set():
            try:
                self._send("POST", "/api/v1/movements", json.dumps(body), {"Idempotency-Key": unique("load")})
                self._send("GET", f"/api/v1/items/{self.sku}", None, {})
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, path, body, ADMIN | {"Content-Type": "application/json"} | headers)
            self.statuses.append(connection.getresponse().status)
        finally:
            connection.close()
