"""Opaque cursors for keyset pagination."""

import base64
import binascii
import json
from http import HTTPStatus

from inventory.core.problems import Problem

CursorValue = str | int


def encode_cursor(sort: str, *values: CursorValue) -> str:
    """`values` are the sort key of the last row sent; `sort` ties the cursor to the order it came from."""
    return base64.urlsafe_b64encode(json.dumps([sort, *values]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, *kinds: type[CursorValue]) -> tuple[CursorValue, ...]:
    """The values again; raises a 400 problem for a cursor that is damaged or from another order."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        decoded = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        decoded = None
    if not (
        isinstance(decoded, list)
        and len(decoded) == len(kinds) + 1
        and decoded[0] == sort
        and all(type(value) is kind for value, kind in zip(decoded[1:], kinds, strict=True))
    ):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "invalid-cursor",
            "This cursor was not made for this list and order; start again without `cursor`.",
        )
    return tuple(decoded[1:])
