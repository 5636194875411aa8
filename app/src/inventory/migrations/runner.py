"""Brings the database to a revision: safe when two run at once, patient while the database starts."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from inventory.migrations.in_use import refuse_contract
from inventory.migrations.loss import losses, refuse_loss
from inventory.migrations.revisions import MigrationError, known_revisions
from inventory.migrations.upgrade import Upgrade, current_revision, reason_of, run

__all__ = ["MigrationError", "check_downgrade", "check_migrate", "downgrade", "make_engine", "migrate"]

logger = logging.getLogger(__name__)

# Any fixed number will do, as long as every release uses the same one.
ADVISORY_LOCK = 4_926_175_830_214_077


@dataclass(frozen=True, slots=True)
class Change:
    """What brings a database from one revision to another."""

    current: str | None
    target: str
    # On the way; none if there is nothing to do.
    revisions: tuple[str, ...]
    future: str
    past: str

    @property
    def needed(self) -> bool:
        return bool(self.revisions)


def make_engine(url: str) -> Engine:
    return create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "migrate"},
    )


def wait_for_database(engine: Engine, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Returns once the database answers; raises MigrationError when it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    # A Pod is let through to the database a moment after it has started.
    pause = 0.2
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[-1]
            if time.monotonic() >= deadline:
                raise MigrationError(
                    f"The database did not answer within {seconds:g} s ({reason}); check that it runs,"
                    " and the host, user and password in INVENTORY_DATABASE_URL."
                ) from None
            logger.info("waiting for the database", extra={"reason": reason})
            sleep(pause)
            pause = min(2, 2 * pause)
        else:
            return


@contextmanager
def _alone(engine: Engine, seconds: float) -> Iterator[None]:
    """Holds the advisory lock. It polls: concurrent index builds wait for every older statement, so a session
    that waited for the lock inside one would stop the very migration it waits for."""
    deadline = time.monotonic() + seconds
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}):
            if time.monotonic() >= deadline:
                raise MigrationError(
                    f"Another migration has run for over {seconds:g} s; look at its Job, then try again."
                )
            logger.info("waiting for another migration to finish")
            time.sleep(1)
        yield
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def check_migrate(
    url: str, to: str = "head", wait_seconds: float = 120, in_use: Sequence[str] = ()
) -> Change:
    """What `migrate` would do, which is refused if a version in use could not bear it. Changes nothing."""
    engine = make_engine(url)
    wait_for_database(engine, wait_seconds)
    with engine.connect() as connection:
        return _upgrade(connection, to, in_use)


def migrate(url: str, to: str = "head", wait_seconds: float = 120, in_use: Sequence[str] = ()) -> str:
    """
    Upgrades to `to`, or leaves a database that is there or further already; returns what it did.

    :param in_use: schema revisions that the versions need which serve or can come back
    """
    engine = make_engine(url)
    wait_for_database(engine, wait_seconds)
    with _alone(engine, wait_seconds):
        with engine.connect() as connection:
            change = _upgrade(connection, to, in_use)
        if change.needed:
            Upgrade(engine).to(change.target)
    return change.past


def check_downgrade(url: str, to: str, wait_seconds: float = 120, *, keep_data: bool = False) -> Change:
    """What `downgrade` would do, which is refused where it may not lose data and would. Changes nothing."""
    engine = make_engine(url)
    wait_for_database(engine, wait_seconds)
    with engine.connect() as connection:
        return _downgrade(connection, to, keep_data=keep_data)


def downgrade(url: str, to: str, wait_seconds: float = 120, *, keep_data: bool = False) -> str:
    """
    Downgrades to `to` (or `base`: nothing is left); returns what it did.

    :param keep_data: refuse it where rows would lose something
    """
    engine = make_engine(url)
    wait_for_database(engine, wait_seconds)
    with _alone(engine, wait_seconds):
        with engine.connect() as connection:
            change = _downgrade(connection, to, keep_data=keep_data)
        if change.needed:
            try:
                run(engine, command.downgrade, change.target)
            except DBAPIError as error:
                raise MigrationError(
                    f"The downgrade from {change.current} to {change.target} failed: {reason_of(error)}."
                    " Look at `inventory migrate --check` for where it is, then try again."
                ) from error
    return change.past


def _upgrade(connection: Connection, to: str, in_use: Sequence[str]) -> Change:
    known = known_revisions()
    target = _resolve(to, known)
    current = current_revision(connection)
    if current is not None and current not in known:
        newer = f"the schema is at {current}, newer than this build knows; nothing to do"
        return Change(current, target, (), newer, newer)
    pending = known[known.index(current) + 1 if current else 0 : known.index(target) + 1]
    if not pending:
        there = f"the schema is at {current}; nothing to do"
        return Change(current, target, (), there, there)
    refuse_contract(pending, in_use, known)
    way = f"the schema from {current or 'empty'} to {target}"
    return Change(current, target, pending, f"would upgrade {way}", f"upgraded {way}")


def _downgrade(connection: Connection, to: str, *, keep_data: bool) -> Change:
    known = known_revisions()
    target = to if to == "base" else _resolve(to, known)
    current = current_revision(connection)
    if current is not None and current not in known:
        raise MigrationError(
            f"This build does not know revision {current}; downgrade with the build that made it."
        )
    first = 0 if target == "base" else known.index(target) + 1
    undone = known[first : known.index(current) + 1] if current else ()
    if not undone:
        there = f"the schema is at {current or 'base'}; nothing to do"
        return Change(current, target, (), there, there)
    if keep_data:
        refuse_loss(target, losses(connection, undone))
    way = f"the schema from {current} to {target}"
    return Change(current, target, undone, f"would downgrade {way}", f"downgraded {way}")


def _resolve(to: str, known: tuple[str, ...]) -> str:
    target = known[-1] if to == "head" else to
    if target not in known:
        raise MigrationError(f"This build has no revision {to!r}; it has {', '.join(known)}.")
    return target
