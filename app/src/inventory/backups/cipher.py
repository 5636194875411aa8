"""
Encryption of objects, whatever their size, with a constant amount of memory.

`TNVBAK1\\n` | id of the key, 16 hex digits | salt, 32 bytes | nonce's prefix, 7 bytes | chunks. A chunk is
AES-256-GCM of 1 MiB or, the last one, of 0 to 1 MiB; its nonce is prefix | number, 4 bytes | 1 for the last
one, else 0. So a chunk that was changed, left out, moved or added is noticed, and a missing end, too.
The object's key follows from salt and header; the object's name is authenticated with each chunk: none stands
in for another. The construction is Tink's (https://developers.google.com/tink/streaming-aead).
"""

import os
from collections.abc import Callable, Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inventory.backups.errors import BackupError
from inventory.backups.keys import KeyRing

MAGIC = b"TNVBAK1\n"
CHUNK = 1 << 20
TAG = 16
_INFO = b"technova backup v1"
_KEY_ID, _SALT, _PREFIX = 16, 32, 7
HEADER = len(MAGIC) + _KEY_ID + _SALT + _PREFIX
_MOST_CHUNKS = 1 << 32


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def encrypted_size(size: int) -> int:
    """Bytes that a plain text of `size` bytes takes once it is encrypted."""
    return HEADER + size + TAG * max(1, -(-size // CHUNK))


def encrypt(source: Readable, keys: KeyRing, name: str) -> Iterator[bytes]:
    """Pieces of the encrypted object; `name` has to be given again to decrypt it."""
    key, salt, prefix = keys.current, os.urandom(_SALT), os.urandom(_PREFIX)
    header = MAGIC + key.id.encode() + salt + prefix
    cipher = AESGCM(key.derive(salt, _INFO + header))
    yield header
    number, chunk = 0, read_exactly(source, CHUNK)
    while True:
        following = read_exactly(source, CHUNK) if len(chunk) == CHUNK else b""
        yield cipher.encrypt(_nonce(prefix, number, last=not following), chunk, name.encode())
        if not following:
            return
        number, chunk = number + 1, following


def decrypt(source: Readable, keys: KeyRing, name: str) -> Iterator[bytes]:
    """
    Pieces of the plain text. Each is genuine, but only after the last one it is certain that none is missing:
    what they are written to counts once this has ended.

    :raises BackupError: it is damaged, cut, another object's, or its key is not there
    """
    header = read_exactly(source, HEADER)
    if len(header) < HEADER or not header.startswith(MAGIC):
        raise BackupError(f"{name} is no backup of this service, or its beginning is damaged.")
    key_id, rest = header[len(MAGIC) :][:_KEY_ID], header[len(MAGIC) + _KEY_ID :]
    salt, prefix = rest[:_SALT], rest[_SALT:]
    key = keys.find(key_id.decode("ascii", "replace"))
    cipher = AESGCM(key.derive(salt, _INFO + header))
    number, chunk = 0, read_exactly(source, CHUNK + TAG)
    while True:
        following = read_exactly(source, CHUNK + TAG) if len(chunk) == CHUNK + TAG else b""
        try:
            yield cipher.decrypt(_nonce(prefix, number, last=not following), chunk, name.encode())
        except (InvalidTag, ValueError):
            raise BackupError(
                f"{name} is damaged, cut off or another one's: piece {number + 1} is not what was written."
            ) from None
        if not following:
            return
        number, chunk = number + 1, following


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    if number >= _MOST_CHUNKS:
        raise BackupError("It is larger than 4 PiB, which is more than can be encrypted in one piece.")
    return prefix + number.to_bytes(4, "big") + (b"\1" if last else b"\0")


def read_exactly(source: Readable, size: int) -> bytes:
    """Up to `size` bytes, fewer only at the end: what comes from a network comes in pieces of any size."""
    pieces, missing = [], size
    while missing > 0 and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


class PieceReader:
    """Reads what comes in pieces; `observe` sees each of them."""

    def __init__(self, pieces: Iterator[bytes], observe: Callable[[bytes], None] | None = None) -> None:
        self._pieces, self._observe, self._left = pieces, observe, b""

    def read(self, size: int = -1, /) -> bytes:
        collected: list[bytes] = []
        missing = size
        while size < 0 or missing > 0:
            if not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                if self._observe:
                    self._observe(piece)
                self._left = piece
                continue
            taken = self._left if size < 0 else self._left[:missing]
            self._left = self._left[len(taken) :]
            collected.append(taken)
            missing -= len(taken)
        return b"".join(collected)
