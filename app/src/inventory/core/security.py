"""API keys and what their roles may do."""

import hashlib
from collections.abc import Iterable
from http import HTTPStatus

from inventory.core.config import ApiKey, Role
from inventory.core.context import Principal
from inventory.core.problems import Problem

_RANK = {Role.READER: 0, Role.CLERK: 1, Role.ADMIN: 2}


def hash_key(key: str) -> str:
    """The SHA-256 that the settings hold for a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyRing:
    """Finds the holder of a key by its hash, so the time taken says nothing about any key."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._holders = {key.sha256: Principal(key.name, key.role) for key in keys}

    def authenticate(self, key: str | None) -> Principal:
        """Raises a 401 problem without a known key."""
        principal = self._holders.get(hash_key(key)) if key else None
        if principal is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "Send a valid key in the X-API-Key header.",
                headers={"WWW-Authenticate": 'ApiKey header="X-API-Key"'},
            )
        return principal


def authorize(principal: Principal, needed: Role) -> None:
    """Raises a 403 problem when the role is below the one needed."""
    if _RANK[principal.role] < _RANK[needed]:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"This needs the role {needed}; the key {principal.name!r} has {principal.role}.",
        )
