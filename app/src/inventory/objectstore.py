"""A bucket of an S3-compatible store, as the platform's Jobs are told of it."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from minio import Minio

AMAZON = "https://s3.amazonaws.com"


class StoreError(Exception):
    """What is kept is not where it has to be, or not as it has to be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects are kept."""

    name: str
    prefix: str
    region: str
    endpoint: str = AMAZON
    # Folder with access_key_id and secret_access_key; without it the Pod's own identity counts.
    credentials: Path | None = None

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def client(self) -> "Minio":
        # What serves requests does not need the store's library.
        from minio import Minio  # noqa: PLC0415
        from minio.credentials.providers import IamAwsProvider  # noqa: PLC0415
        from urllib3 import PoolManager, Retry, Timeout  # noqa: PLC0415

        address = urlsplit(self.endpoint)
        # Slow is no failure, silence is.
        http = PoolManager(timeout=Timeout(connect=10, read=60), retries=Retry(total=3, backoff_factor=0.5))
        if self.credentials is None:
            return Minio(
                address.netloc,
                secure=address.scheme == "https",
                region=self.region,
                credentials=IamAwsProvider(region=self.region),
                http_client=http,
            )
        return Minio(
            address.netloc,
            access_key=_secret(self.credentials / "access_key_id"),
            secret_key=_secret(self.credentials / "secret_access_key"),
            secure=address.scheme == "https",
            region=self.region,
            http_client=http,
        )


def add_bucket_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bucket", required=True)
    command.add_argument("--prefix", default="")
    command.add_argument("--region", required=True)
    command.add_argument("--endpoint", help="of a store other than Amazon's, such as https://s3.example.com")
    command.add_argument("--credentials", type=Path, help="folder with access_key_id, secret_access_key")


def bucket_of(arguments: argparse.Namespace) -> Bucket:
    return Bucket(
        arguments.bucket,
        arguments.prefix,
        arguments.region,
        arguments.endpoint or AMAZON,
        arguments.credentials,
    )


def told(error: Exception) -> str:
    """What went wrong, in one line and without what would be secret."""
    return str(getattr(error, "message", None) or error).split("\n")[0].rstrip(".")


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be read; the Secret needs the keys access_key_id and secret_access_key."
        ) from error
