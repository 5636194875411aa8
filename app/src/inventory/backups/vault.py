"""Objects of a bucket that are encrypted here: what is put is read back, and what is got is genuine."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from inventory.backups.cipher import PieceReader, Readable, decrypt, encrypt, encrypted_size
from inventory.backups.errors import BackupError
from inventory.backups.keys import KeyRing
from inventory.backups.manifest import StoredFile
from inventory.backups.naming import ENCRYPTED
from inventory.objectstore import Bucket, told

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of the listing; its name is without prefix and ending."""

    name: str
    size: int
    modified: datetime


class Vault:
    """One bucket with its keys."""

    def __init__(self, bucket: Bucket, keys: KeyRing) -> None:
        self._bucket, self._keys = bucket, keys
        self._client: Minio = bucket.client()

    def put(self, name: str, file: Path) -> StoredFile:
        """
        Encrypts and uploads a file, and reads back what is there now.

        :raises BackupError: it is not there as it was sent
        """
        with self._told(f"{name} could not be stored"), file.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            plain, sent = hashlib.sha256(), hashlib.sha256()
            pieces = encrypt(_Observed(source, plain), self._keys, name)
            length = encrypted_size(size)
            reader = PieceReader(pieces, sent.update)
            self._client.put_object(self._bucket.name, self._key(name), reader, length)  # type: ignore[arg-type]
            self._verify(name, length, sent.hexdigest())
        return StoredFile(
            bytes=size, sha256=plain.hexdigest(), storedBytes=length, storedSha256=sent.hexdigest()
        )

    def get(self, name: str, file: Path) -> str:
        """Brings an object back, whole or not at all; returns the plain text's SHA-256."""
        unfinished = file.with_name(f".{file.name}.unfinished")
        digest = hashlib.sha256()
        try:
            with unfinished.open("wb") as target:
                for piece in self.pieces(name):
                    digest.update(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
        return digest.hexdigest()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The plain text; only after its end it is certain to be whole."""
        with self._told(f"{name} could not be read"):
            response = self._client.get_object(self._bucket.name, self._key(name))
            try:
                yield from decrypt(PieceReader(response.stream(_PIECE)), self._keys, name)
            finally:
                response.close()
                response.release_conn()

    def exists(self, name: str) -> bool:
        with self._told(f"{name} could not be looked for"):
            try:
                self._client.stat_object(self._bucket.name, self._key(name))
            except S3Error as error:
                if error.code in ("NoSuchKey", "NoSuchObject"):
                    return False
                raise
            return True

    def list(self, folder: str) -> list[Listed]:
        """Every object below a folder."""
        start = self._bucket.key("")
        with self._told(f"{folder}/ could not be listed"):
            found = self._client.list_objects(
                self._bucket.name, self._bucket.key(f"{folder}/"), recursive=True
            )
            return [
                Listed(
                    (each.object_name or "").removeprefix(start).removesuffix(ENCRYPTED),
                    each.size or 0,
                    each.last_modified or datetime.now().astimezone(),
                )
                for each in found
                if (each.object_name or "").endswith(ENCRYPTED)
            ]

    def remove(self, name: str) -> None:
        with self._told(f"{name} could not be removed"):
            self._client.remove_object(self._bucket.name, self._key(name))

    def _key(self, name: str) -> str:
        return self._bucket.key(name + ENCRYPTED)

    def _verify(self, name: str, size: int, expected: str) -> None:
        """By its size, and by what comes back: stores differ in the checksums that they compute."""
        found = self._client.stat_object(self._bucket.name, self._key(name)).size
        if found != size:
            raise BackupError(f"{name} is kept with {found} bytes; it has {size}.")
        response = self._client.get_object(self._bucket.name, self._key(name))
        digest = hashlib.sha256()
        try:
            for piece in response.stream(_PIECE):
                digest.update(piece)
        finally:
            response.close()
            response.release_conn()
        if digest.hexdigest() != expected:
            raise BackupError(
                f"{name} came back with SHA-256 {digest.hexdigest()}; it was sent with {expected}."
            )

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (MinioException, HTTPError, OSError, ValueError) as error:
            raise BackupError(
                f"{what} (bucket {self._bucket.name} at {self._bucket.endpoint}): {told(error)}."
                " Check its bucket, region, endpoint, credentials and cidrs, and the room here."
            ) from error


class _Observed:
    """A file that is hashed while it is read."""

    def __init__(self, source: Readable, digest: "hashlib._Hash") -> None:
        self._source, self._digest = source, digest

    def read(self, size: int = -1, /) -> bytes:
        piece = self._source.read(size)
        self._digest.update(piece)
        return piece
