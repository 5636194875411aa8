"""Connections and transactions.

Synchronous SQLAlchemy on worker threads, one thread per pooled connection: measured side by side it took a
third less processor time a request than the asyncio engine, a client that hangs up cannot cancel a
transaction half-way, and the queue for a thread is the queue for a connection, so one number shows it.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import TypeVar

from psycopg import errors as pg
from sqlalchemy import Engine, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory.core import context
from inventory.core.config import Settings
from inventory.core.context import Principal

logger = logging.getLogger(__name__)

ATTEMPTS = 4
T = TypeVar("T")
_TRANSIENT = (pg.DeadlockDetected, pg.SerializationFailure)

_SET_ACTOR = text(
    "SELECT set_config('inventory.actor', :actor, true), set_config('inventory.role', :role, true),"
    " set_config('inventory.request_id', :request_id, true)"
)


def make_engine(settings: Settings, *, pool_size: int, name: str) -> Engine:
    """An engine whose sessions give up a statement, a lock or an idle transaction in bounded time.

    Autocommit unless a connection is told otherwise: single statements need no BEGIN and ROLLBACK around
    them, and switching the mode for each read took nearly as much processor time as the read.
    """
    milliseconds = int(settings.statement_timeout_seconds * 1000)
    options = {
        "statement_timeout": str(milliseconds),
        "lock_timeout": str(milliseconds),
        "idle_in_transaction_session_timeout": str(milliseconds),
        "timezone": "UTC",
    }
    return create_engine(
        settings.database_url.get_secret_value(),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=settings.database_timeout_seconds,
        pool_recycle=1800,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        json_deserializer=partial(json.loads, parse_float=Decimal),
        connect_args={
            "connect_timeout": max(1, round(settings.database_timeout_seconds)),
            "application_name": name,
            "options": " ".join(f"-c {key}={value}" for key, value in options.items()),
        },
    )


class Database:
    """The pool that requests share."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings, pool_size=settings.database_pool_size, name="inventory")
        self._writes = self.engine.execution_options(isolation_level="READ COMMITTED")

    @property
    def pool(self) -> QueuePool:
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):  # pragma: no cover - create_engine makes no other for PostgreSQL
            raise TypeError(type(pool).__name__)
        return pool

    @contextmanager
    def _transaction(self, principal: Principal) -> Iterator[Session]:
        with Session(self._writes, expire_on_commit=False) as session, session.begin():
            session.execute(
                _SET_ACTOR,
                {
                    "actor": principal.name,
                    "role": principal.role.value,
                    "request_id": context.request_id.get(),
                },
            )
            yield session

    def read(self, work: Callable[[Session], T]) -> T:
        """Runs single-statement reads; once more on a new connection when the database had gone away."""

        def attempt() -> T:
            with Session(self.engine, expire_on_commit=False) as session:
                return work(session)

        return _retrying(attempt, may_repeat=lambda: True)

    def write(self, principal: Principal, work: Callable[[Session], T], *, repeatable: bool = False) -> T:
        """Runs a transaction that the audit trail ascribes to `principal`.

        A deadlock or serialization failure is rolled back by the database, so it is tried again. So is a lost
        connection, when the work had not begun. Later it may have been lost after the commit; then only work
        that recognises its own earlier success, as `repeatable` says, is tried again.
        """
        began = False

        def attempt() -> T:
            nonlocal began
            began = False
            with self._transaction(principal) as session:
                began = True
                return work(session)

        return _retrying(attempt, may_repeat=lambda: repeatable or not began)

    def dispose(self) -> None:
        self.engine.dispose()


def _retrying(attempt: Callable[[], T], *, may_repeat: Callable[[], bool]) -> T:
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except DBAPIError as error:
            lost = error.connection_invalidated and may_repeat()
            if not (lost or isinstance(error.orig, _TRANSIENT)):
                raise
            logger.info(
                "transaction tried again", extra={"attempt": number, "error": type(error.orig).__name__}
            )
            time.sleep(random.uniform(0.005, 0.02) * number)  # noqa: S311  # nosec B311
    return attempt()
