"""From people to the records that one system keeps of them.

Add here what all systems have in common: who is recorded, since when, which fields are filled at all. The names
and formats of a system's own fields belong to that system's module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Calendar, Chance, Random, numbers_as_texts, scattered, texts
from pipelines.sample.noise import Rates, apply_noises

# Share of the records in which a system asks for a field at all; what is not named is always asked for.
ASKED = {
    "crm": {"birth_date": 0.60},
    "shop": {"birth_date": 0.25},
    "support": {"phone": 0.50, "mobile": 0.60, "birth_date": 0.0},
    "mail_order": {"birth_date": 0.30, "mobile": 0.50},
    "cards": {"phone": 0.20},
}


def keep_records(
    persons: pd.DataFrame, system: str, prefix: str, first_id: int, calendar: Calendar, chance: Chance, rates: Rates
) -> pd.DataFrame:
    """One row per record that `system` keeps of these people, with `record_id`, `copy_of`, `created_at`, `updated_at`.

    `copy_of` is the `row` of the person's first record in this system, -1 for first records.
    """
    random = chance.stream(f"records {system}")
    records = blank_records(persons)
    for name, share in ASKED[system].items():
        records[name] = records[name].where(random.random(len(records)) < share)
    if system == "crm":
        records["birth_date"] = texts(records["birth_date"].dt.strftime("%d.%m.%Y"))
    records = apply_noises(records, system, rates, chance)
    records["record_id"] = prefix + numbers_as_texts(scattered(len(records), chance.number(first_id), random))
    add_lifetimes(records, calendar, random)
    return records


def blank_records(persons: pd.DataFrame) -> pd.DataFrame:
    """The people as records before any noise."""
    records = persons.reset_index(drop=True)
    records["full_name"] = texts([None] * len(records))
    records["row"] = np.arange(len(records))
    records["copy_of"] = -1
    return records


def add_lifetimes(records: pd.DataFrame, calendar: Calendar, random: Random) -> None:
    """`created_at` early on the day of first contact, before anything else of that day; `updated_at` at or after it."""
    since = records["since_days"].to_numpy()
    early = random.integers(4 * 3600, 6 * 3600, len(records)).astype("timedelta64[s]")
    created = calendar.days(since).astype("datetime64[s]") + early
    records["created_at"] = created
    changed = calendar.moments(later(since, random), random)
    records["updated_at"] = np.where(random.random(len(records)) < 0.6, changed, created)


def later(days_ago: Array, random: Random) -> Array:
    """For each day one that is not earlier, at the latest yesterday."""
    return 1 + ((np.asarray(days_ago) - 1) * random.random(len(days_ago))).astype(int)
