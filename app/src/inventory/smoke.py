"""Checks a running service from outside, as a client sees it."""

import json
import ssl
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

SKU, LOCATION = "SMOKE-TEST", "SMOKE-TEST"


class SmokeTestError(Exception):
    """A check failed; the message says which, and what came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Client:
    """Sends JSON; answers of every status come back."""

    url: str
    api_key: str | None
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        request = urllib.request.Request(
            self.url.rstrip("/") + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        if self.api_key is not None:
            request.add_header("X-API-Key", self.api_key)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.context) as response:  # nosec B310
                return _answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, dict(error.headers), error.read())
        except OSError as error:
            raise SmokeTestError(
                f"{method} {path}: no answer ({error}); check the URL and the gateway."
            ) from None


def _answer(status: int, headers: dict[str, str], content: bytes) -> Answer:
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content.decode(errors="replace")[:200]
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _expect(what: str, answer: Answer, *statuses: int) -> Answer:
    if answer.status not in statuses:
        raise SmokeTestError(
            f"{what}: expected {' or '.join(map(str, statuses))}, got {answer.status}: {answer.body}"
        )
    print(f"ok  {what}")
    return answer


def run_smoke_test(
    url: str,
    *,
    api_key: str | None,
    expect_version: str | None,
    write: bool,
    ca_file: Path | None,
    wait_seconds: float = 0.0,
) -> None:
    """Raises SmokeTestError at the first check that fails. Only `write` leaves anything behind: an item and a
    location named SMOKE-TEST with no stock. For `wait_seconds`, no answer at all is no failure yet."""
    if not url.startswith(("http://", "https://")):
        raise SmokeTestError(f"--url {url!r} must begin with http:// or https://.")
    if write and api_key is None:
        raise SmokeTestError("--write needs an admin key: --api-key-file or INVENTORY_SMOKE_API_KEY.")
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    stranger, client = Client(url, None, context), Client(url, api_key, context)
    _await_answer(stranger, wait_seconds)

    refused = _expect("without a key the API refuses", stranger.send("GET", "/api/v1/items?limit=1"), 401)
    if not refused.headers.get("content-type", "").startswith("application/problem+json"):
        raise SmokeTestError(
            f"the refusal is {refused.headers.get('content-type')}, not application/problem+json."
        )
    version = refused.headers.get("x-inventory-version")
    if expect_version is not None and version != expect_version:
        raise SmokeTestError(f"version {version} answers, not {expect_version}.")
    print(f"ok  version {version}")
    if api_key is not None:
        _expect("items can be listed", client.send("GET", "/api/v1/items?limit=1"), 200)
        _expect("locations can be listed", client.send("GET", "/api/v1/locations?limit=1"), 200)
    if write:
        _write(client)


def _await_answer(client: Client, seconds: float) -> None:
    """Network policies know the address of a new Pod, and so where it may go, only after it has started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            client.send("GET", "/healthz")
        except SmokeTestError:
            time.sleep(0.2)
        else:
            return


def _write(client: Client) -> None:
    item = {"sku": SKU, "name": "Smoke test", "category": "test", "price": "1.00"}
    _expect("an item is there", client.send("POST", "/api/v1/items", item), 201, 409)
    _expect(
        "a location is there",
        client.send("POST", "/api/v1/locations", {"code": LOCATION, "name": "Smoke test"}),
        201,
        409,
    )
    key = uuid.uuid4().hex
    receipt = {"kind": "receipt", "sku": SKU, "destination": LOCATION, "quantity": "1"}
    first = _expect("a receipt is recorded", _move(client, receipt, key), 201)
    again = _expect("the same receipt again changes nothing", _move(client, receipt, key), 201)
    if first.body != again.body:
        raise SmokeTestError(f"a repeated request got another result: {first.body} and {again.body}.")
    stock = _expect("stock can be read", client.send("GET", f"/api/v1/items/{SKU}/stock"), 200)
    if Decimal(stock.body["total"]) < 1:
        raise SmokeTestError(f"the receipt is missing in the stock: {stock.body}.")
    issue = {"kind": "issue", "sku": SKU, "source": LOCATION, "quantity": "1"}
    _expect("an issue is recorded", _move(client, issue, uuid.uuid4().hex), 201)


def _move(client: Client, movement: dict[str, str], key: str) -> Answer:
    return client.send("POST", "/api/v1/movements", movement, {"Idempotency-Key": key})
