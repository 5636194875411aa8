"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from inventory.api.routes import audit, health, item_csv, items, locations, movements, stock
from inventory.api.schemas.problems import PROBLEM_RESPONSES
from inventory.core.business_metrics import BusinessMetrics
from inventory.core.config import Settings, load_settings
from inventory.core.database import Database
from inventory.core.lifecycle import Lifecycle
from inventory.core.logs import configure_logging
from inventory.core.metrics import Metrics, PoolCollector
from inventory.core.middleware import RequestMiddleware
from inventory.core.problems import install_problem_handlers
from inventory.core.ratelimit import RateLimiter
from inventory.core.readiness import Readiness
from inventory.core.security import KeyRing


def create_app(settings: Settings, lifecycle: Lifecycle | None = None) -> FastAPI:
    """The application; it connects to nothing before its first request."""
    lifecycle = lifecycle or Lifecycle()
    metrics = Metrics(settings.version, settings.environment)
    database = Database(settings)
    readiness = Readiness(settings, lifecycle)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threads = to_thread.current_default_thread_limiter()
        threads.total_tokens = settings.database_pool_size
        business = BusinessMetrics(database)
        metrics.registry.register(business)
        metrics.registry.register(PoolCollector(lambda: database.pool, threads))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(business.run, settings.business_metrics_interval_seconds)
            yield
            tasks.cancel_scope.cancel()
        database.dispose()
        readiness.dispose()

    app = FastAPI(
        title="Inventory",
        version=settings.version,
        summary="Items, locations, stock levels and movements.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere, which a closed network refuses
        redoc_url=None,
    )
    app.state.database = database
    app.state.metrics = metrics
    app.state.readiness = readiness
    app.state.key_ring = KeyRing(settings.api_keys)
    app.state.rate_limiter = RateLimiter(settings.rate_limit_per_minute)
    app.include_router(health.router)
    for module in (item_csv, items, locations, stock, movements, audit):
        app.include_router(module.router, responses=PROBLEM_RESPONSES)
        _expect_answers(module.router, metrics)
    install_problem_handlers(app)
    app.add_middleware(
        RequestMiddleware,
        metrics=metrics,
        lifecycle=lifecycle,
        version=settings.version,
        max_request_bytes=settings.max_request_bytes,
    )
    return app


def _expect_answers(router: APIRouter, metrics: Metrics) -> None:
    """The first failure of a route that had none before is then seen by what watches a release."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                metrics.expect(method, route.path, route.status_code or 200, 500, 503)
                if method == "POST":
                    metrics.expect(method, route.path, 400, 403, 404, 409, 422, 429)


def app_from_environment() -> FastAPI:
    """For servers that make the application themselves, such as uvicorn with --reload in development."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.version)
    return create_app(settings)
