"""Backups as the platform's Pods make them: the service's commands, and PostgreSQL's programs in scripts."""

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.cli import main
from tests.support.postgres import PostgresServer, unprivileged_user
from tests.support.s3 import Store

SCRIPTS = Path(__file__).parents[3] / "components/delivery"


@dataclass(frozen=True, slots=True)
class Backups:
    """One store with its keys, and a folder that PostgreSQL's own user may write to."""

    store: Store
    credentials: Path
    keys: Path
    folder: Path
    postgres: PostgresServer

    def run(self, action: str, *arguments: object) -> int:
        where = [
            "--bucket",
            "backups",
            "--prefix",
            "p",
            "--region",
            "eu-1",
            "--endpoint",
            self.store.endpoint,
        ]
        opened = ["--credentials", str(self.credentials), "--keys", str(self.keys)]
        code = main(["backup", action, *where, *opened, *map(str, arguments)])
        self.own()
        return code

    def plain(self, action: str, *arguments: object) -> int:
        """A command that needs neither store nor keys."""
        code = main(["backup", action, *map(str, arguments)])
        self.own()
        return code

    def new(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        self.own()
        return path

    def own(self) -> None:
        """What the tests write as root, the server's user has to be able to read, as in a Pod."""
        user = unprivileged_user()
        if user is None:
            return
        for path in [self.folder, *self.folder.rglob("*")]:
            # A server that runs there comes and goes with files.
            with suppress(FileNotFoundError):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def script(self, name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        options = self._script(name, *arguments, **environment)
        result: subprocess.CompletedProcess[str] = subprocess.run(**options, capture_output=True, check=False)
        return result

    def start(self, name: str, *arguments: object, **environment: str) -> "subprocess.Popen[str]":
        options = self._script(name, *arguments, **environment)
        # A session of its own, so that it can be killed with what it has started.
        process: subprocess.Popen[str] = subprocess.Popen(**options, start_new_session=True)
        return process

    def _script(self, name: str, *arguments: object, **environment: str) -> dict[str, Any]:
        user = unprivileged_user()
        scripts = self.folder / "scripts"
        if not scripts.exists():
            # As the ConfigMap has them: all in one folder.
            scripts.mkdir()
            for file in [*(SCRIPTS / "backup").iterdir(), SCRIPTS / "restore.sh"]:
                shutil.copy(file, scripts)
            (scripts / "tmp").mkdir()
            self.own()
        variables = {
            "PATH": f"{self.postgres.programs}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "TMPDIR": str(scripts / "tmp"),
            **environment,
        }
        return {
            "args": ["sh", str(scripts / name), *map(str, arguments)],
            "text": True,
            "env": variables,
            "cwd": "/",
            "user": user.pw_uid if user else None,
            "group": user.pw_gid if user else None,
        }
