"""Snapshots of the database, taken before its schema changes."""
