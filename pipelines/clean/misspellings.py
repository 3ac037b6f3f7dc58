"""Names one slip away from a frequent one: what a slip is, and the typing errors in first names.

Add here how slips are found for a further kind of word. Places are known by their postal code and have their own
module, `places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pipelines.clean.functions import sql_list
from pipelines.clean.rules import Rule, Status
from pipelines.first_names import EITHER, FEMALE, MALE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import FirstNameTypo

SHORTEST_NAME = 4  # one letter of a shorter name makes another one: Ina, Ida, Pia
# Of several frequent names in reach, one has to be so much more frequent than all others together.
CLEAR_SHARE = 0.9


def first_name_typo(entry: FirstNameTypo) -> Sequence[Rule]:
    """A rare first name one slip away from a frequent one. Maike is a name, too, so this alone proves little."""
    return (
        Rule(
            "first_name_typo",
            {"first_name": "(select meant from name_typos where written = first_name)"},
            when=f"first_name in (select written from name_typos where share >= {CLEAR_SHARE})",
            confidence="(select 0.8 * share from name_typos where written = first_name)",
            status=Status.PROPOSED,
            prepare=partial(_find_typos, entry=entry),
        ),
    )


def first_name_typo_by_email(entry: FirstNameTypo) -> Sequence[Rule]:
    """The same where the person's mailbox says which name is meant, and does not say the one that is written."""
    return (
        Rule(
            "first_name_typo_by_email",
            {"first_name": "(select meant from typos_by_email where typos_by_email.id = name_drafts.id)"},
            when="id in (select id from typos_by_email)",
            confidence=0.97,
            prepare=partial(_find_typos_by_email, entry=entry),
        ),
    )


def _find_typos(connection: DuckDBPyConnection, draft: str, entry: FirstNameTypo) -> None:
    """Make `name_typos`: first names as written with the frequent ones that may be meant, the likeliest for each.

    Two words one slip apart (a letter missing, too much, another one, or two of them swapped) have a form in common
    that lacks one letter: names are compared only with those, so that it grows with the names and not their pairs.
    """
    connection.execute(
        f"""
        create or replace temp table name_candidates as
        with written as (
            select first_name, folded(first_name) as name, sum(weight) as uses
            from {draft}
            where first_name is not null and not regexp_matches(first_name, '[\\s.-]') group by first_name
        ),
        names as (
            select name, sum(uses) as uses, arg_max(first_name, (uses, first_name)) as spelling,
                list(first_name) as spellings
            from written
            where length(name) >= {SHORTEST_NAME} - 1
            group by name
        ),
        known as (select unnest([{sql_list((*FEMALE, *MALE, *EITHER))}]) as first_name),
        forms as (
            select name, uses, unnest(list_prepend(name, deletions(name))) as form from names
        ),
        pairs as (
            select distinct rare.name as rare, frequent.name as frequent, rare.uses as rare_uses, frequent.uses
            from forms as rare
            inner join forms as frequent using (form)
            where frequent.uses >= {entry.min_uses} and rare.uses <= greatest(1, {entry.max_share} * frequent.uses)
                and rare.name <> frequent.name and length(rare.name) >= {SHORTEST_NAME}
                and length(frequent.name) >= {SHORTEST_NAME}
                and rare.name not in (select folded(first_name) from known)
                and damerau_levenshtein(rare.name, frequent.name) = 1
        )
        select unnest(rare.spellings) as written, meant.spelling as meant, rare.name as written_name,
            meant.name as meant_name, pairs.uses / sum(pairs.uses) over (partition by pairs.rare) as share
        from pairs
        inner join names as rare on rare.name = pairs.rare
        inner join names as meant on meant.name = pairs.frequent
        """
    )
    connection.execute(
        """
        create or replace temp table name_typos as
        select written, arg_max(meant, (share, meant)) as meant, max(share) as share
        from name_candidates group by written
        """
    )


def _find_typos_by_email(connection: DuckDBPyConnection, draft: str, entry: FirstNameTypo) -> None:
    """Make `typos_by_email`: the ids of names, and which first name the mailbox of their records says is meant."""
    _find_typos(connection, draft, entry)
    connection.execute(
        f"""
        create or replace temp table typos_by_email as
        with told as (
            select distinct names.id, candidates.meant
            from {draft} as names
            inner join name_candidates as candidates on candidates.written = names.first_name
            inner join person_drafts as persons on persons.name_id = names.id
            where list_contains(
                    list_transform(
                        regexp_split_to_array(lower(split_part(persons.email, '@', 1)), '[^\\p{{L}}]+'),
                        lambda part: folded(part)
                    ),
                    candidates.meant_name
                )
        )
        select id, min(meant) as meant from told group by id having count(*) = 1
        """
    )
