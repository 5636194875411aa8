"""Snapshots as the platform's Jobs take them: a plan by the service, then PostgreSQL's programs."""

import subprocess
from pathlib import Path

from inventory.cli import main
from tests.support.postgres import PostgresServer

SCRIPTS = Path(__file__).parents[3] / "components/delivery"


def plan(folder: Path, *command: str) -> int:
    folder.mkdir(exist_ok=True)
    return main([*command, "--check", "--snapshot-plan", str(folder)])


def run_script(
    postgres: PostgresServer, script: str, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    path = f"{postgres.programs}:/usr/bin:/bin"
    command = ["sh", str(SCRIPTS / script), *map(str, arguments)]
    # An environment of its own: what a person has set for PostgreSQL must not help.
    variables = {"PATH": path, "HOME": "/nonexistent", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables, check=False)


def snapshots(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
