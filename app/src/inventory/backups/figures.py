"""What Prometheus is told of backups."""

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from inventory.backups.naming import Kind

logger = logging.getLogger("inventory")

Subject = Literal["backup", "restore_test"]


@dataclass(slots=True)
class Figures:
    """
    Figures of one run, which tells its success once everything is done, and a failure wherever it happens.

    :param url: address of Prometheus; nothing is told without one
    """

    subject: Subject
    kind: Kind
    url: str | None
    labels: Mapping[str, str]
    values: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Tells a failure and lets it go on."""
        try:
            yield
        except BaseException:
            self._push({"failure_timestamp_seconds": time.time()})
            raise

    def succeeded(self) -> None:
        self._push({"success_timestamp_seconds": time.time(), **self.values})

    def _push(self, values: Mapping[str, float]) -> None:
        if self.url is None:
            return
        request = urllib.request.Request(  # noqa: S310 (the address is the stack's own)
            f"{self.url}/api/v1/otlp/v1/metrics",
            data=json.dumps(self._message(values)).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  # nosec B310
        except (urllib.error.URLError, OSError) as error:
            # The backup is there all the same; Prometheus will say that it has not heard of it.
            logger.warning("Prometheus did not take the figures: %s", error)

    def _message(self, values: Mapping[str, float]) -> object:
        labels = {**self.labels, "kind": str(self.kind)}
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
        now = str(time.time_ns())
        metrics = [
            {
                "name": f"technova_{self.subject}_{name}",
                "gauge": {"dataPoints": [{"timeUnixNano": now, "attributes": attributes, "asDouble": value}]},
            }
            for name, value in values.items()
        ]
        source = {"attributes": [{"key": "service.name", "value": {"stringValue": "backup"}}]}
        return {"resourceMetrics": [{"resource": source, "scopeMetrics": [{"metrics": metrics}]}]}
