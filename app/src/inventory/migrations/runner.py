"""Brings the database to a revision: safe when two run at once, patient while the database starts."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic import command
from alembic.runtime.migration import MigrationContext
from psycopg import errors as pg
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from inventory.migrations.revisions import alembic_config, known_revisions

logger = logging.getLogger(__name__)

# Any fixed number will do, as long as every release uses the same one.
ADVISORY_LOCK = 4_926_175_830_214_077
# Everybody queues behind a migration that waits for a table lock, so it gives up soon and tries again.
LOCK_TIMEOUT = "5s"
LOCK_ATTEMPTS = 12


class MigrationError(Exception):
    """The migration did not happen; the message says what to do."""


def _engine(url: str) -> Engine:
    return create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "migrate"},
    )


def wait_for_database(engine: Engine, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Returns once the database answers; raises MigrationError when it has not within `seconds`."""
    deadline = time.monotonic() + seconds
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
            sleep(2)
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


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(engine: Engine, action: Callable[..., None], target: str) -> None:
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            with engine.connect() as connection:
                connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
                connection.commit()
                config = alembic_config()
                config.attributes["connection"] = connection
                action(config, target)
                connection.commit()
        except DBAPIError as error:
            if not isinstance(error.orig, pg.LockNotAvailable) or attempt == LOCK_ATTEMPTS:
                raise
            logger.info("a table is in use, trying again", extra={"attempt": attempt})
            time.sleep(1)
        else:
            return


def migrate(url: str, to: str = "head", wait_seconds: float = 120) -> str:
    """Upgrades to `to`, or leaves a database that is there or further already; returns what it did."""
    known = known_revisions()
    target = _resolve(to, known)
    engine = _engine(url)
    wait_for_database(engine, wait_seconds)
    with _alone(engine, wait_seconds):
        with engine.connect() as connection:
            current = current_revision(connection)
        if current is not None and current not in known:
            return f"the schema is at {current}, newer than this build knows; nothing to do"
        if current is not None and known.index(current) >= known.index(target):
            return f"the schema is at {current}; nothing to do"
        _run(engine, command.upgrade, target)
    return f"upgraded the schema from {current or 'empty'} to {target}"


def downgrade(url: str, to: str, wait_seconds: float = 120) -> str:
    """Downgrades to `to` (or `base`: nothing is left); returns what it did."""
    known = known_revisions()
    target = to if to == "base" else _resolve(to, known)
    engine = _engine(url)
    wait_for_database(engine, wait_seconds)
    with _alone(engine, wait_seconds):
        with engine.connect() as connection:
            current = current_revision(connection)
        if current is not None and current not in known:
            raise MigrationError(
                f"This build does not know revision {current}; downgrade with the build that made it."
            )
        if current is None or (target != "base" and known.index(current) <= known.index(target)):
            return f"the schema is at {current or 'base'}; nothing to do"
        _run(engine, command.downgrade, target)
    return f"downgraded the schema from {current} to {target}"


def _resolve(to: str, known: tuple[str, ...]) -> str:
    target = known[-1] if to == "head" else to
    if target not in known:
        raise MigrationError(f"This build has no revision {to!r}; it has {', '.join(known)}.")
    return target
