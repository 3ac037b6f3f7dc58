"""The countries of the world: their codes, the names people write, and the form of their postal codes.

The list is `countries.csv` (ISO 3166; names from Unicode CLDR in German, English, Dutch, French, Spanish, Italian,
Polish and the country's own languages, and usual variants). Add a name or a form there.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COUNTRIES_FILE = Path(__file__).with_name("countries.csv")


@dataclass(frozen=True)
class Country:
    """`postal_code` is a regular expression over the whole code, or None where the form is not checked."""

    iso2: str
    iso3: str
    postal_code: str | None
    names: tuple[str, ...]


@cache
def load_countries() -> tuple[Country, ...]:
    with COUNTRIES_FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Country(row["iso2"], row["iso3"], row["postal_code"] or None, tuple(row["names"].split("|")))
            for row in csv.DictReader(file)
        )


def create_country_names(connection: DuckDBPyConnection) -> None:
    """Create the temporary table `country_names(folded_name, iso2)` and the macro `country_code(written)` over it.

    A name is found whatever its case, accents and punctuation, with umlauts as letters, digraphs or plain vowels.
    """
    names, codes = zip(
        *[(name, c.iso2) for c in load_countries() for name in (c.iso2, c.iso3, *c.names)],
        strict=True,
    )
    connection.execute(
        """
        create or replace temp table country_names as
        with names as (select unnest($1) as name, unnest($2) as iso2)
        select folded_name, any_value(iso2) as iso2
        from (
            select folded(name) as folded_name, iso2 from names
            union
            select folded(strip_accents(name)), iso2 from names
        )
        where folded_name <> ''
        group by folded_name
        having count(*) = 1
        """,
        [list(names), list(codes)],
    )
    # No column of the table may be named like a column the macro is used on: the argument would mean the inner one.
    connection.execute(
        "create or replace temp macro country_code(written) as "
        "(select iso2 from country_names where folded_name = folded(written))"
    )
