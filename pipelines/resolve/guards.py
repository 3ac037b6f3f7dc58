"""What forbids a link: hard conflicts between two records, and between the records of two clusters.

Add here a reason why two records cannot be one person whatever else they share. Which edges are cut because of it is
decided in `clustering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# In a component of more spellings than this, a crowd, only spellings that are linked directly count as compatible.
CROWD_FORMS = 300


def judge_edges(connection: DuckDBPyConnection, match_probability: float) -> None:
    """Create `candidates` and `score_refusals`: the edges that no conflict between their two records forbids.

    `candidates` has one row per pair (a < b): exact edges before scored ones in `rank`, then by weight.
    """
    connection.execute(_JUDGED_SCORES, [match_probability])
    connection.execute(
        """
        create table candidates as
        select a, b, 'exact' as method, rule, rank, null::double as match_weight, null::double as match_probability
        from exact_edges
        union all
        select a, b, 'probabilistic', 'splink', 100, match_weight, match_probability
        from judged_scores where reason is null
        """
    )
    connection.execute(
        """
        create table score_refusals as
        select a, b, 'splink' as rule, match_weight, reason from judged_scores where reason is not null
        """
    )
    connection.execute("drop table judged_scores")


def find_component_conflicts(connection: DuckDBPyConnection) -> None:
    """Create `conflicts` and `crowds` for the connected components in `components` (`n`, `component`).

    - `conflicts`: one row per component and pair of its forms that cannot be one person, with the reason.
    - `crowds`: the components with too many forms to compare all with all.
    """
    connection.execute(_CONFLICTS.format(crowd=CROWD_FORMS))


# A name is no proof by itself, however rare: something besides must agree.
_IS_CORROBORATED = """(
    l.email = r.email or split_part(l.email, '@', 1) = split_part(r.email, '@', 1)
    or jaro_winkler_similarity(l.email, r.email) >= 0.94
    or list_has_any(l.phones, r.phones)
    or birth_dates_agree(l.birth_date, r.birth_date)
    or l.postal_code = r.postal_code or l.city = r.city or l.street = r.street
)"""

_REASON = """
    case
        when first_names_agree(fl.first_name, fl.bearers, fr.first_name, fr.bearers) = false
             and not are_swapped(fl.first_name, fl.last_name, fr.first_name, fr.last_name)
            then 'different_first_names'
        when birth_dates_agree(fl.birth_date, fr.birth_date) = false then 'different_birth_dates'
    end
"""

_JUDGED_SCORES = f"""
create table judged_scores as
select a, b, match_weight, match_probability,
    coalesce({_REASON.strip()}, case when not coalesce({_IS_CORROBORATED}, false) then 'name_only' end) as reason,
from scores
join records as l on l.n = a join records as r on r.n = b
join forms as fl on fl.form = l.form join forms as fr on fr.form = r.form
where match_probability >= ?
"""

_CONFLICTS = f"""
create table component_forms as
select distinct component, form from components join records using (n)
where first_name is not null or birth_date is not null;
create table crowds as
select component from component_forms group by component having count(*) > {{crowd}};
create table conflicts as
with pairs as (
    select l.component, l.form as form_a, r.form as form_b
    from component_forms as l join component_forms as r on l.component = r.component and l.form < r.form
    where l.component not in (from crowds)
)
select * from (
    select component, form_a, form_b, {_REASON.strip()} as reason,
    from pairs join forms as fl on fl.form = form_a join forms as fr on fr.form = form_b
) where reason is not null
"""
