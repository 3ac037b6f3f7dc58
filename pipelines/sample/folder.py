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
MOST_DAYS = 60  # the latest campaign begins before them
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
    days: int = 0

    @property
    def sentence(self) -> str:
        """The size of the sample, on the last day where there are several, for people."""
        latest = f"{name_day(self.days, self.days)}/" if self.days else ""
        counts = {name: f"{self.rows[latest + file]:,}" for name, file in _COUNTED.items()}
        text = ", ".join(f"{count} {name}" for name, count in counts.items()) + "."
        first = name_day(0, self.days)
        return f"{text} Deliveries are in {first} to {latest.rstrip('/')}." if self.days else text


def generate_sample(
    out: Path,
    *,
    customers: int,
    seed: int,
    as_of: date | datetime,
    days: int = 0,
    rates: Mapping[str, float] | None = None,
) -> SampleReport:
    """Write the sample company to `out`: one folder per system with its files, and the truth in `truth/*.parquet`.

    The same arguments give the same files, byte for byte. Nothing in them is later than the day before `as_of` (a
    naive datetime is UTC). A folder that holds this very sample is left alone; another sample is replaced at once.

    With `days`, the systems are in `day_00` to `day_<days>`: what they delivered on each of the last days. The last
    one is what `out` holds without `days`.

    Args:
        customers: number of real people, at least 1.
        seed: not negative.
        days: daily deliveries after that of day 0, up to `MOST_DAYS`.
        rates: share of rows for a noise of `pipelines.sample.noise.NOISES` or, with `days`, a mishap of
            `pipelines.sample.deliveries.DELIVERY_RATES`, by name, instead of its usual one.

    Raises:
        KundenstammError: for arguments that are not allowed, or when `out` holds something that is not a sample.
    """
    if customers < 1:
        raise KundenstammError(f"The sample cannot have {customers} customers; give a number of at least 1.")
    if seed < 0:
        raise KundenstammError(f"The seed {seed} is negative; give a whole number from 0.")
    if not 0 <= days <= MOST_DAYS:
        raise KundenstammError(f"The sample cannot have {days} daily deliveries; give a number from 0 to {MOST_DAYS}.")
    from pipelines.sample.chance import Calendar
    from pipelines.sample.chunks import write_company
    from pipelines.sample.deliveries import DELIVERY_RATES
    from pipelines.sample.noise import resolve_rates

    if isinstance(as_of, datetime) and as_of.tzinfo is not None:
        as_of = as_of.astimezone(UTC)
    calendar, all_rates = Calendar.at(as_of), resolve_rates(rates, DELIVERY_RATES if days else {})
    parameters: dict[str, Any] = {
        "customers": customers,
        "seed": seed,
        "as_of": calendar.today.isoformat(),
        "rates": all_rates,
        "generator": generator_digest(),
    }
    if days:
        parameters["days"] = days
    out = out.absolute()
    found = read_parameters(out)
    if found and found["parameters"] == parameters and all((out / file).is_file() for file in found["rows"]):
        return SampleReport(out, found["rows"], is_reused=True, days=days)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        rows = write_company(customers, seed, calendar, all_rates, temporary, days=days)
        write_parameters(temporary, {"parameters": parameters, "rows": rows})
        _put_in_place(temporary, out)
    except OSError as error:
        raise KundenstammError(
            f"{out}: the sample could not be written ({error.strerror}); check free space and permissions."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return SampleReport(out, rows, is_reused=False, days=days)


def name_day(number: int, last: int) -> str:
    """The folder of a day, with as many digits as the last one has, at least two."""
    return f"day_{number:0{max(len(str(last)), 2)}}"


def is_sample_of(out: Path, *, customers: int, seed: int, days: int = 0) -> bool:
    """Whether the folder holds a sample of so many customers, days and that seed, made by this generator for any day.

    Raises:
        KundenstammError: when the folder holds something that is not a sample.
    """
    out = out.expanduser().absolute()
    found = read_parameters(out)
    if found is None or not all((out / file).is_file() for file in found["rows"]):
        return False
    wanted = {"customers": customers, "seed": seed, "generator": generator_digest()}
    is_same = all(found["parameters"].get(name) == value for name, value in wanted.items())
    return is_same and found["parameters"].get("days", 0) == days


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
