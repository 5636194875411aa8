"""Talking to the service as its clients do."""

import itertools
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from inventory.core.config import ApiKey, Role, Settings
from inventory.core.security import hash_key

KEYS = {role: f"test-{role}-key-0123456789abcdef0123456789" for role in Role}
_numbers = itertools.count(1)


def make_settings(database_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": database_url,
        "api_keys": [ApiKey(name=str(role), role=role, sha256=hash_key(key)) for role, key in KEYS.items()],
        "database_pool_size": 8,
        "version": "9.8.7",
        "rate_limit_per_minute": 0,
        "shutdown_delay_seconds": 0.5,
    }
    return Settings(**(values | changes))


def unique(prefix: str) -> str:
    """A name that no other test uses, so that tests can share a database."""
    return f"{prefix}-{next(_numbers)}"


@dataclass(frozen=True)
class Api:
    """The service seen by the holder of one key."""

    client: TestClient
    key: str | None = KEYS[Role.ADMIN]

    def holding(self, role: Role | None) -> "Api":
        return Api(self.client, KEYS[role] if role else None)

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> Response:
        sent = {"X-API-Key": self.key} if self.key else {}
        return self.client.request(method, path, headers=sent | (headers or {}), **options)

    def get(self, path: str, **options: Any) -> Response:
        return self.send("GET", f"/api/v1{path}", **options)

    def post(self, path: str, body: object = None, **options: Any) -> Response:
        return self.send("POST", f"/api/v1{path}", json=body, **options)

    def patch(self, path: str, body: object, **options: Any) -> Response:
        return self.send("PATCH", f"/api/v1{path}", json=body, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.send("DELETE", f"/api/v1{path}", **options)

    def item(self, **changes: Any) -> str:
        """Creates an item; returns its SKU."""
        body = {"sku": unique("SKU"), "name": "Bolt", "category": "fasteners", "price": "1.50"} | changes
        response = self.post("/items", body)
        assert response.status_code == 201, response.text
        return str(response.json()["sku"])

    def location(self, **changes: Any) -> str:
        """Creates a location; returns its code."""
        response = self.post("/locations", {"code": unique("LOC"), "name": "Shelf"} | changes)
        assert response.status_code == 201, response.text
        return str(response.json()["code"])

    def move(self, kind: str, sku: str, *, key: str | None = None, **fields: Any) -> Response:
        headers = {"Idempotency-Key": key or unique("key")}
        return self.post("/movements", {"kind": kind, "sku": sku, **fields}, headers=headers)

    def receive(self, sku: str, location: str, quantity: object) -> None:
        response = self.move("receipt", sku, destination=location, quantity=quantity)
        assert response.status_code == 201, response.text

    def stock(self, sku: str) -> dict[str, str]:
        rows = self.get(f"/items/{sku}/stock").json()["locations"]
        return {row["location"]: row["quantity"] for row in rows}


def slug(response: Response) -> str:
    """The kind of a problem; fails when the answer is none."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    return str(body["type"]).removeprefix("urn:inventory:problem:")
