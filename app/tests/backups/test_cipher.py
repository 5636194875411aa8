"""Encryption: everything that is not exactly what was written is noticed."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.backups.cipher import CHUNK, HEADER, MAGIC, TAG, PieceReader, decrypt, encrypt, encrypted_size
from inventory.backups.errors import BackupError
from inventory.backups.keys import Key, KeyRing, read_keys

FIRST, SECOND = Key(b"a" * 43), Key(b"b" * 43)
RING = KeyRing(FIRST, {FIRST.id: FIRST})
NAME = "dumps/x/database.dump"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5]


def plain(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


def written(content: bytes, keys: KeyRing = RING, name: str = NAME) -> bytes:
    return b"".join(encrypt(io.BytesIO(content), keys, name))


def read(content: bytes, keys: KeyRing = RING, name: str = NAME) -> bytes:
    return b"".join(decrypt(io.BytesIO(content), keys, name))


def chunks(content: bytes) -> list[bytes]:
    body = content[HEADER:]
    return [body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_encrypted_comes_back(size: int) -> None:
    content = plain(size)
    encrypted = written(content)
    assert len(encrypted) == encrypted_size(size)
    assert read(encrypted) == content
    assert content[:64] == b"" or size < 16 or content[:64] not in encrypted


def test_the_same_is_never_encrypted_the_same_way() -> None:
    one, other = written(b"x" * 100), written(b"x" * 100)
    assert one[: len(MAGIC) + 16] == other[: len(MAGIC) + 16]
    assert one[len(MAGIC) + 16 :][:39] != other[len(MAGIC) + 16 :][:39]
    assert one[HEADER:] != other[HEADER:]


@given(size=st.sampled_from([0, 1, 100, 5000]), data=st.data())
def test_no_bit_can_be_changed(size: int, data: st.DataObject) -> None:
    encrypted = bytearray(written(plain(size)))
    bit = data.draw(st.integers(0, len(encrypted) * 8 - 1))
    encrypted[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BackupError):
        read(bytes(encrypted))


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_no_end_can_be_missing_or_added(size: int) -> None:
    encrypted = written(plain(size))
    for shorter in (1, TAG, TAG + 1, len(encrypted) - HEADER, len(encrypted) - 5, len(encrypted)):
        if shorter <= len(encrypted):
            with pytest.raises(BackupError):
                read(encrypted[: len(encrypted) - shorter])
    pieces = chunks(encrypted)
    for kept in range(len(pieces)):
        with pytest.raises(BackupError):
            read(encrypted[:HEADER] + b"".join(pieces[:kept]))
    for added in (b"x", pieces[-1], pieces[0], b"x" * TAG):
        with pytest.raises(BackupError):
            read(encrypted + added)


def test_no_piece_can_be_moved_left_out_or_brought_from_elsewhere() -> None:
    encrypted, other = written(plain(3 * CHUNK + 1)), written(plain(3 * CHUNK + 1))
    head, pieces = encrypted[:HEADER], chunks(encrypted)
    for order in ([1, 0, 2, 3], [0, 2, 3], [0, 1, 1, 2, 3], [0, 1, 3, 2], [1, 2, 3]):
        with pytest.raises(BackupError):
            read(head + b"".join(pieces[each] for each in order))
    with pytest.raises(BackupError):
        read(head + b"".join([pieces[0], chunks(other)[1], *pieces[2:]]))
    with pytest.raises(BackupError):
        read(other[:HEADER] + b"".join(pieces))


def test_no_object_can_stand_in_for_another() -> None:
    with pytest.raises(BackupError, match="base/x is damaged, cut off or another one's"):
        read(written(b"content"), name="base/x")


def test_another_key_opens_nothing_and_a_former_one_does() -> None:
    encrypted = written(b"content")
    only_second = KeyRing(SECOND, {SECOND.id: SECOND})
    with pytest.raises(BackupError, match=f"encrypted with key {FIRST.id}, and there are only {SECOND.id}"):
        read(encrypted, only_second)
    both = KeyRing(SECOND, {SECOND.id: SECOND, FIRST.id: FIRST})
    assert read(encrypted, both) == b"content"
    # A key that claims to be another one.
    with pytest.raises(BackupError):
        read(encrypted, KeyRing(SECOND, {FIRST.id: SECOND}))


def test_what_is_no_backup_is_told() -> None:
    for content in (b"", b"PGDMP", b"x" * 1000):
        with pytest.raises(BackupError, match="no backup of this service"):
            read(content)


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(1, 60), min_size=1))
def test_a_reader_of_pieces_gives_any_number_of_bytes(pieces: list[bytes], sizes: list[int]) -> None:
    seen: list[bytes] = []
    reader = PieceReader(iter(pieces), seen.append)
    found = b"".join(reader.read(size) for size in sizes) + reader.read()
    assert found == b"".join(pieces) == b"".join(seen)


def test_keys_are_read_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("c" * 43 + "\n")
    (tmp_path / "former-1").write_text("f" * 44)
    ring = read_keys(tmp_path)
    assert len(ring.by_id) == 2
    assert ring.by_id[ring.current.id] is ring.current
    assert "ccc" not in repr(ring) + str(ring.current)
    (tmp_path / "former-2").write_text("secret-but-short")
    with pytest.raises(BackupError, match="key `former-2` is none: it takes 43") as raised:
        read_keys(tmp_path)
    assert "secret-but-short" not in str(raised.value)
    (tmp_path / "former-2").unlink()
    (tmp_path / "current").unlink()
    with pytest.raises(BackupError, match="has no key `current`"):
        read_keys(tmp_path)
    with pytest.raises(BackupError, match="cannot be read"):
        read_keys(tmp_path / "none")
