"""Where events go: each target has a queue of its own, so that one that is down holds up no other."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

# ruff: noqa: S310, T201 (it asks the servers whose addresses it is given, and prints for whoever reads its log)

TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500
# What an answer raises that breaks off, that is not HTTP, or that redirects to no valid address.
NO_ANSWER = (OSError, HTTPException, ValueError)


class Target:
    """Delivers what it is given, in order, as often as it takes; what does not fit into its queue is lost."""

    def __init__(
        self,
        name: str,
        address: str,
        body: Callable[[list[Any]], object],
        *,
        capacity: int = 5000,
        batch: int = 100,
        longest_pause: float = 30.0,
    ) -> None:
        self.name = name
        self.delivered = 0
        self.failures = 0
        self.lost = 0
        self._address = address
        self._body = body
        self._capacity = capacity
        self._batch = batch
        self._longest_pause = longest_pause
        self._queue: deque[Any] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: object) -> bool:
        """Whether there is room for it."""
        with self._changed:
            if len(self._queue) >= self._capacity:
                self.lost += 1
                return False
            self._queue.append(item)
            self._changed.notify()
            return True

    def end(self, seconds: float) -> None:
        """Delivers what is left, for so long."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        pause = 0.5
        while True:
            with self._changed:
                while not self._queue and not self._ending:
                    self._changed.wait()
                if not self._queue:
                    return
                items = [self._queue[index] for index in range(min(self._batch, len(self._queue)))]
            if self._send(items):
                pause = 0.5
            else:
                time.sleep(pause)
                pause = min(2 * pause, self._longest_pause)

    def _send(self, items: list[Any]) -> bool:
        """Whether it is done with them; what the target refuses, it would refuse again."""
        refused = ""
        try:
            request = urllib.request.Request(
                self._address,
                data=json.dumps(self._body(items)).encode(),
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10):
                pass
        except urllib.error.HTTPError as error:
            if error.code >= SERVER_ERRORS or error.code == TOO_MANY_REQUESTS:
                return self._failed(f"it answered {error.code}")
            refused = f"it answered {error.code}: {reason(error)}"
        except NO_ANSWER as error:
            return self._failed(str(error))
        with self._changed:
            for _ in items:
                self._queue.popleft()
            if refused:
                self.lost += len(items)
            else:
                self.delivered += len(items)
        if refused:
            print(f"{self.name} refused {len(items)} events; {refused}", file=sys.stderr, flush=True)
        return True

    def _failed(self, reason: str) -> bool:
        self.failures += 1
        print(f"{self.name} at {self._address} takes no events; {reason}", file=sys.stderr, flush=True)
        return False


def reason(error: urllib.error.HTTPError) -> str:
    """As much of it as is worth a line in the log."""
    try:
        return error.read(500).decode(errors="replace")
    except NO_ANSWER as broken:
        return str(broken)
