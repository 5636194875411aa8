import pytest

from inventory.core.config import SettingsError
from inventory.core.lifecycle import Lifecycle
from inventory.core.readiness import Readiness
from inventory.migrations.revisions import MINIMUM_REVISION, check_schema, known_revisions
from tests.support.api import make_settings

KNOWN = ("0001", "0002", "0003", "0004")


@pytest.mark.parametrize(
    ("expected", "current", "compatible_from", "ready", "words"),
    [
        ("0004", None, None, False, "inventory migrate"),
        ("0004", "0004", "0001", True, "schema 0004"),
        ("0004", "0003", "0001", False, "migrate --to 0004"),
        ("0003", "0003", "0001", True, "schema 0003"),
        ("0003", "0004", "0001", True, "schema 0004"),
        ("0001", "0002", "0001", False, "migrate --to 0003"),  # this code itself needs 0003
        ("0004", "0005", "0001", True, "newer"),
        ("0004", "0009", "0004", True, "newer"),
        ("0004", "0009", "0005", False, "deploy a newer version"),
        ("0004", "0009", None, False, "deploy a newer version"),
    ],
)
def test_which_schema_this_build_serves(
    expected: str, current: str | None, compatible_from: str | None, ready: bool, words: str
) -> None:
    result = check_schema(KNOWN, expected, current, compatible_from)
    assert result.ready is ready
    assert words in result.reason


def test_the_build_knows_its_revisions() -> None:
    assert known_revisions() == KNOWN
    assert MINIMUM_REVISION in KNOWN


def test_an_expectation_that_cannot_be_met_is_told_at_the_start() -> None:
    settings = make_settings("postgresql+psycopg://u@127.0.0.1:1/d", expected_schema_revision="0042")
    with pytest.raises(SettingsError, match="is 0042; this build knows 0001, 0002"):
        Readiness(settings, Lifecycle())
