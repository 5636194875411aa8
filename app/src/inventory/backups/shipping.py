"""The process that ships WAL, and what it lets Prometheus read."""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from inventory.backups.vault import Vault
from inventory.backups.wal import GAP, Shipper, Waiting

logger = logging.getLogger("inventory")

_LAG = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots
 WHERE slot_name = %s
"""
_SYSTEM = "SELECT system_identifier FROM pg_control_system()"


class Server:
    """Asks the database about itself; a database that does not answer is no reason to stop shipping."""

    def __init__(self, host: str, user: str, password_file: Path, slot: str, port: int = 5432) -> None:
        self._host, self._user, self._password_file, self._slot = host, user, password_file, slot
        self._port = port

    def system(self) -> str | None:
        found = self._ask(_SYSTEM)
        return None if found is None else str(found)

    def lag(self) -> int | None:
        """Bytes that the server has written and nobody has received yet; None while it cannot be asked."""
        return self._ask(_LAG, self._slot)

    def _ask(self, query: str, *parameters: str) -> int | None:
        try:
            with psycopg.connect(
                host=self._host,
                port=self._port,
                user=self._user,
                dbname="postgres",
                password=self._password_file.read_text("ascii").strip(),
                connect_timeout=5,
                options="-c statement_timeout=5000",
                application_name="ship-wal",
            ) as connection:
                row = connection.execute(query.encode(), parameters).fetchone()
        except (psycopg.Error, OSError):
            return None
        # A slot that has been made and not used holds nothing back, which says nothing of the archive.
        return None if row is None or row[0] is None else int(row[0])


class Gauges:
    """All of them are of the round that ended last."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"technova_wal_{name}", text, registry=registry)

        self.segments = gauge("waiting_segments", "Segments that were received and are not in the store.")
        self.bytes = gauge("waiting_bytes", "Their size.")
        self.oldest = gauge("oldest_waiting_seconds", "How long the oldest of them has waited.")
        self.conflicts = gauge("conflicting_segments", "Segments of which the store has another content.")
        self.shipped = gauge(
            "shipped_timestamp_seconds", "When everything that waited was last in the store."
        )
        self.lag = gauge("receiver_lag_bytes", "WAL that the server holds back for the archive; -1: unknown.")
        self.gap = gauge("gap_timestamp_seconds", "When WAL was last lost before it was received; 0: never.")

    def observe(self, waiting: Waiting, *, shipped: bool, lag: int | None, spool: Path, now: float) -> None:
        self.segments.set(waiting.segments)
        self.bytes.set(waiting.bytes)
        self.oldest.set(waiting.oldest_seconds)
        self.conflicts.set(len(waiting.conflicts))
        self.lag.set(-1 if lag is None else max(0, lag))
        gap = spool / GAP
        self.gap.set(gap.stat().st_mtime if gap.exists() else 0)
        if shipped:
            self.shipped.set(now)


def run_shipper(arguments: argparse.Namespace, vault: Callable[[], Vault]) -> None:
    """Ships until SIGTERM; what is under way then is shipped to its end, or again by the next run."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    registry = CollectorRegistry()
    gauges = Gauges(registry)
    server = Server(arguments.database_host, arguments.database_user, arguments.password_file, arguments.slot)

    def observe(waiting: Waiting, shipped: bool) -> None:
        gauges.observe(waiting, shipped=shipped, lag=server.lag(), spool=arguments.spool, now=time.time())

    start_http_server(arguments.port, registry=registry)
    logger.info("shipping WAL from %s", arguments.spool)
    Shipper(vault, arguments.spool, server.system, observe, stop, arguments.interval).run()
