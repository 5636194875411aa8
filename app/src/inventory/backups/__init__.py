"""Backups of the database: encrypted here, kept in an S3-compatible store, and brought back."""
