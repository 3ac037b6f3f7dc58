"""The model: by which parameters and frequencies pairs are weighed, and how one is kept from version to version.

Change here what belongs to a model and when a kept one is used. How parameters are learned is in `training`, what is
compared in `comparisons`; what a score leads to is decided in `guards` and `clustering`.

A model is learned once and then kept with everything it took from the data: a run that learned anew would change links,
and so customers, because of records that have nothing to do with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipelines.clean.emails import PROVIDERS
from pipelines.clean.functions import sql_list
from pipelines.resolve.comparisons import COMPARISONS, FREQUENCY_COLUMNS, Comparison
from pipelines.resolve.folding import ESTABLISHED_BEARERS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.identity import IdentityConfig

SHIPPED = "shipped"  # the version of a model that learned nothing; it is not kept

# When more than this share of the pairs of one person differ clearly in a name or birth date, a difference in
# it is weighed. Below, it is a conflict: then it is rather a twin, a parent or a namesake than an error. Relatives
# share what is learned from, so a company of many families seems to differ in first names (.053 where every fiftieth is
# a twin). Last names differ by marriage in .032 of the sample, by error as well in .07 to .14 of the public sets.
UNRELIABLE_SHARES = {"first_name": 0.07, "last_name": 0.05, "birth_date": 0.05}

MODEL_COLUMNS = (
    "model_version text, fingerprint text, profile_count bigint, prior double, comparison text, level integer, "
    "label text, m double, u double, is_trained boolean"
)
FREQUENCY_TABLE_COLUMNS = "field text, value text, frequency double"
SURELY_SWAPPED = 4  # times as likely as that a first and last name stand where they belong
# No provider that is open to everybody counts as rarer, though hardly anybody of these people has chosen it.
USUAL_PROVIDER = 0.08
SHIPPED_OTHERS = 20  # people that the shipped probability of a value is worth beside those of a small list
BEARERS = "bearers of a first name"  # the field of the table of frequencies that counts last names


@dataclass(frozen=True)
class Model:
    """The parameters used.

    Attributes:
        version: name of the version it was learned in, or `SHIPPED`.
        comparisons: all of them, with the probabilities of their levels.
        prior: the probability that two profiles taken at random are one person.
        trained: names of the comparisons whose `m` was learned.
        profile_count: profiles it was learned from.
    """

    version: str
    comparisons: tuple[Comparison, ...]
    prior: float
    trained: tuple[str, ...] = ()
    profile_count: int = 0

    @property
    def is_learned(self) -> bool:
        """Whether its frequencies are those of the population: rare values then count for more."""
        return self.version != SHIPPED

    def is_reliable(self, field: str) -> bool:
        """Whether the records of one person hardly ever differ clearly in this field, as far as the data shows."""
        differing = [c.differing for c in self.comparisons if c.name == field and c.name in self.trained]
        return not differing or differing[0] < UNRELIABLE_SHARES[field]


def fingerprint(identity: IdentityConfig) -> str:
    """What a model must have been made for to be used: these comparisons, this seed, this `model` of `identity.yml`."""
    meaning = [
        (c.name, c.missing, [(level.name, level.condition, level.frequency_of) for level in c.levels])
        for c in COMPARISONS
    ]
    return hashlib.sha256(repr((meaning, identity.seed, identity.model)).encode()).hexdigest()[:16]


def load_model(connection: DuckDBPyConnection, identity: IdentityConfig) -> Model | None:
    """The kept model, None when there is none for this configuration; then `frequencies` is emptied as well.

    Reads `model` (`MODEL_COLUMNS`) and `frequencies` (`FREQUENCY_TABLE_COLUMNS`) in the current schema.
    """
    rows = connection.execute(
        f"{_PARAMETERS.format(table='model')} where fingerprint = ? and profile_count > 0 {_IN_ORDER}",
        [fingerprint(identity)],
    )
    found = rows.fetchall()
    if not found:
        forget_model(connection)
        return None
    return _assemble(found)


def forget_model(connection: DuckDBPyConnection) -> None:
    """Empty `model` and `frequencies`, so that a model is learned from the data alone."""
    connection.execute("delete from model; delete from frequencies")


def read_model(connection: DuckDBPyConnection, table: str) -> Model | None:
    """The model in this table, whatever it was made for; None when it compares otherwise than this software."""
    rows = connection.execute(f"{_PARAMETERS.format(table=table)} {_IN_ORDER}").fetchall()
    described = [(row[3], row[4]) for row in rows]
    known = sorted((c.name, position, level.name) for c in COMPARISONS for position, level in enumerate(c.levels))
    return _assemble(rows) if described == [(name, label) for name, _, label in known] else None


_PARAMETERS = "select model_version, profile_count, prior, comparison, label, m, u, is_trained from {table}"
_IN_ORDER = "order by comparison, level"


def _assemble(rows: Sequence[tuple[Any, ...]]) -> Model:
    levels = {name: list(of_it) for name, of_it in groupby(rows, key=lambda row: row[3])}
    return Model(
        version=rows[0][0],
        comparisons=tuple(
            c.with_probabilities([row[5] for row in levels[c.name]], [row[6] for row in levels[c.name]])
            for c in COMPARISONS
        ),
        prior=rows[0][2],
        trained=tuple(c.name for c in COMPARISONS if levels[c.name][0][7]),
        profile_count=rows[0][1],
    )


def save_model(connection: DuckDBPyConnection, model: Model, identity: IdentityConfig) -> None:
    """Replace the rows of `model`: one per comparison and level."""
    connection.execute("delete from model")
    mark = fingerprint(identity)
    connection.executemany(
        "insert into model values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(model.version, mark, model.profile_count, model.prior),
                *(c.name, position, level.name, level.m, level.u, c.name in model.trained),
            )
            for c in model.comparisons
            for position, level in enumerate(c.levels)
        ],
    )


def keep_common_values(connection: DuckDBPyConnection) -> None:
    """Fill `frequencies` for the shipped model: of values that are more common here than it takes any to be.

    How common one is says the share of the others who have it too. They are told by the first letters of their names,
    so that errors in one name make no others.
    """
    for column, u in {level.frequency_of: level.u for c in COMPARISONS for level in c.levels}.items():
        if column is None:
            continue
        connection.execute(
            f"""
            insert into frequencies
            with everybody as (
                select count(distinct (first_name[1], last_name[1])) - 1 as others from scored_profiles
            ),
            carried as (
                select {column} as value, count(distinct (first_name[1], last_name[1])) - 1 as others
                from scored_profiles where {column} is not null group by all
            )
            select $1, value, (carried.others + {SHIPPED_OTHERS} * $2) / (everybody.others + {SHIPPED_OTHERS})
            from carried cross join everybody where carried.others > $2 * everybody.others
            union all
            select $1, null, $2
            order by value
            """,
            [column, u],
        )


# How often a name stands in its field, or in the other one where it stands in its own by mistake: where mostly the
# first name is so much more often a last name, and the last name a first name, that they are swapped (Svensson Carl,
# not Hans Peter). A swapped name is rare in its field and says no more than one that is not.
_NAME_TIMES = """
create table name_times as
with stated as (
    select 'first_name' as field, first_name as value, count(*) as times from scored_profiles
    where first_name is not null group by value
    union all
    select 'last_name', last_name as value, count(*) from scored_profiles where last_name is not null group by value
),
known as (
    select stated.field, stated.value, stated.times, coalesce(other.times, 0) as elsewhere
    from stated left join stated as other on other.value = stated.value and other.field <> stated.field
),
swapped as (
    select p.first_name, p.last_name
    from scored_profiles as p
    join known as f on f.field = 'first_name' and f.value = p.first_name
    join known as l on l.field = 'last_name' and l.value = p.last_name
    where f.elsewhere * l.elsewhere > {swapped} * f.times * l.times
),
mistaken as (
    select field, value, count(*) as times from (
        select 'first_name' as field, first_name as value from swapped
        union all
        select 'last_name', last_name from swapped)
    group by field, value
)
select field, value,
    case when 2 * mistaken.times > known.times then greatest(known.times, elsewhere) else known.times end as times
from known left join mistaken using (field, value)
"""


def _count_values(column: str) -> str:
    """SQL for the values of the column and how often each counts."""
    if column in ("first_name", "last_name"):
        return f"select value, times from name_times where field = '{column}'"
    counted = f"select {column} as value, count(*) as times from scored_profiles group by all"
    if column != "email_domain":
        return counted
    providers = f"select unnest([{sql_list(PROVIDERS)}]), {USUAL_PROVIDER} * count(email_domain) from scored_profiles"
    return f"select value, max(times) as times from ({counted} union all {providers}) group by value"


def freeze_frequencies(connection: DuckDBPyConnection) -> None:
    """Fill `frequencies` from `scored_profiles` and `first_names`: shares of the profiles with the field, 0 to 1.

    Values that occur once are not kept; they have the frequency of the row without a value. Swapped names are as
    frequent as in their own field, providers that are open to everybody as usual at least.
    """
    connection.execute(_NAME_TIMES.format(swapped=SURELY_SWAPPED))
    for column in FREQUENCY_COLUMNS:
        connection.execute(
            f"""
            insert into frequencies
            with counted as ({_count_values(column)}),
            total as (select count({column}) as times from scored_profiles)
            select ?, value, counted.times / total.times
            from counted cross join total where counted.times > 1 and value is not null
            union all
            select ?, null, 1 / times from total where times > 0
            order by value
            """,
            [column, column],
        )
    connection.execute("drop table name_times")
    connection.execute(
        "insert into frequencies select ?, first_name, usage.bearers from first_names "
        "where usage.bearers >= ? order by first_name",
        [BEARERS, ESTABLISHED_BEARERS],
    )
