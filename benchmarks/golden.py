"""`python -m benchmarks.golden --data DIR`: how often the golden record says what is true, per field and strategy.

The data folder holds a finished run on the sample company, whose people are made again from the parameters of the
sample. Every line of the table is another `survivorship.yml`, put through the real models on a copy of the build.
A customer stands for the person to whom most of its records belong; a value that is missing says nothing false.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from pipelines.build import current_build
from pipelines.configuration import Configuration, load_configuration
from pipelines.configuration.survivorship import CONTACT_KINDS, DefaultRule, GroupRule, SurvivorshipConfig
from pipelines.policies import write_policies
from pipelines.settings import Settings
from pipelines.transform import run_dbt
from pipelines.warehouse import connect, literal

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

# The truth of each field of the golden record: an expression over a person, or several that are all true.
FIELDS = {
    "first_name": ("first_name",),
    "last_name": ("last_name",),
    "email": ("email", "second_email"),
    "phone": ("phone", "office_phone", "mobile"),  # what a shop asks for is often a mobile number
    "mobile": ("mobile",),
    "street": ("street_name",),
    "house_number": ("house_number",),
    "postal_code": ("postal_code",),
    "city": ("city",),
    "birth_date": ("birth_date::date",),
    "gender": ("gender",),
}
MODELS = ["int_golden_groups_chosen", "customer_profiles"]
# Spelling is the business of cleaning, not of survivorship.
FOLDED = "replace(replace(replace(replace(lower({}::text), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss')"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder with a finished run on the sample")
    parser.add_argument("--sample", type=Path, help="folder of the sample; by default the one in the data folder")
    arguments = parser.parse_args()
    settings = Settings.from_environment({**os.environ, "KUNDENSTAMM_DATA_DIR": str(arguments.data)})
    print_table(settings, arguments.sample or settings.sample_dir)


def print_table(settings: Settings, sample: Path) -> None:
    """One line for each way to survive: the share of values that are true, per field."""
    table = Table(title="Golden values that are true, of those that are there", title_justify="left")
    for name in ("survivorship", *FIELDS, "all", "values"):
        table.add_column(name, justify="left" if name == "survivorship" else "right")
    with tempfile.TemporaryDirectory(prefix="golden-", dir=settings.data_dir) as folder:
        copy = replace(settings, data_dir=Path(folder))
        copy.build_dir.mkdir()
        for name in ("warehouse.duckdb", "shared.duckdb", "interim.duckdb", "build.json"):
            shutil.copy(settings.build_dir / name, copy.build_dir / name)
        configuration = load_configuration(settings)
        truth = tell_truth(json.loads((sample / "sample.json").read_text())["parameters"])
        for title, survivorship in _alternatives(configuration.survivorship):
            found = _measure(copy, replace(configuration, survivorship=survivorship), sample, truth)
            right, there = (sum(figures[i] for figures in found.values()) for i in (0, 1))
            shares = [f"{r / t:.4f}" if t else "" for r, t in found.values()]
            table.add_row(title, *shares, f"{right / there:.4f}", f"{there:,}")
    Console(width=200).print(table)


def tell_truth(parameters: dict[str, Any]) -> pd.DataFrame:
    """The people of a sample as they are, one row each, by the parameters it was made with."""
    import pandas as pd

    from pipelines.sample.chance import CHUNK_PERSONS, Calendar, Chance
    from pipelines.sample.companies import create_companies, employ_persons
    from pipelines.sample.noise import apply_noises
    from pipelines.sample.persons import create_persons

    calendar = Calendar.at(date.fromisoformat(parameters["as_of"]))
    chunks = []
    for chunk, first in enumerate(range(0, parameters["customers"], CHUNK_PERSONS)):
        size, chance = min(CHUNK_PERSONS, parameters["customers"] - first), Chance(parameters["seed"], chunk)
        companies = create_companies(size, calendar, chance)
        persons = employ_persons(create_persons(size, calendar, chance), companies, chance)
        chunks.append(apply_noises(persons, "persons", parameters["rates"], chance))
    columns = {expression.split("::")[0] for expressions in FIELDS.values() for expression in expressions}
    return pd.concat(chunks, ignore_index=True)[["person", *sorted(columns)]]


def _alternatives(shipped: SurvivorshipConfig) -> Iterator[tuple[str, SurvivorshipConfig]]:
    """The owner's own configuration, then one for each first strategy, everything else being equal."""
    yield "survivorship.yml", shipped
    sources = {group: GroupRule(sources=shipped.sources(group)) for group in shipped.groups}
    orders: Sequence[tuple[Any, ...]] = (
        ("source_priority", "most_recent"),
        ("most_recent",),
        ("most_frequent", "most_recent"),
        ("most_complete", "source_priority", "most_recent"),
        ("most_complete", "most_recent"),
        ("most_complete", "most_frequent", "source_priority", "most_recent"),
        ("most_complete", "most_frequent", "most_recent"),
    )
    for order in orders:
        default = DefaultRule(strategies=order, sources=shipped.default.sources)
        yield _title(order), SurvivorshipConfig(default=default, groups=sources)
    verified = ("longest_verified", "most_complete", "most_frequent", "source_priority", "most_recent")
    groups = {
        group: GroupRule(strategies=verified, sources=shipped.sources(group))  # type: ignore[arg-type]
        for group in CONTACT_KINDS
    }
    default = DefaultRule(strategies=verified[1:], sources=shipped.default.sources)  # type: ignore[arg-type]
    yield _title(verified), SurvivorshipConfig(default=default, groups=groups)


def _title(order: Sequence[str]) -> str:
    """The strategies in short: `complete, source, recent`."""
    return ", ".join(strategy.removeprefix("most_").removeprefix("longest_").split("_")[0] for strategy in order)


def _measure(
    settings: Settings, configuration: Configuration, sample: Path, truth: pd.DataFrame
) -> dict[str, tuple[int, int]]:
    """Per field how many values are true, and how many there are."""
    with connect(settings.build_warehouse, settings) as connection:
        write_policies(connection, configuration, current_build(settings))
    run_dbt(settings, "run", MODELS)
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        connection.register("people", truth)
        return {field: _compare(connection, sample, field, expressions) for field, expressions in FIELDS.items()}


def _compare(connection: DuckDBPyConnection, sample: Path, field: str, expressions: Sequence[str]) -> tuple[int, int]:
    golden = FOLDED.format(f"profiles.{field}")
    is_true = " or ".join(
        f"coalesce({golden} = {FOLDED.format(f'people.{expression}')}, false)" for expression in expressions
    )
    [(right, there)] = connection.execute(
        f"""
        with records as (
            select customer_id, person, count(*) as record_count
            from identity.members
            join clean.persons using (record_key)
            join {literal(sample / "truth" / "persons.parquet")} using (source_system, entity, source_record_id)
            group by all
        ),
        owners as (
            select customer_id, arg_max(person, (record_count, person)) as person from records group by all
        )
        select count(*) filter ({is_true}), count(profiles.{field})
        from marts.customer_profiles as profiles
        join owners using (customer_id)
        join people on 'p' || lpad(people.person::text, 7, '0') = owners.person
        """
    ).fetchall()
    return int(right), int(there)


if __name__ == "__main__":
    main()
