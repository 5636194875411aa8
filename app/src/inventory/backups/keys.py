"""The keys of backups: one that writes, and all that ever wrote."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from inventory.backups.errors import BackupError

CURRENT = "current"
# 43 characters of 64 are 256 bits; random ones are asked for, so that no stretching is needed.
_TEXT = re.compile(r"[A-Za-z0-9+/=_-]{43,512}")


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One key. Its text is shown nowhere; `id` tells keys apart and says nothing about them."""

    text: bytes

    @property
    def id(self) -> str:
        return hashlib.sha256(b"technova backup key id\0" + self.text).hexdigest()[:16]

    def derive(self, salt: bytes, info: bytes) -> bytes:
        """The key of one object: none is used for two, so that no nonce can come twice under one."""
        return HKDF(SHA256(), length=32, salt=salt, info=info).derive(self.text)

    def __repr__(self) -> str:
        return f"Key({self.id})"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key to write with, and every key to read with by its id."""

    current: Key
    by_id: dict[str, Key]

    def find(self, key_id: str) -> Key:
        if key_id not in self.by_id:
            raise BackupError(
                f"It was encrypted with key {key_id}, and there are only {', '.join(sorted(self.by_id))}:"
                " put that key into secrets.formerBackupKeys of the stack."
            )
        return self.by_id[key_id]


def read_keys(folder: Path) -> KeyRing:
    """Reads a folder whose file `current` is the key to write with; every other file is one to read with."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        texts = {path.name: path.read_text(encoding="ascii").strip() for path in files}
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"The keys of backups in {folder} cannot be read.") from error
    if CURRENT not in texts:
        raise BackupError(f"{folder} has no key `{CURRENT}` to write backups with.")
    for name, text in texts.items():
        if not _TEXT.fullmatch(text):
            raise BackupError(
                f"The backups' key `{name}` is none: it takes 43 to 512 characters of A-Z, a-z, 0-9, +/=_-."
            )
    keys = {name: Key(text.encode()) for name, text in texts.items()}
    return KeyRing(keys[CURRENT], {key.id: key for key in keys.values()})
