import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.backups.keys import KeyRing, read_keys
from inventory.backups.vault import Vault
from inventory.objectstore import Bucket
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, Store

KEY = "current0123456789current0123456789current0123456789"


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "access_key_id").write_text(f"{ACCESS_KEY}\n")
    (folder / "secret_access_key").write_text(SECRET_KEY)
    return folder


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "current").write_text(f"{KEY}\n")
    return folder


@pytest.fixture
def keys(keys_folder: Path) -> KeyRing:
    return read_keys(keys_folder)


@pytest.fixture
def vault(store: Store, credentials: Path, keys: KeyRing) -> Vault:
    return Vault(Bucket("backups", "a/b", "eu-1", store.endpoint, credentials), keys)
