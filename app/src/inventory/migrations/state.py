"""What a schema consists of, so that a failed upgrade can be undone and the result be compared."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

# One row for each part: kind, the table it belongs to, its name, and everything that makes it what it is.
_PARTS = text("""
WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
       ELSE 'table' END, '', c.oid::regclass::text,
       concat_ws(' ', c.relkind, c.relrowsecurity, c.reloptions::text,
                 CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
  FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM own)
   AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
UNION ALL
SELECT 'column', a.attrelid::regclass::text, quote_ident(a.attname),
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                 pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace IN (SELECT oid FROM own) AND c.relkind IN ('r', 'p') AND a.attnum > 0
   AND NOT a.attisdropped
UNION ALL
SELECT 'index', i.indrelid::regclass::text, i.indexrelid::regclass::text,
       concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace IN (SELECT oid FROM own)
UNION ALL
SELECT 'constraint', conrelid::regclass::text, quote_ident(conname),
       concat_ws(' ', pg_get_constraintdef(oid), convalidated)
  FROM pg_constraint WHERE connamespace IN (SELECT oid FROM own) AND conrelid <> 0
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, quote_ident(tgname), pg_get_triggerdef(oid) || tgenabled::text
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', '', oid::regprocedure::text, pg_get_functiondef(oid)
  FROM pg_proc p WHERE pronamespace IN (SELECT oid FROM own) AND prokind IN ('f', 'p')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'type', '', t.oid::regtype::text,
       concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod),
                 (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
                   WHERE enumtypid = t.oid))
  FROM pg_type t WHERE typnamespace IN (SELECT oid FROM own) AND typtype IN ('e', 'd')
UNION ALL
SELECT 'extension', '', extname, extversion FROM pg_extension
""")

# What has to go first comes first; tables go together, since they may refer to each other.
_REMOVAL = {
    "trigger": "DROP TRIGGER IF EXISTS {name} ON {table}",
    "constraint": "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}",
    "index": "DROP INDEX IF EXISTS {name}",
    "view": "DROP VIEW IF EXISTS {name}",
    "materialized view": "DROP MATERIALIZED VIEW IF EXISTS {name}",
    "column": "ALTER TABLE {table} DROP COLUMN IF EXISTS {name}",
    "table": "DROP TABLE IF EXISTS {name}",
    "sequence": "DROP SEQUENCE IF EXISTS {name}",
    "function": "DROP ROUTINE IF EXISTS {name}",
    "type": "DROP TYPE IF EXISTS {name}",
}
_BOOKKEEPING = {
    "alembic_version": text("SELECT version_num FROM alembic_version"),
    "schema_revisions": text("SELECT revision, compatible_from FROM schema_revisions"),
}


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One part of a schema."""

    kind: str
    table: str
    name: str
    definition: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" of {self.table}" if self.table else "")


@dataclass(frozen=True, slots=True)
class State:
    """A database's schema, and the rows that say which revision it is at."""

    parts: frozenset[Part]
    rows: frozenset[tuple[str, ...]]

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if part.kind == "table")

    def differences(self, other: "State") -> list[str]:
        """What is not the same in both, in words."""
        rows = {f"row {' '.join(row[1:])} of {row[0]}" for row in self.rows ^ other.rows}
        return sorted({str(part) for part in self.parts ^ other.parts} | rows)


def read_state(connection: Connection) -> State:
    parts = frozenset(Part(*row) for row in connection.execute(_PARTS))
    there = {part.name for part in parts if part.kind == "table"}
    rows = frozenset(
        (table, *row)
        for table, statement in _BOOKKEEPING.items()
        if table in there
        for row in connection.execute(statement)
    )
    return State(parts, rows)


def remove_additions(connection: Connection, before: State) -> None:
    """Removes every part that was not there before, with whatever rows it holds."""
    old = {(part.kind, part.table, part.name) for part in before.parts}
    added = [part for part in read_state(connection).parts if (part.kind, part.table, part.name) not in old]
    for kind, statement in _REMOVAL.items():
        # What belongs to a new table goes with it.
        of_kind = [part for part in added if part.kind == kind and part.table in {"", *before.tables}]
        names = [(part.table, part.name) for part in sorted(of_kind)]
        if kind == "table" and names:
            names = [("", ", ".join(name for _, name in names))]
        for table, name in names:
            filled = statement.format(table=table, name=name)
            connection.execute(text(filled.replace(":", r"\:")))


def restore_rows(connection: Connection, before: State) -> None:
    """Puts back which revisions were recorded."""
    if "schema_revisions" not in before.tables:
        return
    kept = [row[1:] for row in before.rows if row[0] == "schema_revisions"]
    connection.execute(
        text("DELETE FROM schema_revisions WHERE NOT revision = ANY(:kept)"),
        {"kept": [row[0] for row in kept]},
    )
    for revision, oldest in kept:
        connection.execute(
            text(
                "UPDATE schema_revisions SET compatible_from = :oldest"
                " WHERE revision = :revision AND compatible_from <> :oldest"
            ),
            {"oldest": oldest, "revision": revision},
        )
