"""A token bucket per caller, in this process: the limit counts per pod."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000  # bounds memory when strangers come from ever new addresses


class RateLimiter:
    """Allows `per_minute` requests a minute and caller, with a burst of a sixth of it; 0 allows all."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._rate = per_minute / 60
        self._burst = max(1.0, per_minute / 6)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def retry_after(self, caller: str) -> int:
        """Takes one token; returns 0, or the whole seconds to wait when there is none left."""
        if self.per_minute == 0:
            return 0
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (self._burst, now))
        tokens = min(self._burst, tokens + (now - seen) * self._rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - tokens) / self._rate)
