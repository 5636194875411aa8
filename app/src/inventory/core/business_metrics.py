"""Stock as metrics, read by a background task, so that a scrape never waits for the database."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import anyio
from anyio import CapacityLimiter, to_thread
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from inventory.core.database import Database
from inventory.domain.stock import count_low_stock, value_by_location

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Units and value by location, and the number of items at or below their reorder level."""

    locations: Sequence[tuple[str, Decimal, Decimal]]
    low_stock_items: int
    taken_at: float


class BusinessMetrics(Collector):
    """The last snapshot; exports nothing before the first one, so that no false zero is seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limiter = CapacityLimiter(1)
        self._snapshot: Snapshot | None = None

    def refresh(self) -> None:
        rows = self._database.read(value_by_location)
        low = self._database.read(count_low_stock)
        self._snapshot = Snapshot([(row.location, row.units, row.value) for row in rows], low, time.time())

    async def run(self, interval_seconds: float) -> None:
        """Refreshes until cancelled; while the database is away, the last snapshot stays."""
        while True:
            try:
                await to_thread.run_sync(self.refresh, limiter=self._limiter)
            except SQLAlchemyError as error:
                logger.warning("stock metrics not refreshed", extra={"error": type(error).__name__})
            await anyio.sleep(interval_seconds)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        units = GaugeMetricFamily("inventory_stock_units", "Units in stock.", labels=["location"])
        value = GaugeMetricFamily("inventory_stock_value", "Units times present prices.", labels=["location"])
        low = GaugeMetricFamily("inventory_low_stock_items", "Items at or below their reorder level.")
        taken = GaugeMetricFamily(
            "inventory_stock_snapshot_timestamp_seconds", "When the stock metrics were read."
        )
        if (snapshot := self._snapshot) is not None:
            for location, location_units, location_value in snapshot.locations:
                units.add_metric([location], float(location_units))
                value.add_metric([location], float(location_value))
            low.add_metric([], snapshot.low_stock_items)
            taken.add_metric([], snapshot.taken_at)
        return [units, value, low, taken]
