"""Whether this process still takes traffic."""

from dataclasses import dataclass


@dataclass(slots=True)
class Lifecycle:
    """`draining` turns true at SIGTERM: not ready any more, while requests are still answered."""

    draining: bool = False
