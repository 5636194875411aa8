"""Keeps snapshots in an S3-compatible store: uploaded, read back, and the oldest removed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials.providers import IamAwsProvider
from minio.error import MinioException
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from inventory.snapshots.naming import CHECKSUM, PATTERN, superfluous

_PIECE = 1 << 20
AMAZON = "https://s3.amazonaws.com"


class SnapshotError(Exception):
    """The snapshot is not where it has to be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where snapshots are kept."""

    name: str
    prefix: str
    region: str
    endpoint: str = AMAZON
    # Folder with access_key_id and secret_access_key; without it the Pod's own identity counts.
    credentials: Path | None = None

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def client(self) -> Minio:
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


def upload(bucket: Bucket, file: Path, retain: int) -> str:
    """
    Uploads a snapshot with its checksum, reads both back, and removes the oldest beyond `retain`.

    :raises SnapshotError: it is not there as it should be, and nothing was removed
    """
    expected, size = _checksum(_pieces(file)), file.stat().st_size
    beside = Path(f"{file}{CHECKSUM}").read_text(encoding="ascii").split()[0]
    if beside != expected:
        raise SnapshotError(f"{file.name} is damaged: its SHA-256 is {expected}, not {beside}.")
    try:
        client = bucket.client()
        key = bucket.key(file.name)
        client.fput_object(bucket.name, key, str(file), metadata={"sha256": expected})
        client.fput_object(bucket.name, f"{key}{CHECKSUM}", f"{file}{CHECKSUM}", content_type="text/plain")
        _verify(client, bucket, file.name, size, expected)
        removed = _remove_oldest(client, bucket, retain)
    except (MinioException, HTTPError, OSError, ValueError) as error:
        raise SnapshotError(
            f"The snapshot could not be stored in bucket {bucket.name} at {bucket.endpoint}: {_told(error)}."
            " Check its bucket, region, endpoint, credentials and cidrs."
        ) from error
    gone = f"; removed {', '.join(removed)}" if removed else ""
    return f"stored s3://{bucket.name}/{key} ({size} bytes, SHA-256 {expected}){gone}"


def download(bucket: Bucket, name: str, folder: Path) -> str:
    """Gets a snapshot and its checksum back; what does not match is not kept."""
    if not PATTERN.fullmatch(name):
        raise SnapshotError(f"{name!r} is no snapshot's name.")
    try:
        client = bucket.client()
        for each in (name, f"{name}{CHECKSUM}"):
            client.fget_object(bucket.name, bucket.key(each), str(folder / each))
    except (MinioException, HTTPError, OSError, ValueError) as error:
        raise SnapshotError(
            f"{name} could not be read from bucket {bucket.name} at {bucket.endpoint}: {_told(error)}."
        ) from error
    expected = (folder / f"{name}{CHECKSUM}").read_text(encoding="ascii").split()[0]
    if _checksum(_pieces(folder / name)) != expected:
        (folder / name).unlink()
        raise SnapshotError(f"{name} is damaged: its SHA-256 is not {expected}; take another snapshot.")
    return f"{name} is in {folder}, SHA-256 {expected}"


def _verify(client: Minio, bucket: Bucket, name: str, size: int, expected: str) -> None:
    """By the listing, and by what comes back: stores differ in the checksums that they compute themselves."""
    listed = {each.object_name: each.size for each in client.list_objects(bucket.name, bucket.key(name))}
    if listed.get(bucket.key(name)) != size or bucket.key(name + CHECKSUM) not in listed:
        raise SnapshotError(f"{name} is listed with {listed.get(bucket.key(name))} bytes; it has {size}.")
    response = client.get_object(bucket.name, bucket.key(name))
    try:
        found = _checksum(response.stream(_PIECE))
    finally:
        response.close()
        response.release_conn()
    if found != expected:
        raise SnapshotError(f"{name} came back with SHA-256 {found}; it was sent with {expected}.")


def _remove_oldest(client: Minio, bucket: Bucket, retain: int) -> list[str]:
    start = f"{bucket.prefix}/" if bucket.prefix else ""
    listed = client.list_objects(bucket.name, start)
    names = [(each.object_name or "").removeprefix(start) for each in listed]
    old = superfluous(names, retain)
    for name in old:
        client.remove_object(bucket.name, bucket.key(name))
        client.remove_object(bucket.name, bucket.key(f"{name}{CHECKSUM}"))
    return old


def _told(error: Exception) -> str:
    return str(getattr(error, "message", None) or error).split("\n")[0].rstrip(".")


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SnapshotError(
            f"{path.name} cannot be read; the Secret needs the keys access_key_id and secret_access_key."
        ) from error


def _pieces(file: Path) -> Iterable[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _checksum(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
