"""Keyed hashes: the only form in which a source's record id or a contact point leaves the restricted file.

Add here what must be pseudonymous and stable for ever. The secret is made once per data folder and lives in `state/`.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import BuildError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

SECRET_VARIABLE = "record_secret"  # noqa: S105 - the name of a variable
_SEPARATOR = "chr(31)"


def use_secret(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Make the secret available to the expressions below on this connection."""
    connection.execute(f"set variable {SECRET_VARIABLE} = $1", [load_secret(settings)])


def load_secret(settings: Settings) -> str:
    """The secret of this data folder, made on first use. `KUNDENSTAMM_SECRET` takes precedence.

    Raises:
        BuildError: versions are published but the secret is gone or empty: new keys would change every id.
    """
    if given := os.environ.get("KUNDENSTAMM_SECRET"):
        return given
    file = settings.state_dir / "secret.key"
    if not file.exists():
        if settings.current.exists():
            raise BuildError(
                f"{file} is missing although versions are published; without it every id would change. "
                f"Restore it from a backup, or set KUNDENSTAMM_SECRET to its content."
            )
        _make_secret(file)
    secret = file.read_text().strip()
    if not secret:
        raise BuildError(f"{file} is empty; restore it from a backup, or set KUNDENSTAMM_SECRET to its content.")
    return secret


def _make_secret(file: Path) -> None:
    """Write a new secret, to the disk and for its owner only; of several processes the first one wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".secret-", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(32))
            handle.flush()
            os.fsync(handle.fileno())
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        Path(temporary).unlink()


def record_key(source: str, entity: str, record_id: str) -> str:
    """SQL for the key of a record; NULL when the id is NULL. The arguments are SQL expressions.

    Nested SHA-256 with the secret on both levels (the construction of HMAC), cut to 128 bits.
    """
    return _keyed("r_", f"{source} || {_SEPARATOR} || {entity} || {_SEPARATOR} || {record_id}")


def contact_point_key(kind: str, value: str) -> str:
    """SQL for the key of a normalized contact point; NULL when the value is NULL."""
    return _keyed("p_", f"{kind} || {_SEPARATOR} || {value}")


def _keyed(prefix: str, message: str) -> str:
    secret = f"getvariable('{SECRET_VARIABLE}')"
    return f"'{prefix}' || substr(sha256({secret} || sha256({secret} || {message})), 1, 32)"
