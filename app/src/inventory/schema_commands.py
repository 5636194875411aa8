"""The commands about the database's schema and its snapshots."""

import argparse
import logging
import signal
from pathlib import Path

from inventory.core.config import Settings
from inventory.migrations.in_use import read_in_use
from inventory.migrations.revisions import MigrationError
from inventory.migrations.runner import (
    Change,
    check_downgrade,
    check_migrate,
    downgrade,
    make_engine,
    migrate,
)
from inventory.objectstore import StoreError, add_bucket_options, bucket_of
from inventory.snapshots.naming import PATTERN
from inventory.snapshots.plan import write_connection, write_plan

logger = logging.getLogger("inventory")


def add_schema_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds migrate, downgrade and snapshot to the parsers of `inventory`."""
    up = commands.add_parser("migrate", help="upgrade the database schema; it is as it was if that fails")
    up.add_argument("--to", default="head", metavar="REVISION", help="revision, or head (default)")
    up.add_argument(
        "--in-use-file",
        type=Path,
        metavar="FILE",
        help="schema revisions of the versions in use, one a line; what would break one is refused",
    )
    down = commands.add_parser(
        "downgrade", help="downgrade the database schema; data of newer columns is lost"
    )
    down.add_argument("--to", required=True, metavar="REVISION", help="revision, or base: delete everything")
    down.add_argument("--delete-all-data", action="store_true", help="needed for --to base")
    down.add_argument("--keep-data", action="store_true", help="refuse it if rows would lose something")
    for command in (up, down):
        command.add_argument(
            "--wait",
            type=float,
            default=120,
            metavar="SECONDS",
            help="how long to wait for the database (120)",
        )
        command.add_argument("--check", action="store_true", help="only tell what would be done")
        command.add_argument(
            "--snapshot-plan",
            type=Path,
            metavar="FOLDER",
            help="with --check: write there how a snapshot is to be taken",
        )
        command.add_argument("--snapshot-when", choices=("schemaChange", "always"), default="schemaChange")
    snapshot = commands.add_parser("snapshot", help="keep snapshots in an S3-compatible store")
    actions = snapshot.add_subparsers(dest="action", required=True)
    upload = actions.add_parser("upload", help="upload a folder's snapshot, if there is one")
    download = actions.add_parser("download", help="get a snapshot back")
    download.add_argument("--name", required=True)
    upload.add_argument("--retain", type=int, required=True, help="how many are kept")
    for action in (upload, download):
        action.add_argument("--folder", type=Path, required=True)
        add_bucket_options(action)


def _stop(*_: object) -> None:
    """Told to stop, as at a Job's deadline, an upgrade goes back first; that it does undisturbed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def run_migrate(settings: Settings, arguments: argparse.Namespace) -> None:
    url = settings.database_url.get_secret_value()
    in_use = read_in_use(arguments.in_use_file)
    if not arguments.check:
        signal.signal(signal.SIGTERM, _stop)
        logger.info(migrate(url, arguments.to, arguments.wait, in_use))
        return
    _tell(settings, arguments, check_migrate(url, arguments.to, arguments.wait, in_use))


def run_downgrade(settings: Settings, arguments: argparse.Namespace) -> None:
    url = settings.database_url.get_secret_value()
    if arguments.to == "base" and not arguments.delete_all_data:
        raise MigrationError("--to base deletes all data; add --delete-all-data if that is meant.")
    if not arguments.check:
        logger.info(downgrade(url, arguments.to, arguments.wait, keep_data=arguments.keep_data))
        return
    change = check_downgrade(url, arguments.to, arguments.wait, keep_data=arguments.keep_data)
    _tell(settings, arguments, change)


def _tell(settings: Settings, arguments: argparse.Namespace, change: Change) -> None:
    logger.info(change.future)
    folder = arguments.snapshot_plan
    if folder is None:
        return
    url = settings.database_url.get_secret_value()
    write_connection(folder, url)
    with make_engine(url).connect() as connection:
        logger.info(write_plan(folder, connection, change, arguments.snapshot_when, settings.version))


def run_snapshot(arguments: argparse.Namespace) -> None:
    # What serves requests does not need the store's library.
    from inventory.snapshots.store import download, upload  # noqa: PLC0415

    bucket = bucket_of(arguments)
    try:
        if arguments.action == "download":
            logger.info(download(bucket, arguments.name, arguments.folder))
            return
        found = sorted(path for path in arguments.folder.iterdir() if PATTERN.fullmatch(path.name))
        for file in found:
            logger.info(upload(bucket, file, arguments.retain))
    except StoreError as error:
        raise MigrationError(f"{error} The schema was not changed.") from error
    if not found:
        logger.info("there is no snapshot to store")
