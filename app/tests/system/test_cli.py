import io
import json
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from inventory.cli import main
from inventory.core.security import hash_key
from inventory.smoke import SmokeTestError, run_smoke_test
from tests.support.postgres import PostgresServer


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


@pytest.fixture
def url(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    url = postgres.new_database()
    monkeypatch.setenv("INVENTORY_DATABASE_URL", url)
    monkeypatch.setenv("INVENTORY_API_KEYS", "[]")
    return url


def test_migrate_and_downgrade(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert url
    assert main(["migrate", "--to", "0003"]) == 0
    assert main(["migrate", "--to", "head"]) == 0
    assert main(["downgrade", "--to", "0002"]) == 0
    messages = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert messages[-1] == "downgraded the schema from 0004 to 0002"
    assert "upgraded the schema from 0003 to 0004" in messages


def test_migrating_starts_without_the_web_server(url: str) -> None:
    """A release waits for it, and importing the web server takes longer than to migrate."""
    assert url
    program = (
        "import sys; from inventory.cli import main; code = main(['migrate']); "
        "sys.exit(str(sys.modules.keys() & {'fastapi', 'starlette', 'uvicorn'}) if code == 0 else code)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.stderr == "set()\n"


def test_deleting_everything_has_to_be_meant(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert url
    assert main(["migrate"]) == 0
    assert main(["downgrade", "--to", "base"]) == 1
    assert "--delete-all-data" in capsys.readouterr().err
    assert main(["downgrade", "--to", "base", "--delete-all-data"]) == 0


def test_failures_say_what_to_do(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert url
    assert main(["migrate", "--to", "0042"]) == 1
    assert "it has 0001, 0002" in capsys.readouterr().err
    monkeypatch.setenv("INVENTORY_PORT", "none")
    assert main(["serve"]) == 2
    assert "INVENTORY_PORT" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["juggle"])


def test_hash_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    key = "k" * 32
    monkeypatch.setattr("sys.stdin", io.StringIO(key + "\n"))
    assert main(["hash-key"]) == 0
    assert capsys.readouterr().out == hash_key(key) + "\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["hash-key"]) == 2
    assert "32 random characters" in capsys.readouterr().err
    assert main(["hash-key", "--generate"]) == 0
    shown = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert hash_key(shown["key:"]) == shown["sha256:"]
    assert len(shown["key:"]) >= 43


def run(url: str = "http://127.0.0.1:1", *, key: str | None = None, write: bool = False) -> None:
    run_smoke_test(url, api_key=key, expect_version=None, write=write, ca_file=None)


def test_smoke_test_arguments() -> None:
    with pytest.raises(SmokeTestError, match="must begin with http"):
        run("ftp://example")
    with pytest.raises(SmokeTestError, match="--write needs an admin key"):
        run(write=True)
    with pytest.raises(SmokeTestError, match="no answer"):
        run()


def test_smoke_test_reads_key_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("k\n")
    arguments = ["smoke-test", "--url", "http://127.0.0.1:1", "--api-key-file", str(key_file)]
    assert main(arguments) == 1
    assert "no answer" in capsys.readouterr().err


def test_smoke_test_waits_for_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, refusals = Fake(""), 3

    def refused_at_first(request: urllib.request.Request, **options: object) -> "Fake.Response":
        nonlocal refusals
        if refusals > 0:
            refusals -= 1
            raise urllib.error.URLError(ConnectionRefusedError())
        return sound(request, **options)

    monkeypatch.setattr(urllib.request, "urlopen", refused_at_first)
    run_smoke_test(
        "http://new", api_key="k", expect_version=None, write=True, ca_file=None, wait_seconds=30.0
    )
    assert refusals == 0


class Fake:
    """Answers as a service with one defect would; what a real one answers is tested on a real one."""

    def __init__(self, defect: str) -> None:
        self.defect = defect
        self.movements = 0

    def __call__(self, request: urllib.request.Request, **_: object) -> "Fake.Response":
        path, method = request.selector, request.get_method()
        if request.get_header("X-api-key") is None:
            headers = Message()
            headers["Content-Type"] = "text/html" if self.defect == "html" else "application/problem+json"
            status = 200 if self.defect == "open" else 401
            body = b"<html>" if self.defect == "html" else b"{}"
            raise urllib.error.HTTPError(request.full_url, status, "x", headers, io.BytesIO(body))
        if path.endswith("/stock"):
            return Fake.Response({"total": "0" if self.defect == "lost" else "1"}, 200)
        if path.endswith("/movements"):
            self.movements += 1
            return Fake.Response({"id": self.movements if self.defect == "twice" else 1}, 201)
        return Fake.Response({}, 201 if method == "POST" else 200)

    class Response:
        def __init__(self, body: object, status: int) -> None:
            self.status, self.headers, self._body = status, Message(), body

        def read(self) -> bytes:
            return json.dumps(self._body).encode()

        def __enter__(self) -> "Fake.Response":
            return self

        def __exit__(self, *_: object) -> None:
            return None


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("open", "expected 401, got 200"),
        ("html", "text/html, not application/problem"),
        ("lost", "receipt is missing"),
        ("twice", "got another result"),
        ("", None),
    ],
)
def test_smoke_test_finds_defects(monkeypatch: pytest.MonkeyPatch, defect: str, words: str | None) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", Fake(defect))
    if words is None:
        run(key="k", write=True)
    else:
        with pytest.raises(SmokeTestError, match=words):
            run(key="k", write=True)
