"""What the service tells Prometheus."""

from collections.abc import Callable, Iterable

from anyio import CapacityLimiter
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import QueuePool

# Without them, the _created series would double what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]

# Dense around the service's own latencies, so that a p95 read from it is close.
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry an application, so that tests can have several."""

    def __init__(self, version: str, environment: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        labels = ("method", "route", "status")
        self.requests = Counter("http_requests", "Requests answered.", labels, registry=registry)
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's arrival to the end of its answer.",
            labels,
            buckets=_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered.", registry=registry)
        self.exceptions = Counter(
            "http_exceptions",
            "Requests that ended in an unexpected error.",
            ("method", "route"),
            registry=registry,
        )
        self.rate_limited = Counter(
            "inventory_rate_limited", "Requests over the rate limit.", registry=registry
        )
        self.movements = Counter("inventory_movements", "Movements recorded.", ("kind",), registry=registry)
        self.rejected = Counter(
            "inventory_movements_rejected",
            "Movements refused, by problem.",
            ("kind", "reason"),
            registry=registry,
        )
        self.replayed = Counter(
            "inventory_movements_replayed",
            "Movements sent again with the same key.",
            ("kind",),
            registry=registry,
        )
        for kind in ("receipt", "issue", "transfer", "adjustment"):
            self.movements.labels(kind)
            self.rejected.labels(kind, "insufficient-stock")
        self.ready = Gauge("inventory_ready", "1 when the last readiness check passed.", registry=registry)
        info = Gauge("inventory_build_info", "Always 1.", ("version", "environment"), registry=registry)
        info.labels(version, environment).set(1)

    def expect(self, method: str, route: str, *statuses: int) -> None:
        """Counts answers from 0 on: a series that begins with its first answer has no increase by it."""
        for status in statuses:
            self.requests.labels(method, route, status)


class PoolCollector(Collector):
    """Reads the connection pool at the moment of the scrape."""

    def __init__(self, pool: Callable[[], QueuePool], threads: CapacityLimiter) -> None:
        self._pool = pool
        self._threads = threads

    def collect(self) -> Iterable[GaugeMetricFamily]:
        pool = self._pool()
        yield _gauge("inventory_db_pool_size", "Connections the pool may hold.", pool.size())
        yield _gauge("inventory_db_pool_in_use", "Connections that requests hold.", pool.checkedout())
        yield _gauge("inventory_db_pool_idle", "Open connections that wait for a request.", pool.checkedin())
        waiting = self._threads.statistics().tasks_waiting
        yield _gauge(
            "inventory_db_pool_waiting", "Requests that wait for a worker thread and its connection.", waiting
        )


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
