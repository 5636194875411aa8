"""What a downgrade would lose: values in what the older schema does not have."""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, func, select, table

from inventory.migrations.revisions import MigrationError, alembic_config


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that lose something: all of a table, or what one column holds."""

    table: str
    column: str | None
    rows: int

    def __str__(self) -> str:
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'} of {self.table}"
        return rows if self.column is None else f"{self.column} in {rows}"


def removed_by(revision: str) -> tuple[str, ...]:
    """The tables, and the columns as `table.column`, that go when `revision` is undone."""
    script = ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    removed = getattr(script.module, "removed_on_downgrade", None)
    if not isinstance(removed, tuple):
        raise MigrationError(
            f"Revision {revision} does not say what its downgrade removes; add removed_on_downgrade = (...)"
            " below its compatible_from, with each table and each table.column that then goes, or ()."
        )
    return removed


def losses(connection: Connection, undone: Sequence[str]) -> tuple[Loss, ...]:
    """What is lost when these revisions are undone; columns and tables that hold nothing are no loss."""
    names = {name for revision in undone for name in removed_by(revision)}
    tables = {name for name in names if "." not in name}
    counted = []
    for name in sorted(names):
        where, _, what = name.partition(".")
        if what and where in tables:
            continue  # it goes with its table
        rows = select(func.count()).select_from(table(where))
        if what:
            rows = rows.where(column(what).is_not(None))
        counted.append(Loss(where, what or None, connection.scalar(rows) or 0))
    return tuple(loss for loss in counted if loss.rows)


def refuse_loss(target: str, found: Sequence[Loss]) -> None:
    """Raises MigrationError if there is any."""
    if not found:
        return
    raise MigrationError(
        f"A downgrade to {target} is refused, for it would lose {', '.join(map(str, found))}."
        " Nothing was changed. Keep what is needed of it elsewhere, or say that it may be lost."
    )
