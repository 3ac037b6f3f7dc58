"""Whether households are people who live together, and whether people who live together stay people of their own.

Add a figure of households here. A customer stands for the person to whom most of its records belong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

MODELS = ["+household_members"]


@dataclass(frozen=True)
class Households:
    """Figures of one sample.

    Attributes:
        household_count: households of at least two customers.
        joined_pairs: pairs of customers in one household who are two people.
        wrong_pairs: of them those who do not live together.
        found_share: share of the pairs of people who live together under one name, both of them customers with that
            name and an address, who are in one household.
        home_count: homes of at least two people of whom records are known.
        fused_homes: of them those with a customer that holds records of two of its people.
    """

    household_count: int
    joined_pairs: int
    wrong_pairs: int
    found_share: float
    home_count: int
    fused_homes: int


def measure_households(connection: DuckDBPyConnection, truth: Path) -> Households:
    """Compare `marts.household_members` and `identity.members` with `persons` and `homes` in the folder `truth`."""
    connection.execute(
        f"""
        create or replace temp table lived as
        select members.customer_id, persons.person, homes.home
        from {literal(truth / "persons.parquet")} as persons
        join clean.persons as records using (source_system, entity, source_record_id)
        join identity.members as members using (record_key)
        join {literal(truth / "homes.parquet")} as homes on homes.person = persons.person;
        create or replace temp table owners as
        with counted as (
            select customer_id, person, any_value(home) as home, count(*) as record_count from lived group by all
        )
        select customer_id, arg_max(person, (record_count, person)) as person,
            arg_max(home, (record_count, person)) as home
        from counted group by customer_id
        """
    )
    row = connection.execute(_FIGURES).fetchone() or (0,) * 7
    households, joined, wrong, found, real, homes, fused = map(int, row)
    return Households(households, joined, wrong, found / real if real else 1.0, homes, fused)


_FIGURES = """
with grouped as (
    select household_id, owners.* from marts.household_members join owners using (customer_id)
),
pairs as (
    select l.home = r.home as is_home
    from grouped as l join grouped as r
        on l.household_id = r.household_id and l.customer_id < r.customer_id and l.person <> r.person
),
placed as (
    select owners.*, household_id, lower(last_name) as last_name
    from owners
    join marts.customer_profiles using (customer_id)
    left join marts.household_members using (customer_id)
    where street is not null and postal_code is not null and last_name is not null
),
families as (
    select l.household_id = r.household_id as is_found
    from placed as l join placed as r
        on l.home = r.home and l.last_name = r.last_name and l.customer_id < r.customer_id and l.person <> r.person
),
homes as (
    select home from lived group by home having count(distinct person) > 1
),
fused as (
    select distinct home from lived semi join homes using (home)
    group by home, customer_id having count(distinct person) > 1
)
select (select count(distinct household_id) from grouped), (select count(*) from pairs),
    (select count(*) filter (not is_home) from pairs), (select count(*) filter (is_found) from families),
    (select count(*) from families), (select count(*) from homes), (select count(*) from fused)
"""
