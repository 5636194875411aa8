"""A throw-away PostgreSQL server for one run of the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

USER = "inventory"


def _programs() -> Path:
    """The newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        message = (
            "PostgreSQL's server programs are missing; install them (Debian: apt-get install postgresql)"
        )
        raise RuntimeError(message)
    return Path(initdb).parent


def unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    message = "no user `postgres` or `nobody` to run PostgreSQL as; run the tests as another user than root"
    raise RuntimeError(message)


def temporary_folder() -> Path:
    """In memory where there is room: creating databases is mostly writing files."""
    memory = Path("/dev/shm")  # noqa: S108
    room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return Path(tempfile.mkdtemp(prefix="inventory-pg-", dir=memory if room else None))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class PostgresServer:
    """Fast rather than durable; listens on loopback."""

    folder: Path = field(default_factory=temporary_folder)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _databases: int = 0

    def create(self) -> None:
        user = unprivileged_user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        command = [str(_programs() / "initdb"), "-D", str(self.folder / "data"), "-U", USER, "-A", "trust"]
        subprocess.run(
            [*command, "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            cwd="/",
        )
        self.start()

    def start(self) -> None:
        user = unprivileged_user()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "100",
            "deadlock_timeout": "100ms",
        }
        command = [str(_programs() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            cwd="/",
        )
        log.close()
        self._await_start()

    def _await_start(self) -> None:
        for _ in range(300):
            if self._process is None or self._process.poll() is not None:
                break
            try:
                psycopg.connect(self._dsn("postgres"), connect_timeout=1).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("PostgreSQL did not start:\n" + (self.folder / "log").read_text())

    def stop(self) -> None:
        """Ends every session, as a fail-over would; what was committed stays."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def remove(self) -> None:
        self._end(signal.SIGQUIT)  # at once: nothing is kept
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def programs(self) -> Path:
        return _programs()

    def program(self, name: str, *arguments: str) -> str:
        """Runs one of PostgreSQL's own programs and returns what it prints."""
        command = [str(_programs() / name), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def dump(self, url: str, *options: str) -> str:
        """Schema and data as SQL; the same text means the same database."""
        dumped = self.program("pg_dump", f"--dbname={url.replace('+psycopg', '')}", *options)
        # A token that is another one each time.
        lines = [line for line in dumped.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
        return "\n".join(lines)

    def _dsn(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0", name: str | None = None) -> str:
        """Creates a database and returns its URL."""
        self._databases += 1
        name = name or f"test_{self._databases}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"
