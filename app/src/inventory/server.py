"""Runs the application in one process, and stops it without losing a request."""

import asyncio
import logging
import signal
from types import FrameType

import uvicorn

from inventory.core.config import Settings
from inventory.core.lifecycle import Lifecycle
from inventory.main import create_app

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """At SIGTERM: not ready at once; still answering for the delay, while gateways notice; then no new
    connections, and what is in flight ends; then out. A second signal skips the delay, a third the rest."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, delay_seconds: float) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._delay = delay_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not remembered as uvicorn does it: it would raise the signal again and end with an error code.
        if self.should_exit:
            self.force_exit = True
        elif self._lifecycle.draining or self._loop is None or not self.started:
            self.should_exit = True
        else:
            self._lifecycle.draining = True
            self._loop.call_soon_threadsafe(self._drain, signal.Signals(sig).name)

    def _drain(self, name: str) -> None:
        logger.info("draining", extra={"signal": name, "delay_seconds": self._delay})
        loop = asyncio.get_running_loop()
        loop.call_later(self._delay, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def serve(settings: Settings) -> int:
    """Serves until it is told to stop; returns the process's exit code."""
    lifecycle = Lifecycle()
    config = uvicorn.Config(
        create_app(settings, lifecycle),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than gateways keep idle connections, so that they close them first
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )
    server = DrainingServer(config, lifecycle, settings.shutdown_delay_seconds)
    server.run()
    return 0 if server.started else 3
