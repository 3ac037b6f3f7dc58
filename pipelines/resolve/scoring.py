"""Score pairs of profiles with Splink, under a given model.

Change here what of a profile is compared and how pairs are handed to Splink. Where the parameters come from is in
`training` and `model`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pipelines.resolve.comparisons import DERIVED, FREQUENCY_COLUMNS, splink_settings
from pipelines.resolve.kept import load_known_scores

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.resolve.model import Model
    from pipelines.settings import Settings

PAIRS_AT_ONCE = 2_000_000  # take about half a gigabyte

# Splink's note on pairs that were handed over: with it the profiles they name are copied, once for either side, before
# they are joined. That pays where few are named; where most are, weighing without it takes half the time.
CHOOSES_PROFILES = "registered_for_predict"
FEW_PAIRS = 0.2  # of the number of profiles


def create_scored_profiles(connection: DuckDBPyConnection) -> int:
    """Create `scored_profiles`, the profiles of which enough is known to be compared; returns their number.

    `content` is the hash of everything that is compared: profiles with the same one are weighed alike.
    """
    of_mailbox = ", ".join(f"{sql} as {name}" for name, sql in DERIVED.items() if name.startswith("email_"))
    connection.execute(
        f"""
        create table sounds as
        select last_name, {DERIVED["last_sound"]} as last_sound, any_value(last_spelling) as last_spelling
        from forms where last_name is not null group by last_name;
        create table mailboxes as
        select email, first_name, last_name, {of_mailbox}
        from (select distinct email, first_name, last_name from profiles where email is not null);
        create table scored_profiles as
        with compared as (
            select n, squeeze(first_name) as first_name, squeeze(last_name) as last_name,
                list_transform(first_names.usage.stands_for, lambda name: squeeze(name)) as stands_for,
                first_names.usage.spelling as first_spelling, last_spelling, last_sound,
                strftime(birth_date, '%Y%m%d') as birth_date, epoch_ms(birth_date)::bigint // 86400000 as birth_day,
                p.email, email_user, email_plain, email_digits,
                case when len(phones) > 0 then phones end as phones,
                email_domain,
                street, house_number, postal_code, city, identifier_kinds, identifier_values,
            from profiles as p
            left join first_names using (first_name) left join sounds using (last_name)
            left join mailboxes as m on m.email = p.email
                and m.first_name is not distinct from p.first_name and m.last_name is not distinct from p.last_name
            where person_kind is distinct from 'role_mailbox'
              and (first_name is not null or last_name is not null or birth_date is not null)
        )
        select *, hash(*columns(* exclude (n))) as content from compared;
        drop table mailboxes; drop table sounds;
        """
    )
    row = connection.execute("select count(*) from scored_profiles").fetchone()
    return int(row[0]) if row else 0


def score_pairs(connection: DuckDBPyConnection, settings: Settings, model: Model) -> int:
    """Create `scores` (`a`, `b`, `match_weight`, `match_probability`): one row per pair of `blocked_pairs`.

    Pairs that this model has weighed in an earlier run are not weighed again. Returns the number of those that were.
    """
    create_scores(connection)
    load_known_scores(connection, settings, model)
    count = weigh_pairs(connection, model)
    connection.execute("drop table blocked_pairs")
    return count


def create_scores(connection: DuckDBPyConnection) -> None:
    """Create `scores` without a row."""
    connection.execute("create table scores (a integer, b integer, match_weight double, match_probability double)")


def weigh_pairs(connection: DuckDBPyConnection, model: Model) -> int:
    """Add the pairs of `blocked_pairs` to `scores`; returns their number.

    They are weighed a part at a time, so that memory does not grow with their number.
    """
    row = connection.execute("select count(*) from blocked_pairs").fetchone()
    count = int(row[0]) if row else 0
    if not count:
        return 0
    row = connection.execute("select count(*) from scored_profiles").fetchone()
    profile_count = int(row[0]) if row else 0
    linker, api = _open_linker(connection, model)
    for column in FREQUENCY_COLUMNS:
        linker.table_management.register_term_frequency_lookup(
            api.register(_create_frequencies(connection, column)), column
        )
    for part, first in enumerate(range(0, count, PAIRS_AT_ONCE)):
        table = f"weighed_{part}"
        connection.execute(
            f"create table {table} as select '0' as match_key, join_key_l, join_key_r from blocked_pairs "
            f"where rowid between {first} and {first + PAIRS_AT_ONCE - 1}"
        )
        pairs = linker.table_management.register_blocked_pairs_for_predict(api.register(table))
        pairs.metadata[CHOOSES_PROFILES] = min(count, PAIRS_AT_ONCE) < profile_count * FEW_PAIRS
        predictions = linker.inference.predict(warning_mode="never")
        # Sums of floats depend on the order of threads in the last digits; an ordering must not.
        connection.execute(
            f"""
            insert into scores
            select least(n_l, n_r), greatest(n_l, n_r), round(match_weight, 4), round(match_probability, 6)
            from {predictions.physical_name};
            drop table {table}
            """
        )
        linker.table_management.delete_tables_created_by_splink_from_db()
    return count


def _create_frequencies(connection: DuckDBPyConnection, column: str) -> str:
    """Create the table of frequencies in Splink's form, for the values at hand; returns its name.

    A value that the model does not know is as frequent as one that it saw once.
    """
    table = f"frequencies_{column}"
    connection.execute(
        f"""
        create or replace table {table} as
        select {column}, coalesce(known.frequency, rarest.frequency) as tf_{column}
        from (select distinct {column} from scored_profiles where {column} is not null)
        left join (from frequencies where field = '{column}') as known on known.value = {column}
        left join (from frequencies where field = '{column}' and value is null) as rarest on true
        """
    )
    return table


def _open_linker(connection: DuckDBPyConnection, model: Model) -> tuple[Any, Any]:
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=connection)
    settings = splink_settings(model.comparisons, model.prior)
    return Linker(api.register("scored_profiles"), settings, validate_settings=False, log_level=None), api
