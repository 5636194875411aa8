"""Names of snapshots: when, at which schema revision, and before which version."""

import re
from datetime import UTC, datetime

PATTERN = re.compile(r"inventory-[0-9]{8}T[0-9]{6}Z-(?:[0-9]{4}|none)-[0-9A-Za-z.+-]{1,63}\.dump")
CHECKSUM = ".sha256"


def snapshot_name(at: datetime, revision: str | None, version: str) -> str:
    """Names sort by time. `version` is cut down to what a file name may have."""
    safe = re.sub(r"[^0-9A-Za-z.+-]", "-", version)[:63] or "0.0.0"
    return f"inventory-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{revision or 'none'}-{safe}.dump"


def superfluous(names: list[str], retain: int) -> list[str]:
    """The oldest snapshots beyond `retain`; what is not named like one is never among them."""
    own = sorted(name for name in names if PATTERN.fullmatch(name))
    return own[: max(0, len(own) - retain)]
