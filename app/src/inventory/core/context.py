"""Who is asking, and under which request id: known to logs, audit trail and rate limit alike."""

from contextvars import ContextVar
from dataclasses import dataclass

from inventory.core.config import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of an API key."""

    name: str
    role: Role


request_id: ContextVar[str] = ContextVar("request_id", default="")
