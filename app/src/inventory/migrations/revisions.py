"""Which revisions there are, and which database a build of this service can work with."""

from dataclasses import dataclass
from pathlib import Path

from alembic import op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

# The oldest schema this code works on. 0004 adds an index only, so 0003 does as well, only slower.
MINIMUM_REVISION = "0003"


VERSIONS = Path(__file__).parent / "versions"


class MigrationError(Exception):
    """The migration did not happen; the message says what to do."""


class DatabaseChangedError(MigrationError):
    """The migration failed, and the database is not as it was: trying again would do parts of it twice."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(VERSIONS))
    return config


def known_revisions() -> tuple[str, ...]:
    """The revisions of this build, oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config())
    return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def compatible_from(revision: str) -> str:
    """The oldest revision whose code still works once `revision` is there."""
    script = ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    oldest = getattr(script.module, "compatible_from", None)
    if not isinstance(oldest, str):
        raise MigrationError(
            f'Revision {revision} does not say which versions still work with it; add compatible_from = "..."'
            " below its depends_on, with the oldest revision whose code does."
        )
    return oldest


def record_revision(revision: str, *, compatible_from: str) -> None:
    """Tells every build, older ones too, whether it may go on: those that know `compatible_from` may."""
    op.get_bind().execute(
        text(
            "INSERT INTO schema_revisions (revision, compatible_from) VALUES (:revision, :compatible_from)"
            " ON CONFLICT (revision) DO UPDATE SET compatible_from = excluded.compatible_from"
            " WHERE schema_revisions.compatible_from <> excluded.compatible_from"
        ),
        {"revision": revision, "compatible_from": compatible_from},
    )


@dataclass(frozen=True, slots=True)
class SchemaCheck:
    """Whether this build may serve on a database, and why (not)."""

    ready: bool
    reason: str


def check_schema(
    known: tuple[str, ...], expected: str, current: str | None, compatible_from: str | None
) -> SchemaCheck:
    """Decides about the schema that was found.

    While a release rolls out, old pods meet a schema that is newer than all they know. They cannot judge it
    themselves, so each migration leaves in the database the oldest revision whose code still works with it.
    """
    if current is None:
        return SchemaCheck(False, "the database has no schema yet; run `inventory migrate`")
    if current in known:
        needed = max(known.index(expected), known.index(MINIMUM_REVISION))
        if known.index(current) >= needed:
            return SchemaCheck(True, f"schema {current}")
        return SchemaCheck(
            False,
            f"schema {current} is older than {known[needed]}; run `inventory migrate --to {known[needed]}`",
        )
    if compatible_from in known:
        return SchemaCheck(True, f"schema {current} is newer and still compatible")
    return SchemaCheck(
        False, f"schema {current} is newer than this build and not compatible with it; deploy a newer version"
    )
