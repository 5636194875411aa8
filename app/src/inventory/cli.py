"""The `inventory` command.

What only one command needs and takes long to import is imported by that one: a release starts several
short ones.
"""

import argparse
import getpass
import os
import secrets
import sys
from pathlib import Path

from inventory.backups.commands import add_backup_commands, run_backup
from inventory.core.config import SettingsError, load_settings
from inventory.core.logs import configure_logging
from inventory.migrations.revisions import DatabaseChangedError, MigrationError
from inventory.objectstore import StoreError
from inventory.schema_commands import add_schema_commands, run_downgrade, run_migrate, run_snapshot
from inventory.smoke import SmokeTestError, run_smoke_test

MIN_KEY_LENGTH = 32


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inventory", description="The inventory service.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer requests until SIGTERM")

    add_schema_commands(commands)
    add_backup_commands(commands)

    smoke = commands.add_parser("smoke-test", help="check a running service from outside")
    smoke.add_argument("--url", required=True, help="such as https://inventory.example.com")
    smoke.add_argument("--expect-version", metavar="VERSION", help="version that has to answer")
    smoke.add_argument("--api-key-file", type=Path, help="file with a key; else INVENTORY_SMOKE_API_KEY")
    smoke.add_argument("--rounds", type=int, default=1, metavar="N", help="how often to check everything (1)")
    smoke.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait for the first answer (0)"
    )
    smoke.add_argument("--write", action="store_true", help="also record movements (needs an admin key)")
    smoke.add_argument("--ca-file", type=Path, help="certificate authority of the URL, as PEM")

    commands.add_parser(
        "hash-key", help="make the settings entry of an API key read from standard input"
    ).add_argument("--generate", action="store_true", help="make up a new key, and print it too")
    return parser


def _hash_key(generate: bool) -> int:
    from inventory.core.security import hash_key  # noqa: PLC0415

    if generate:
        key = secrets.token_urlsafe(32)
        print(f"key:    {key}")
    else:
        key = getpass.getpass("API key: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
        if len(key) < MIN_KEY_LENGTH:
            print(
                f"A key needs {MIN_KEY_LENGTH} random characters; `inventory hash-key --generate` makes one.",
                file=sys.stderr,
            )
            return 2
    print(f"sha256: {hash_key(key)}" if generate else hash_key(key))
    return 0


def _smoke_key(path: Path | None) -> str | None:
    return path.read_text(encoding="utf-8").strip() if path else os.environ.get("INVENTORY_SMOKE_API_KEY")


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "hash-key":
            return _hash_key(arguments.generate)
        case "smoke-test":
            for _ in range(arguments.rounds):
                run_smoke_test(
                    arguments.url,
                    api_key=_smoke_key(arguments.api_key_file),
                    expect_version=arguments.expect_version,
                    write=arguments.write,
                    wait_seconds=arguments.wait,
                    ca_file=arguments.ca_file,
                )
            return 0
    if arguments.command in ("snapshot", "backup"):
        # Most of them see none of the application's settings.
        configure_logging("INFO", os.environ.get("INVENTORY_VERSION", "0.0.0"))
        (run_snapshot if arguments.command == "snapshot" else run_backup)(arguments)
        return 0
    settings = load_settings()
    configure_logging(settings.log_level, settings.version)
    match arguments.command:
        case "migrate":
            run_migrate(settings, arguments)
        case "downgrade":
            run_downgrade(settings, arguments)
        case "serve":
            from inventory.server import serve  # noqa: PLC0415

            return serve(settings)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns 0, 1 (it failed), 2 (used wrongly, or settings are wrong) or 3.

    3: a migration failed, and the database is not as it was; nothing may try again by itself.
    """
    try:
        return _run(_parser().parse_args(argv))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except DatabaseChangedError as error:
        print(error, file=sys.stderr)
        return 3
    except (MigrationError, SmokeTestError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
