"""Realistic mixed traffic: mostly reads, a steady stream of movements, now and then a report or an export.

    pip install --require-hashes -r requirements-load.lock
    LOAD_ADMIN_KEY=... LOAD_CLERK_KEY=... LOAD_READER_KEY=... locust -f load/locustfile.py --host http://127.0.0.1:8080

It first makes what the traffic needs: 3 locations and LOAD_ITEMS items (default 200), all named LOAD-*.
"""

import json
import os
import random
import sys
import urllib.error
import urllib.request
import uuid
from http import HTTPStatus

from locust import FastHttpUser, between, events, task
from locust.env import Environment

ITEMS = int(os.environ.get("LOAD_ITEMS", "200"))
LOCATIONS = ("LOAD-MAIN", "LOAD-SHOP", "LOAD-TRANSIT")
SKUS = tuple(f"LOAD-{number:05}" for number in range(ITEMS))
WORDS = ("bolt", "nut", "washer", "hinge", "bracket", "screw")


_missing = [name for role in ("ADMIN", "CLERK", "READER") if not os.environ.get(name := f"LOAD_{role}_KEY")]
if _missing:
    sys.exit(f"locustfile: set {', '.join(_missing)} to keys of these roles")


def _key(role: str) -> dict[str, str]:
    return {"X-API-Key": os.environ[f"LOAD_{role}_KEY"]}


def _pick_sku() -> str:
    """Few items make most of the traffic, so that writers really meet."""
    return SKUS[min(int(random.paretovariate(1.2)) - 1, ITEMS - 1)]


@events.test_start.add_listener
def prepare(environment: Environment, **_: object) -> None:
    """Before the first user starts; does no harm where everything is there."""
    for code in LOCATIONS:
        _send(
            environment,
            "/api/v1/locations",
            "application/json",
            json.dumps({"code": code, "name": "Load test"}),
        )
    lines = [f"{sku},{WORDS[n % len(WORDS)]} {n},load,20,{n % 50}.50" for n, sku in enumerate(SKUS)]
    table = "\n".join(["sku,name,category,reorder_level,price", *lines])
    _send(environment, "/api/v1/items.csv", "text/csv", table)


def _send(environment: Environment, path: str, media_type: str, body: str) -> None:
    headers = _key("ADMIN") | {"Content-Type": media_type}
    request = urllib.request.Request(f"{environment.host}{path}", body.encode(), headers)  # noqa: S310 - --host
    try:
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.CONFLICT:
            raise


class Admin(FastHttpUser):
    """One person who keeps the master data."""

    fixed_count = 1
    wait_time = between(5, 15)

    @task
    def change_price(self) -> None:
        path = f"/api/v1/items/{_pick_sku()}"
        answer = self.client.get(path, headers=_key("ADMIN"), name="/api/v1/items/{sku}")
        if answer.status_code != HTTPStatus.OK:
            return
        headers = _key("ADMIN") | {"If-Match": str(answer.headers["ETag"])}
        body = {"price": f"{random.randint(1, 99)}.95"}
        self.client.patch(path, json=body, headers=headers, name="/api/v1/items/{sku}")

    @task
    def audit(self) -> None:
        self.client.get("/api/v1/audit?entity=items", headers=_key("ADMIN"), name="/api/v1/audit")


class Clerk(FastHttpUser):
    """People at scanners: receipts, issues and transfers, some of them refused for want of stock."""

    weight = 3
    wait_time = between(0.2, 1)

    def _move(self, **movement: object) -> None:
        body = {"sku": _pick_sku(), "quantity": random.randint(1, 5), **movement}
        headers = _key("CLERK") | {"Idempotency-Key": uuid.uuid4().hex}
        name = f"/api/v1/movements ({movement['kind']})"
        with self.client.post(
            "/api/v1/movements", json=body, headers=headers, name=name, catch_response=True
        ) as answer:
            if answer.status_code == HTTPStatus.CONFLICT:  # not enough in stock: an ordinary answer
                answer.success()

    @task(5)
    def receipt(self) -> None:
        self._move(kind="receipt", destination=LOCATIONS[0], quantity=random.randint(5, 50))

    @task(8)
    def issue(self) -> None:
        self._move(kind="issue", source=LOCATIONS[1])

    @task(6)
    def transfer(self) -> None:
        source, destination = random.sample(LOCATIONS, 2)
        self._move(kind="transfer", source=source, destination=destination)


class Reader(FastHttpUser):
    """People and other programs that look things up."""

    weight = 7
    wait_time = between(0.1, 0.8)

    def _get(self, path: str, name: str | None = None) -> None:
        self.client.get(f"/api/v1{path}", headers=_key("READER"), name=f"/api/v1{name or path}")

    @task(10)
    def stock(self) -> None:
        self._get(f"/items/{_pick_sku()}/stock", "/items/{sku}/stock")

    @task(6)
    def search(self) -> None:
        self._get(f"/items?q={random.choice(WORDS)}&limit=20", "/items?q=")

    @task(3)
    def history(self) -> None:
        self._get(f"/movements?sku={_pick_sku()}&limit=20", "/movements?sku=")

    @task(1)
    def low_stock(self) -> None:
        self._get("/reports/low-stock")

    @task(1)
    def valuation(self) -> None:
        self._get("/reports/valuation")
