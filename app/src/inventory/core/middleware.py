"""What happens around every request: its id, size limit, metrics, log line, and answers to the unexpected."""

import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.core import context
from inventory.core.lifecycle import Lifecycle
from inventory.core.metrics import Metrics
from inventory.core.problems import Problem, problem_response

logger = logging.getLogger("inventory.request")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "request-too-large",
        f"At most {limit} bytes are taken; send less at once.",
    )


class RequestMiddleware:
    """Plain ASGI: it costs tens of microseconds, and leaves streaming alone."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, lifecycle: Lifecycle, version: str, max_request_bytes: int
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._lifecycle = lifecycle
        self._version = version
        self._max_bytes = max_request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        context.request_id.set(request_id)
        status = 0

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                outgoing = MutableHeaders(scope=message)
                outgoing["X-Request-ID"] = request_id
                outgoing["X-Inventory-Version"] = self._version
                if self._lifecycle.draining:
                    # The gateway opens its next connection to another pod.
                    outgoing["Connection"] = "close"
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._answer(scope, headers, receive, counted_send)
        except Exception:
            self._metrics.exceptions.labels(self._method(scope), _route(scope)).inc()
            logger.exception("unexpected error", extra={"method": scope["method"], "path": scope["path"]})
            if status:  # half of an answer is out: cutting the connection is the only honest end
                raise
            response = problem_response(
                500, "internal-error", "An unexpected error happened; report the request_id to the operators."
            )
            await response(scope, receive, counted_send)
        finally:
            self._metrics.in_flight.dec()
            self._record(scope, status, time.perf_counter() - started)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            problem = _too_large(self._max_bytes)
            # The body stays unread, so the connection cannot be used again.
            response = problem_response(
                problem.status_code, problem.slug, problem.detail, headers={"Connection": "close"}
            )
            await response(scope, receive, send)
            return
        received = 0

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise _too_large(self._max_bytes)
            return message

        await self.app(scope, limited_receive, send)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = self._method(scope), _route(scope)
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.duration.labels(method, route, status).observe(seconds)
        level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
        if logger.isEnabledFor(level):
            principal = scope.get("state", {}).get("principal")
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 2),
                "principal": principal.name if principal else None,
            }
            logger.log(level, "request", extra=fields)

    @staticmethod
    def _method(scope: Scope) -> str:
        """Only known methods become labels: a caller must not be able to make up series."""
        return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Scope) -> str:
    """The path as it is declared, such as /api/v1/items/{sku}."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
