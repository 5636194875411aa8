"""The real command, in a process of its own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import psycopg
import pytest

from inventory.core.config import Role
from inventory.core.security import hash_key
from tests.conftest import TEMPLATE
from tests.support.api import KEYS, unique
from tests.support.postgres import PostgresServer, free_port

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
            "INVENTORY_SHUTDOWN_DELAY_SECONDS": "1",
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

    def output(self, timeout: float = 30) -> list[dict[str, object]]:
        """Waits for the end; returns the log."""
        assert self.process is not None
        text, _ = self.process.communicate(timeout=timeout)
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[Server]:
    server = Server(postgres.new_database(TEMPLATE))
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.process.kill()
        server.process.communicate()


def create(server: Server) -> tuple[str, str]:
    sku, code = unique("SYS"), unique("LOC")
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=ADMIN) as client:
        item = {"sku": sku, "name": "x", "category": "x", "price": 1}
        assert client.post("/items", json=item).status_code == 201
        assert client.post("/locations", json={"code": code, "name": "x"}).status_code == 201
    return sku, code


def receive(client: httpx.Client, sku: str, code: str) -> httpx.Response:
    body = {"kind": "receipt", "sku": sku, "destination": code, "quantity": 1}
    return client.post("/api/v1/movements", json=body, headers={"Idempotency-Key": unique("sys")}, timeout=30)


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


def test_sigterm_under_load_fails_no_request(postgres: PostgresServer) -> None:
    """Callers go on until readiness turns false, as a gateway does; every request they sent is answered."""
    server = Server(postgres.new_database(TEMPLATE), {"INVENTORY_SHUTDOWN_DELAY_SECONDS": "3"})
    server.start()
    sku, code = create(server)
    with Load(server, sku, code) as load:
        time.sleep(1)
        server.terminate()
        terminated = time.monotonic()
        answer = httpx.get(f"{server.url}/readyz", timeout=30)
        assert (answer.status_code, answer.json()["reason"]) == (503, "shutting down")
        assert answer.headers["connection"] == "close"
        before = len(load.statuses)
        time.sleep(0.5)  # what a gateway needs to notice

    log = server.output()
    assert server.process is not None
    assert server.process.returncode == 0
    assert time.monotonic() - terminated >= 3
    assert load.failures == []
    assert set(load.statuses) == {200, 201}
    assert len(load.statuses) > before > 10
    assert "draining" in [entry["message"] for entry in log]
    with psycopg.connect(server.database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(
            "SELECT sum(quantity), (SELECT count(*) FROM movements) FROM stock_levels"
        ).fetchone()
    assert row == (load.statuses.count(201), load.statuses.count(201))


def test_a_request_in_flight_is_finished_after_the_delay(server: Server) -> None:
    sku, code = create(server)
    with httpx.Client(base_url=server.url, headers=ADMIN) as client:
        assert receive(client, sku, code).status_code == 201
        with psycopg.connect(server.database_url.replace("+psycopg", "")) as blocker:
            blocker.execute("SELECT * FROM stock_levels FOR UPDATE")
            answers: list[httpx.Response] = []
            request = threading.Thread(target=lambda: answers.append(receive(client, sku, code)))
            request.start()
            time.sleep(0.5)
            server.terminate()
            time.sleep(1.8)  # the delay is over, the request still waits for the row
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{server.url}/healthz", timeout=1)
            blocker.commit()
        request.join(timeout=20)
    assert [answer.status_code for answer in answers] == [201]
    server.output()
    assert server.process is not None
    assert server.process.returncode == 0


def test_a_second_signal_skips_the_delay(postgres: PostgresServer) -> None:
    server = Server(postgres.new_database(TEMPLATE), {"INVENTORY_SHUTDOWN_DELAY_SECONDS": "60"})
    server.start()
    server.terminate()
    time.sleep(0.5)
    server.terminate()
    server.output(timeout=20)
    assert server.process is not None
    assert server.process.returncode == 0


def test_it_outlives_a_restart_of_the_database() -> None:
    database = PostgresServer()
    try:
        database.create()
        url = database.new_database()
        environment = os.environ | {"INVENTORY_DATABASE_URL": url, "INVENTORY_API_KEYS": "[]"}
        command = [sys.executable, "-m", "inventory", "migrate"]
        assert subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).returncode == 0
        server = Server(url)
        server.start()
        sku, code = create(server)
        with httpx.Client(base_url=server.url, headers=ADMIN) as client:
            assert client.get(f"/api/v1/items/{sku}").status_code == 200
            database.stop()
            away = client.get(f"/api/v1/items/{sku}")
            assert (away.status_code, away.headers["retry-after"]) == (503, "2")
            time.sleep(1.1)
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            database.start()
            # No request after the return is lost to a connection from before.
            assert client.get(f"/api/v1/items/{sku}").status_code == 200
            assert receive(client, sku, code).status_code == 201
            time.sleep(1.1)
            assert client.get("/readyz").status_code == 200
        server.terminate()
        server.output()
    finally:
        database.remove()


def smoke(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inventory", "smoke-test", "--url", server.url, *arguments]
    environment = os.environ | {"INVENTORY_SMOKE_API_KEY": KEYS[Role.ADMIN]}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_smoke_test_tells_a_sound_service_from_others(server: Server, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEYS[Role.READER] + "\n")
    passed = smoke(server, "--expect-version", "1.2.3", "--write")
    assert passed.returncode == 0, passed.stderr
    assert "ok  the same receipt again changes nothing" in passed.stdout
    assert smoke(server, "--write").returncode == 0
    assert smoke(server, "--api-key-file", str(key_file)).returncode == 0
    reader = smoke(server, "--api-key-file", str(key_file), "--write")
    assert (reader.returncode, "expected 201 or 409, got 403" in reader.stderr) == (1, True)
    other = smoke(server, "--expect-version", "2.0.0")
    assert (other.returncode, other.stderr) == (1, "version 1.2.3 answers, not 2.0.0.\n")
    server.terminate()
    server.output()
    gone = smoke(server)
    assert (gone.returncode, "no answer" in gone.stderr) == (1, True)
