"""Keeps snapshots in an S3-compatible store: uploaded, read back, and the oldest removed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from inventory.objectstore import Bucket, StoreError, told
from inventory.snapshots.naming import CHECKSUM, PATTERN, superfluous

_PIECE = 1 << 20
# What a store that is not as it should be makes the client raise.
FAILURES = (MinioException, HTTPError, OSError, ValueError)


class SnapshotError(StoreError):
    """The snapshot is not where it has to be; the message says what to do."""


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
    except FAILURES as error:
        raise SnapshotError(
            f"The snapshot could not be stored in bucket {bucket.name} at {bucket.endpoint}: {told(error)}."
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
    except FAILURES as error:
        raise SnapshotError(
            f"{name} could not be read from bucket {bucket.name} at {bucket.endpoint}: {told(error)}."
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


def _pieces(file: Path) -> Iterable[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _checksum(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
