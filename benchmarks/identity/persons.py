"""Load a set with known truth into an empty warehouse as `clean.persons` and `truth`.

Add a mapping here for a further public set. Cleaning is left out on purpose: resolve is measured alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.clean.persons import PERSON_COLUMNS
from pipelines.overrides import TABLE_COLUMNS
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Mapping:
    """One file of a set: SQL for each column of `clean.persons` over the file's own columns, read as text."""

    file: str
    truth: str
    columns: dict[str, str]


_FEBRL = {
    "first_name": "given_name",
    "last_name": "surname",
    "street": "address_1",
    "house_number": "street_number",
    "postal_code": "postcode",
    "city": "suburb",
    "region": "state",
    "birth_date": "try_strptime(date_of_birth, '%Y%m%d')::date",
}

_WITH_NUMBER = {**_FEBRL, "identifiers": "json_object('soc_sec_id', nullif(trim(soc_sec_id), ''))"}

# The FEBRL sets have a national number, which few companies know: with it and without.
SETS: dict[str, tuple[Mapping, ...]] = {
    "febrl1": (Mapping("febrl1.csv", "febrl1_truth.csv", _WITH_NUMBER),),
    "febrl3": (Mapping("febrl3.csv", "febrl3_truth.csv", _WITH_NUMBER),),
    "febrl4": (
        Mapping("febrl4_a.csv", "febrl4_a_truth.csv", _WITH_NUMBER),
        Mapping("febrl4_b.csv", "febrl4_b_truth.csv", _WITH_NUMBER),
    ),
    "febrl4 without number": (
        Mapping("febrl4_a.csv", "febrl4_a_truth.csv", _FEBRL),
        Mapping("febrl4_b.csv", "febrl4_b_truth.csv", _FEBRL),
    ),
    "fake_1000": (
        Mapping(
            "fake_1000.csv",
            "fake_1000_truth.csv",
            {
                "first_name": "first_name",
                "last_name": "surname",
                "birth_date": "try_cast(dob as date)",
                "city": "city",
                "email_match": "lower(email)",
            },
        ),
    ),
}


def create_persons(connection: DuckDBPyConnection) -> None:
    """Create empty `clean.persons`, `clean.contact_points` and `truth` (`record_key`, `person`)."""
    connection.execute("create schema if not exists clean")
    connection.execute("create schema if not exists config")
    connection.execute(f"create or replace table config.overrides ({TABLE_COLUMNS})")
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in PERSON_COLUMNS.items())
    connection.execute(f"create or replace table clean.persons ({columns})")
    connection.execute(
        "create or replace table clean.contact_points (record_key text, source_system text, entity text, kind text, "
        "value text, contact_point_key text, is_primary boolean, is_valid boolean, "
        "valid_until timestamp)"
    )
    connection.execute("create or replace table clean.order_references (record_key text, buyer_record_key text)")
    connection.execute("create or replace temp table truth (record_key text, person text)")


def load_set(connection: DuckDBPyConnection, folder: Path, name: str) -> None:
    """Fill `clean.persons` and `truth` with one of `SETS` from `folder`."""
    create_persons(connection)
    for position, mapping in enumerate(SETS[name]):
        file, truth = literal(folder / mapping.file), literal(folder / mapping.truth)
        prefix = literal(f"{name}_{position}_")
        names = ", ".join(mapping.columns)
        values = ", ".join(
            f"nullif(trim(({sql})::text), '')" if c != "birth_date" else sql for c, sql in mapping.columns.items()
        )
        connection.execute(
            f"insert into clean.persons (record_key, source_system, role, entity, source_record_id, kind, is_deleted, "
            f"created_at, {names}) "
            f"select {prefix} || record_id, {prefix}, 'crm', 'contacts', record_id, 'person', false, "
            f"timestamp '2020-01-01', {values} from read_csv({file}, all_varchar = true)"
        )
        connection.execute(
            f"insert into truth select {prefix} || record_id, person from read_csv({truth}, all_varchar = true)"
        )


def load_truth(connection: DuckDBPyConnection, persons: str, file: Path) -> None:
    """Create `truth` from a file that names records by source_system, entity and source_record_id."""
    reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
    connection.execute(
        f"create or replace temp table truth as select p.record_key, t.person "
        f"from {reader}({literal(file)}) as t join {persons} as p "
        f"on (p.source_system, p.entity, p.source_record_id::text) "
        f"= (t.source_system, t.entity, t.source_record_id::text)"
    )
