"""The commands `inventory backup ...`."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.backups.naming import Kind
from inventory.core.config import load_settings
from inventory.objectstore import add_bucket_options, bucket_of

if TYPE_CHECKING:
    from inventory.backups.vault import Vault


def add_backup_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `backup` to the parsers of `inventory`."""
    backup = commands.add_parser(
        "backup", help="back the database up into an S3-compatible store, and recover"
    )
    actions = backup.add_subparsers(dest="action", required=True)

    plan = actions.add_parser("plan", help="write down how pg_dump connects, and what the backup is called")
    _folder(plan, "--plan")
    _figures(plan)

    store = _stored(actions.add_parser("store", help="encrypt and keep what pg_dump or pg_basebackup wrote"))
    _kind(store)
    _folder(store, "--folder")
    _folder(store, "--plan", required=False)
    store.add_argument("--retention-days", type=int, required=True)
    store.add_argument("--minimum-kept", type=int, required=True, help="how many are kept whatever their age")
    _figures(store)

    _stored(actions.add_parser("list", help="every backup, one JSON object a line"))

    fetch = _stored(actions.add_parser("fetch", help="bring a backup into a folder"))
    _kind(fetch)
    _folder(fetch, "--folder")
    fetch.add_argument("--name", default="latest")
    _figures(fetch)

    dump = _stored(actions.add_parser("recover-dump", help="bring a dump for a database that is empty"))
    _folder(dump, "--folder")
    _folder(dump, "--plan")
    dump.add_argument("--name", default="latest")

    base = _stored(
        actions.add_parser("recover-base", help="bring a server's files and WAL for an empty volume")
    )
    base.add_argument(
        "--data", type=Path, required=True, help="the volume; `pgdata` in it is the data folder"
    )
    base.add_argument("--time", default="latest", help="RFC 3339, or latest")
    _figures(base)

    test = actions.add_parser("report-test", help="judge what a restored database answered")
    _kind(test)
    _folder(test, "--folder")
    _figures(test)

    ship = _stored(actions.add_parser("ship-wal", help="keep what a folder receives of WAL, until SIGTERM"))
    ship.add_argument("--spool", type=Path, required=True)
    ship.add_argument("--port", type=int, default=9187, help="of its metrics (9187)")
    ship.add_argument("--interval", type=float, default=5, metavar="SECONDS")
    ship.add_argument("--database-host", required=True)
    ship.add_argument("--database-user", required=True)
    ship.add_argument("--password-file", type=Path, required=True)
    ship.add_argument("--slot", required=True)


def _stored(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add_bucket_options(command)
    command.add_argument("--keys", type=Path, required=True, help="folder with `current` and former keys")
    return command


def _folder(command: argparse.ArgumentParser, name: str, *, required: bool = True) -> None:
    command.add_argument(name, type=Path, required=required, metavar="FOLDER")


def _kind(command: argparse.ArgumentParser) -> None:
    command.add_argument("--kind", type=Kind, choices=list(Kind), required=True)


def _figures(command: argparse.ArgumentParser) -> None:
    command.add_argument("--prometheus", metavar="URL", help="is told how it went")
    command.add_argument("--subject", choices=("backup", "restore_test"), default="backup")
    command.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")


def run_backup(arguments: argparse.Namespace) -> None:
    """
    :raises StoreError: it failed; the message says why
    """
    # What serves requests does not need any of it.
    from inventory.backups import steps  # noqa: PLC0415
    from inventory.backups.keys import read_keys  # noqa: PLC0415
    from inventory.backups.vault import Vault  # noqa: PLC0415

    def vault() -> Vault:
        return Vault(bucket_of(arguments), read_keys(arguments.keys))

    match arguments.action:
        case "ship-wal":
            from inventory.backups.shipping import run_shipper  # noqa: PLC0415

            run_shipper(arguments, vault)
        case "list":
            for line in steps.listed(vault()):
                print(json.dumps(line))  # noqa: T201
        case "recover-dump":
            steps.recover_dump(vault, load_settings(), arguments.plan, arguments.folder, arguments.name)
        case _:
            _run_measured(arguments, vault)


def _run_measured(arguments: argparse.Namespace, vault: "Callable[[], Vault]") -> None:
    """Runs a step whose failure Prometheus is told."""
    from inventory.backups import steps  # noqa: PLC0415
    from inventory.backups.figures import Figures  # noqa: PLC0415

    kind = Kind.BASE if arguments.action == "recover-base" else getattr(arguments, "kind", Kind.DUMP)
    labels = dict(label.split("=", 1) for label in arguments.label)
    figures = Figures(arguments.subject, kind, arguments.prometheus, labels)
    with figures.failures():
        match arguments.action:
            case "plan":
                steps.plan(load_settings(), arguments.plan)
            case "store":
                now = datetime.now(UTC)
                retention = steps.Retention(timedelta(days=arguments.retention_days), arguments.minimum_kept)
                steps.store(vault, kind, arguments.folder, arguments.plan, now, retention, figures)
            case "fetch":
                steps.fetch(vault(), kind, arguments.name, arguments.folder)
            case "recover-base":
                steps.recover_base(vault, arguments.data, arguments.time)
            case "report-test":
                steps.report_test(kind, arguments.folder, figures)
