"""Keyed hashes: the only form in which a source's record id or a contact point leaves the restricted file.

Add here what must be pseudonymous and stable for ever. The secret is made once per data folder and lives in `state/`.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import BuildError
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

SECRET_VARIABLE = "record_secret"  # noqa: S105 - the name of a variable
_SECRET = f"getvariable('{SECRET_VARIABLE}')"
_SEPARATOR = "chr(31)"
RECORD_KEY_PREFIX = "r_"  # before 32 hexadecimal digits

# How a secret keys is said by its form, because a key is for ever. Both are SHA-256 cut to 128 bits: nobody can go on
# hashing from what is known. `domain` says what kind of thing the value names.
_SECRET_OF_2 = re.compile(r"2:[0-9a-f]{64}")
_BROKEN_SECRET_OF_2 = re.compile(r"2:[0-9A-Fa-f\s]*")  # cut off, or rewritten in capitals
# A secret of its own per domain, computed once a statement, then one block of SHA-256 a value: a third of the time.
_KEYED_BY_2 = f"sha256(substr(sha256({_SECRET} || domain), 1, 32) || value)"
# Every other secret, as release 0.1.0 made them: nested with the secret on both levels, the construction of HMAC.
_KEYED_BY_1 = f"sha256({_SECRET} || sha256({_SECRET} || domain || {_SEPARATOR} || value))"


def use_secret(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Make the secret available to the expressions below on this connection."""
    secret = load_secret(settings)
    keyed = _KEYED_BY_2 if _SECRET_OF_2.fullmatch(secret) else _KEYED_BY_1
    connection.execute(f"set variable {SECRET_VARIABLE} = {literal(secret)}")
    connection.execute(f"create or replace temp macro keyed_hash(domain, value) as substr({keyed}, 1, 32)")


def load_secret(settings: Settings) -> str:
    """The secret of this data folder, made on first use. `KUNDENSTAMM_SECRET` takes precedence.

    Raises:
        BuildError: versions are published but the secret is gone or empty: new keys would change every id.
    """
    if given := os.environ.get("KUNDENSTAMM_SECRET"):
        if _SECRET_OF_2.fullmatch(given.strip()):
            return given.strip()
        if _BROKEN_SECRET_OF_2.fullmatch(given):
            raise BuildError(
                "KUNDENSTAMM_SECRET begins with 2: but is not followed by 64 small hexadecimal digits; keyed by it, "
                "every id would change. Set it to the content of secret.key."
            )
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
            handle.write(f"2:{secrets.token_hex(32)}")
            handle.flush()
            os.fsync(handle.fileno())
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        Path(temporary).unlink()


def record_key(source: str, entity: str, record_id: str) -> str:
    """SQL for the key of a record; NULL when the id is NULL. The arguments are SQL expressions."""
    return f"'{RECORD_KEY_PREFIX}' || keyed_hash({source} || {_SEPARATOR} || {entity}, {record_id})"


def contact_point_key(kind: str, value: str) -> str:
    """SQL for the key of a normalized contact point; NULL when the value is NULL."""
    return f"'p_' || keyed_hash({kind}, {value})"
