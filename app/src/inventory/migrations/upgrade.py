"""An upgrade over any number of revisions that either succeeds or leaves the database as it was."""

import logging
import time
from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from psycopg import errors as pg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from inventory.migrations.revisions import (
    DatabaseChangedError,
    MigrationError,
    alembic_config,
    known_revisions,
)
from inventory.migrations.state import State, read_state, remove_additions, restore_rows

logger = logging.getLogger(__name__)

# Everybody queues behind a migration that waits for a table lock, so it gives up soon and tries again.
LOCK_TIMEOUT = "5s"
LOCK_ATTEMPTS = 12

_CHANGED_ROWS = b"""
SELECT relid::regclass::text FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""
# What the migration itself writes, and puts back.
_BOOKKEEPING = {"alembic_version", "schema_revisions"}


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def reason_of(error: BaseException) -> str:
    """In one line, without the statement or the rows it was about."""
    while isinstance(error, PendingRollbackError) and error.__context__ is not None:
        error = error.__context__  # what made the connection unusable
    if isinstance(error, KeyboardInterrupt):
        return "it was told to stop"
    if not isinstance(error, DBAPIError):
        return f"{str(error) or 'no reason given'} ({type(error).__name__})"
    diag = getattr(error.orig, "diag", None)
    told = getattr(diag, "message_primary", None) or str(error.orig).strip().split("\n")[0]
    return f"{told} ({type(error.orig).__name__})"


def run(engine: Engine, action: Callable[..., None], target: str, **attributes: Any) -> None:
    """Runs an Alembic command, and again while a table that it needs is in use."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            with engine.connect() as connection:
                connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
                connection.commit()
                config = alembic_config()
                config.attributes.update(attributes, connection=connection)
                action(config, target)
                connection.commit()
        except DBAPIError as error:
            if not isinstance(error.orig, pg.LockNotAvailable) or attempt == LOCK_ATTEMPTS:
                raise
            logger.info("a table is in use, trying again", extra={"attempt": attempt})
            time.sleep(1)
        else:
            return


class Upgrade:
    """Keeps what is needed to go back. Numbers that a sequence gave out meanwhile stay given out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            self._before = read_state(connection)
            self._start = current_revision(connection)
        # The state that each revision left behind; what came after it is the next one's.
        self._states: dict[str | None, State] = {self._start: self._before}
        self._changed: set[str] = set()
        # By the attempt that failed, whether or not it was committed.
        self._done: list[str] = []

    def to(self, target: str) -> None:
        """Upgrades, or raises MigrationError once the database is as it was."""
        event.listen(self._engine, "commit", self._about_to_commit)
        try:
            run(self._engine, self._attempt, target, applied=self._applied)
        except (Exception, KeyboardInterrupt) as error:
            event.remove(self._engine, "commit", self._about_to_commit)
            self._failed(error, target)
            raise  # pragma: no cover - the line before raises
        event.remove(self._engine, "commit", self._about_to_commit)

    def _attempt(self, config: Config, target: str) -> None:
        self._done.clear()
        command.upgrade(config, target)

    def _applied(self, *, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
        self._done.append(str(step.up_revision_id))
        if ctx.connection is not None:
            self._states[step.up_revision_id] = read_state(ctx.connection)

    def _about_to_commit(self, connection: Connection) -> None:
        """Only an autocommit block commits before the end; rows it commits may not come back."""
        driver = connection.connection.dbapi_connection
        if driver is None or getattr(driver, "autocommit", False):
            return
        cursor = driver.cursor()
        cursor.execute(_CHANGED_ROWS)
        self._changed.update(row[0] for row in cursor.fetchall())
        cursor.close()

    def _failed(self, error: BaseException, target: str) -> None:
        with self._engine.connect() as connection:
            reached, now = current_revision(connection), read_state(connection)
        known = known_revisions()
        last = self._done[-1] if self._done else reached
        # Past the newest one the end itself has failed: the commit.
        revision = known[min(known.index(last) + 1, len(known) - 1) if last else 0]
        told = f"The upgrade from {self._start or 'empty'} to {target} failed in revision {revision}:"
        told = f"{told} {reason_of(error).rstrip('.')}."
        if now == self._before and not self._touched():
            raise MigrationError(f"{told} Nothing was changed: the database is as it was.") from error
        try:
            self._go_back(reached)
        except Exception as second:  # noqa: BLE001 - a revision may raise anything
            raise DatabaseChangedError(
                self._stuck(told, f"Going back failed too: {reason_of(second)}")
            ) from error
        if self._touched():
            tables = ", ".join(sorted(self._touched()))
            raise DatabaseChangedError(
                self._stuck(told, f"The schema is as it was, but rows of {tables} were changed")
            ) from error
        raise MigrationError(f"{told} What it had done was undone: the database is as it was.") from error

    def _touched(self) -> set[str]:
        return (self._changed & self._before.tables) - _BOOKKEEPING

    @staticmethod
    def _stuck(told: str, problem: str) -> str:
        return (
            f"{told} {problem}. The database is NOT as it was: restore the snapshot taken before this"
            ' migration (the section "Restore" of the README), or put the cause right and migrate again.'
        )

    def _go_back(self, reached: str | None) -> None:
        logger.info("going back", extra={"from": reached, "to": self._start})
        state = self._states.get(reached, self._before)
        self._in_transaction(lambda connection: remove_additions(connection, state))
        if reached != self._start:
            run(self._engine, command.downgrade, self._start or "base")

        def clean(connection: Connection) -> None:
            remove_additions(connection, self._before)
            restore_rows(connection, self._before)

        self._in_transaction(clean)
        with self._engine.connect() as connection:
            differences = read_state(connection).differences(self._before)
        if differences:
            raise MigrationError(f"not the same as before are {', '.join(differences)}")

    def _in_transaction(self, work: Callable[[Connection], None]) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            work(connection)
