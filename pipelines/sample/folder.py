"""The folder of a sample: made as a whole, reused when it is already there, never in place of somebody's own files.

Add here what concerns the folder as such. Nothing heavy is imported before a sample is really made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import KundenstammError

PARAMETERS = "sample.json"
_COUNTED = {
    "contacts": "crm/contacts.csv",
    "permissions": "crm/permissions.csv",
    "shop customers": "shop/customers.parquet",
    "orders": "shop/orders.parquet",
    "support users": "support/users.jsonl",
    "tickets": "support/tickets.jsonl",
}


@dataclass(frozen=True)
class SampleReport:
    """What is in the folder: rows by file, relative to it; `is_reused` when it was there already."""

    folder: Path
    rows: dict[str, int]
    is_reused: bool

    @property
    def sentence(self) -> str:
        """The size of the sample, for people."""
        counts = {name: f"{self.rows[file]:,}" for name, file in _COUNTED.items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items()) + "."


def generate_sample(
    out: Path,
    *,
    customers: int,
    seed: int,
    as_of: date | datetime,
    rates: Mapping[str, float] | None = None,
) -> SampleReport:
    """Write the sample company to `out`: one folder per system with its files, and the truth in `truth/*.parquet`.

    The same arguments give the same files, byte for byte. Nothing in them is later than the day before `as_of` (a
    naive datetime is UTC). A folder that holds this very sample is left alone; another sample is replaced at once.

    Args:
        customers: number of real people, at least 1.
        seed: not negative.
        rates: share of rows for a noise of `pipelines.sample.noise.NOISES`, by name, instead of its usual one.

    Raises:
        KundenstammError: for arguments that are not allowed, or when `out` holds something that is not a sample.
    """
    if customers < 1:
        raise KundenstammError(f"The sample cannot have {customers} customers; give a number of at least 1.")
    if seed < 0:
        raise KundenstammError(f"The seed {seed} is negative; give a whole number from 0.")
    from pipelines.sample.chance import Calendar
    from pipelines.sample.chunks import write_company
    from pipelines.sample.noise import resolve_rates

    if isinstance(as_of, datetime) and as_of.tzinfo is not None:
        as_of = as_of.astimezone(UTC)
    calendar, all_rates = Calendar.at(as_of), resolve_rates(rates)
    parameters = {
        "customers": customers,
        "seed": seed,
        "as_of": calendar.today.isoformat(),
        "rates": all_rates,
        "generator": generator_digest(),
    }
    out = out.absolute()
    found = read_parameters(out)
    if found and found["parameters"] == parameters and all((out / file).is_file() for file in found["rows"]):
        return SampleReport(out, found["rows"], is_reused=True)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        rows = write_company(customers, seed, calendar, all_rates, temporary)
        write_parameters(temporary, {"parameters": parameters, "rows": rows})
        _put_in_place(temporary, out)
    except OSError as error:
        raise KundenstammError(
            f"{out}: the sample could not be written ({error.strerror}); check free space and permissions."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return SampleReport(out, rows, is_reused=False)


def is_sample_of(out: Path, *, customers: int, seed: int) -> bool:
    """Whether the folder holds a sample of so many customers and that seed, made by this generator for any day.

    Raises:
        KundenstammError: when the folder holds something that is not a sample.
    """
    out = out.expanduser().absolute()
    found = read_parameters(out)
    if found is None or not all((out / file).is_file() for file in found["rows"]):
        return False
    wanted = {"customers": customers, "seed": seed, "generator": generator_digest()}
    return all(found["parameters"].get(name) == value for name, value in wanted.items())


def read_parameters(folder: Path) -> dict[str, Any] | None:
    """What `sample.json` says, or None where nothing is.

    Raises:
        KundenstammError: when the folder holds something that is not a sample.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    try:
        found = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
        if not isinstance(found["parameters"], dict) or not isinstance(found["rows"], dict):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise KundenstammError(
            f"{folder} is not empty and is not a sample, so nothing was written; name an empty or a new folder."
        ) from None
    return dict(found)


def write_parameters(folder: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / PARAMETERS).write_text(text + "\n", encoding="utf-8")


def generator_digest() -> str:
    """SHA-256 over the code of the generator, first 16 hexadecimal characters: another code makes another sample."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _put_in_place(new: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
