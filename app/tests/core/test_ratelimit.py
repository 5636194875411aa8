from hypothesis import given
from hypothesis import strategies as st

from inventory.core import ratelimit
from inventory.core.ratelimit import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_zero_allows_all() -> None:
    limiter = RateLimiter(0, Clock())
    assert not any(limiter.retry_after("a") for _ in range(1000))


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(60, clock)
    assert [limiter.retry_after("a") for _ in range(11)] == [0] * 10 + [1]
    assert limiter.retry_after("b") == 0
    clock.now = 1.0
    assert [limiter.retry_after("a"), limiter.retry_after("a")] == [0, 1]
    assert RateLimiter(1, clock).retry_after("a") == 0


def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    limiter = RateLimiter(7, clock)
    while not (wait := limiter.retry_after("a")):
        pass
    clock.now += wait
    assert limiter.retry_after("a") == 0


def test_memory_is_bounded() -> None:
    limiter = RateLimiter(6, Clock())
    limiter.retry_after("first")
    assert limiter.retry_after("first") > 0
    for number in range(ratelimit.MAX_CALLERS):
        limiter.retry_after(str(number))
    assert limiter.retry_after("first") == 0  # forgotten, in favour of later callers


@given(steps=st.lists(st.floats(min_value=0, max_value=20), max_size=60), per_minute=st.integers(1, 600))
def test_never_more_than_burst_and_rate_allow(steps: list[float], per_minute: int) -> None:
    clock = Clock()
    limiter = RateLimiter(per_minute, clock)
    allowed = 0
    for step in steps:
        clock.now += step
        allowed += limiter.retry_after("a") == 0
    assert allowed <= max(1, per_minute / 6) + clock.now * per_minute / 60 + 1e-6
