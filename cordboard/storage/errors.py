"""What can go wrong with the database.

StorageError
├── DatabaseUnavailable   away, locked, full, too slow: the same write may succeed later
├── RowsRefused           the database will never take these rows
└── SchemaMismatch        the database was made by a newer Cordboard
"""

from __future__ import annotations


class StorageError(Exception):
    """The root. Messages never hold a row's values or a password."""


class DatabaseUnavailable(StorageError):
    """Try again later."""


class RowsRefused(StorageError):
    """Trying again is useless."""


class SchemaMismatch(StorageError):
    """This Cordboard must not touch that database."""
