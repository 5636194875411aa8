"""What is told to Prometheus, and the process that ships WAL."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from inventory.backups.figures import Figures
from inventory.backups.naming import Kind
from inventory.cli import main
from tests.backups.test_wal import key, segment
from tests.support.postgres import free_port
from tests.support.s3 import Store


@pytest.fixture
def told() -> Iterator[tuple[str, list[dict[str, float]]]]:
    """A Prometheus that remembers values, with their labels in the name."""
    values: list[dict[str, float]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v1/otlp/v1/metrics"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            (scope,) = body["resourceMetrics"][0]["scopeMetrics"]
            found = {}
            for metric in scope["metrics"]:
                (point,) = metric["gauge"]["dataPoints"]
                labels = ",".join(
                    f"{each['key']}={each['value']['stringValue']}" for each in point["attributes"]
                )
                found[f"{metric['name']}{{{labels}}}"] = point["asDouble"]
            values.append(found)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", values
    server.shutdown()
    server.server_close()


def test_success_and_failure_are_told_with_their_kind(told: tuple[str, list[dict[str, float]]]) -> None:
    url, values = told
    figures = Figures("backup", Kind.DUMP, url, {"app": "inventory"}, {"stored_bytes": 5})
    before = time.time()
    with pytest.raises(RuntimeError), figures.failures():
        raise RuntimeError
    figures.succeeded()
    failure, success = values
    (name, value), *rest = failure.items()
    assert name == "technova_backup_failure_timestamp_seconds{app=inventory,kind=dump}"
    assert before <= value <= time.time()
    assert rest == []
    assert success["technova_backup_stored_bytes{app=inventory,kind=dump}"] == 5
    assert success["technova_backup_success_timestamp_seconds{app=inventory,kind=dump}"] >= before


def test_a_prometheus_that_is_away_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Figures("restore_test", Kind.BASE, f"http://127.0.0.1:{free_port()}", {}).succeeded()
    assert "Prometheus did not take the figures" in caplog.text
    caplog.clear()
    Figures("restore_test", Kind.BASE, None, {}).succeeded()
    assert caplog.text == ""


def test_each_step_tells_its_failure(
    told: tuple[str, list[dict[str, float]]],
    store: Store,
    credentials: Path,
    keys_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, values = told
    where = [
        "--bucket",
        "backups",
        "--region",
        "r",
        "--endpoint",
        store.endpoint,
        "--credentials",
        str(credentials),
    ]
    options = [*where, "--keys", str(keys_folder), "--prometheus", url, "--subject", "restore_test"]
    folder = ["--label", "app=x", "--folder", str(tmp_path)]
    assert main(["backup", "fetch", "--kind", "dump", *options, *folder]) == 1
    assert "There is no dump backup" in capsys.readouterr().err
    assert main(["backup", "recover-base", *options, "--data", str(tmp_path)]) == 1
    names = [name for each in values for name in each]
    assert names == [
        "technova_restore_test_failure_timestamp_seconds{app=x,kind=dump}",
        "technova_restore_test_failure_timestamp_seconds{kind=base}",
    ]


def test_the_process_ships_tells_and_ends(
    store: Store, credentials: Path, keys_folder: Path, tmp_path: Path
) -> None:
    spool, port = tmp_path / "spool", free_port()
    spool.mkdir()
    file = segment(spool, 1)
    (spool / ".gap").touch()
    os.utime(spool / ".gap", (1000, 1000))
    (tmp_path / "password").write_text("x")
    command = [sys.executable, "-m", "inventory", "backup", "ship-wal", "--spool", str(spool), "--slot", "s"]
    command += ["--bucket", "backups", "--prefix", "a/b", "--region", "r", "--endpoint", store.endpoint]
    command += ["--credentials", str(credentials), "--keys", str(keys_folder), "--port", str(port)]
    command += ["--database-host", "127.0.0.1", "--database-user", "u", "--password-file"]
    environment = {**os.environ, "PGPORT": "1"}
    process = subprocess.Popen([*command, str(tmp_path / "password"), "--interval", "0.1"], env=environment)
    try:
        deadline = time.monotonic() + 60
        figures = ""
        while "technova_wal_shipped_timestamp_seconds 1" not in figures:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    figures = answer.read().decode()
            except OSError:
                continue
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert not file.exists()
    assert key(file.name) in store.objects
    for line in (
        "technova_wal_waiting_segments 0.0",
        "technova_wal_conflicting_segments 0.0",
        # The server cannot be asked, and shipping goes on.
        "technova_wal_receiver_lag_bytes -1.0",
        "technova_wal_gap_timestamp_seconds 1000.0",
    ):
        assert line in figures
