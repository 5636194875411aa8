"""The real command, in a process of its own."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import psycopg
import pytest

from inventory.cli import main
from inventory.core.config import Role
from tests.conftest import TEMPLATE
from tests.support.api import KEYS, unique
from tests.support.postgres import PostgresServer
from tests.support.server import ADMIN, Load, Server


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[Server]:
    server = Server(postgres.new_database(TEMPLATE))
    server.start()
    yield server
    server.kill()


def connect(server: Server, *, autocommit: bool = False) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.database_url.replace("+psycopg", ""), autocommit=autocommit)


def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 s")


def listens(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    except OSError:
        return False
    return True


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


def test_sigterm_under_load_fails_no_request(server: Server) -> None:
    """Callers go on until readiness turns false, as a gateway does; every request they sent is answered."""
    sku, code = create(server)
    with Load(server, sku, code) as load:
        load.wait_for(50)
        server.terminate()
        answer = httpx.get(f"{server.url}/readyz", timeout=30)
        assert (answer.status_code, answer.json()["reason"]) == (503, "shutting down")
        assert answer.headers["connection"] == "close"
        load.wait_for(50)  # new connections are still taken while the gateway has not noticed

    # The delay is longer than the busiest machine needs for the above; the second signal ends it.
    server.terminate()
    log = server.output()
    assert server.process is not None
    assert server.process.returncode == 0
    assert load.failures == []
    assert set(load.statuses) == {200, 201}
    assert "draining" in [entry["message"] for entry in log]
    with connect(server) as connection:
        row = connection.execute(
            "SELECT sum(quantity), (SELECT count(*) FROM movements) FROM stock_levels"
        ).fetchone()
    assert row == (load.statuses.count(201), load.statuses.count(201))


def test_a_request_in_flight_is_finished_after_the_delay(postgres: PostgresServer) -> None:
    environment = {"INVENTORY_SHUTDOWN_DELAY_SECONDS": "0.2", "INVENTORY_STATEMENT_TIMEOUT_SECONDS": "60"}
    server = Server(postgres.new_database(TEMPLATE), environment)
    server.start()
    sku, code = create(server)
    with httpx.Client(base_url=server.url, headers=ADMIN, timeout=60) as client:
        assert receive(client, sku, code).status_code == 201
        answers: list[httpx.Response] = []
        with connect(server) as blocker, connect(server, autocommit=True) as observer:
            blocker.execute("SELECT * FROM stock_levels FOR UPDATE")
            request = threading.Thread(target=lambda: answers.append(receive(client, sku, code)))
            request.start()
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            eventually(lambda: observer.execute(waiting).fetchone() is not None)
            server.terminate()
            eventually(lambda: not listens(server))
            assert answers == []
            blocker.commit()
        request.join(timeout=60)
    assert [answer.status_code for answer in answers] == [201]
    server.output()
    assert server.process is not None
    assert server.process.returncode == 0


@pytest.fixture
def quiet_logging() -> Iterator[None]:
    """Undoes what the command does to this process's logging."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


@pytest.mark.usefixtures("quiet_logging")
def test_the_smoke_test_tells_a_sound_service_from_others(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEYS[Role.READER] + "\n")
    monkeypatch.setenv("INVENTORY_SMOKE_API_KEY", KEYS[Role.ADMIN])

    def smoke(*arguments: str) -> tuple[int, str]:
        code = main(["smoke-test", "--url", server.url, *arguments])
        return code, "".join(capsys.readouterr())

    code, output = smoke("--expect-version", "1.2.3", "--write")
    assert code == 0, output
    assert "ok  the same receipt again changes nothing" in output
    assert smoke("--write")[0] == 0
    assert smoke("--api-key-file", str(key_file))[0] == 0
    code, output = smoke("--api-key-file", str(key_file), "--write")
    assert (code, "expected 201 or 409, got 403" in output) == (1, True)
    code, output = smoke("--expect-version", "2.0.0")
    assert (code, "version 1.2.3 answers, not 2.0.0.\n" in output) == (1, True)
    server.kill()
    code, output = smoke()
    assert (code, "no answer" in output) == (1, True)
