"""Probes and metrics: no key, no rate limit."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Alive: the process answers")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz", summary="Ready: the database answers and its schema fits", responses={503: {}})
async def readyz(request: Request) -> Response:
    result = await request.app.state.readiness.check()
    request.app.state.metrics.ready.set(int(result.ready))
    body = {"status": "ready" if result.ready else "not ready", "reason": result.reason}
    return JSONResponse(body, 200 if result.ready else 503)


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
