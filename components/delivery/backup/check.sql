-- Asks a restored database for all that its test judges it by. `out`: folder of the answers; `application`: the
-- database; `here`: folder of the scripts.
\connect :application
\pset format unaligned
\pset fieldsep '\t'
\pset tuples_only on
\set counts :here '/counts.sql'
\set tables :out '/tables.tsv'
\set revision :out '/revision'
\set invalid :out '/invalid'
\o :tables
\i :counts
\o :revision
SELECT version_num FROM alembic_version;
\o :invalid
SELECT conrelid::regclass || ': constraint ' || conname FROM pg_constraint WHERE NOT convalidated;
SELECT indrelid::regclass || ': index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid;
-- Every row is in every index, and every page is one that PostgreSQL would have written.
CREATE EXTENSION IF NOT EXISTS amcheck;
SELECT relname || ': ' || msg FROM pg_class c, verify_heapam(c.oid) WHERE relkind IN ('r', 'm') AND relpersistence = 'p';
\o /dev/null
SELECT bt_index_check(i.indexrelid, true)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisready AND i.indisvalid;
\o
