"""What can be wrong with a backup."""

from inventory.objectstore import StoreError


class BackupError(StoreError):
    """A backup is not there, not whole, or not to be read; the message says what to do."""
