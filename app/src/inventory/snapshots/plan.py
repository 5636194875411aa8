"""Decides whether a snapshot is taken before the schema changes, and tells PostgreSQL's programs how."""

import os
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, make_url

from inventory.migrations.runner import Change
from inventory.migrations.state import read_state
from inventory.snapshots.naming import snapshot_name

SERVICE = "snapshot"


def write_connection(folder: Path, url: str) -> None:
    """libpq's own files, readable by this user alone: a password in arguments or variables could be seen."""
    parsed = make_url(url)
    options = parsed.get_dialect()().create_connect_args(parsed)[1]
    password = options.pop("password", None)
    lines = [f"[{SERVICE}]", *(f"{key}={value}" for key, value in options.items() if key != "context")]
    _write(folder / "pg_service.conf", "\n".join(lines) + "\n")
    escaped = str(password or "").replace("\\", "\\\\").replace(":", "\\:")
    _write(folder / "pgpass", f"*:*:*:*:{escaped}\n")


def write_plan(folder: Path, connection: Connection, change: Change, when: str, version: str) -> str:
    """Writes `name` if there is to be a snapshot, else `reason`; returns what it decided, in words."""
    tables = read_state(connection).tables - {"alembic_version"}
    if change.current is None and not tables:
        reason = "the database is empty"
    elif when == "schemaChange" and not change.needed:
        reason = f"the schema does not change, it is at {change.current}"
    else:
        name = snapshot_name(datetime.now(UTC), change.current, version)
        _write(folder / "name", f"{name}\n")
        return f"a snapshot is taken first: {name}"
    _write(folder / "reason", f"{reason}\n")
    return f"no snapshot is needed: {reason}"


def _write(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
