"""Whether this process should get traffic."""

import time
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from inventory.core.config import Settings, SettingsError
from inventory.core.database import make_engine
from inventory.core.lifecycle import Lifecycle
from inventory.migrations.revisions import SchemaCheck, check_schema, known_revisions

_QUERY = text(
    "SELECT v.version_num, s.compatible_from FROM alembic_version v"
    " LEFT JOIN schema_revisions s ON s.revision = v.version_num"
)
CACHE_SECONDS = 1.0


class Readiness:
    """Has a connection and a thread of its own: a pod that is busy is still ready, and is not taken out."""

    def __init__(
        self, settings: Settings, lifecycle: Lifecycle, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._known = known_revisions()
        self._expected = settings.expected_schema_revision or self._known[-1]
        if self._expected not in self._known:
            raise SettingsError(
                f"INVENTORY_EXPECTED_SCHEMA_REVISION is {self._expected};"
                f" this build knows {', '.join(self._known)}."
            )
        self._engine = make_engine(settings, pool_size=1, name="inventory-readiness")
        self._lifecycle = lifecycle
        self._limiter = CapacityLimiter(1)
        self._clock = clock
        self._cached: tuple[float, SchemaCheck] | None = None

    async def check(self) -> SchemaCheck:
        result = await to_thread.run_sync(self._cached_schema, limiter=self._limiter)
        # Looked at last: draining may have begun while the database was asked.
        return SchemaCheck(False, "shutting down") if self._lifecycle.draining else result

    def _cached_schema(self) -> SchemaCheck:
        if self._cached is None or self._clock() - self._cached[0] >= CACHE_SECONDS:
            result = self._schema()
            self._cached = (self._clock(), result)
        return self._cached[1]

    def _schema(self) -> SchemaCheck:
        # The second try is for a pooled connection that broke while nobody used it.
        for last_try in (False, True):
            try:
                with self._engine.connect() as connection:
                    row = connection.execute(_QUERY).one_or_none()
            except SQLAlchemyError as error:
                if "UndefinedTable" in type(getattr(error, "orig", None)).__name__:
                    return check_schema(self._known, self._expected, None, None)
                if last_try or not getattr(error, "connection_invalidated", False):
                    return SchemaCheck(False, "the database cannot be reached")
            else:
                current, compatible_from = (
                    (row.version_num, row.compatible_from) if row is not None else (None, None)
                )
                return check_schema(self._known, self._expected, current, compatible_from)
        return SchemaCheck(False, "the database cannot be reached")  # pragma: no cover - the loop returns

    def dispose(self) -> None:
        self._engine.dispose()
