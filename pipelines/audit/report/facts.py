"""What the report shows of a build beside its rules: read from its tables, as counts and patterns, never a value.

Add a fact here when an owner needs it to decide what to do next. How it is shown is in the template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.warehouse import names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = Mapping[str, Any]

# About so many corrections are looked at for patterns, of however many there are.
PATTERN_SAMPLE = 50_000
PATTERNS_PER_RULE = 2

# By name: the tables that must be there, and the query. A fact whose tables are missing has no rows.
FACTS: dict[str, tuple[tuple[str, ...], str]] = {
    "sources": (
        ("raw.reconciliation",),
        "select source_system as source, bool_and(is_enabled) as is_enabled, max(loaded_at) as loaded_at, "
        "max(failed_at) as failed_at, sum(delivered_count)::bigint as delivered, sum(new_count)::bigint as new, "
        "sum(changed_count)::bigint as changed, sum(revived_count)::bigint as revived, "
        "sum(deleted_count)::bigint as deleted, sum(rejected_count)::bigint as rejected, "
        "sum(superseded_count + repeated_count)::bigint as doubled, sum(quarantined_count)::bigint as quarantined "
        "from raw.reconciliation group by source_system order by source_system",
    ),
    "rejects": (
        ("raw.rejects",),
        "select source_system as source, entity, field, reason, count(*) as records "
        "from raw.rejects group by all order by source_system, entity, field, reason",
    ),
    "corrections": (
        ("clean.correction_plan",),
        "select field, rule, status, count(distinct source_system) as sources, "
        "sum(correction_count)::bigint as corrections, min(lowest_confidence) as confidence "
        "from clean.correction_plan group by field, rule, status order by corrections desc, field, rule, status",
    ),
    "cluster_sizes": (
        ("identity.members",),
        "select least(records, 6) as records, count(*) as customers from "
        "(select count(*) as records from identity.members group by customer_id) group by 1 order by 1",
    ),
    "links": (
        ("identity.links",),
        "select method, rule, count(*) as pairs from identity.links group by all order by pairs desc, method, rule",
    ),
    "refused_links": (
        ("identity.refused_links",),
        "select reason, count(*) as pairs from identity.refused_links group by all order by pairs desc, reason",
    ),
    "drifted": (
        ("identity.model_fit",),
        "select figure, field, learned, observed, is_learned_anew from identity.model_fit where is_drifted "
        "order by figure, field",
    ),
    "diff": (("identity.diff",), "from identity.diff"),
    "overrides": (
        ("identity.overrides",),
        "select kind, status, count(*) as decisions, string_agg(case when status not in ('in_force', 'inactive') then "
        "line || coalesce(' ⇄ ' || nullif(array_to_string(conflicting_lines, ', '), ''), '') end, "
        "'; ' order by line) as lines from identity.overrides group by kind, status order by kind, status",
    ),
    "permissions": (
        ("marts.permissions_current",),
        "select channel, purpose, status, count(*) filter (is_permitted) as permitted, count(*) as contact_points "
        "from marts.permissions_current group by all order by channel, purpose, contact_points desc, status",
    ),
    "contactable": (
        ("marts.customers",),
        "unpivot (select count(*) filter (is_contactable_email) as email, count(*) filter (is_contactable_sms) as sms, "
        "count(*) filter (is_contactable_messenger) as messenger, count(*) filter (is_contactable_phone) as phone, "
        "count(*) filter (is_contactable_post) as post, count(*) filter (is_contactable_ad_platform) as ad_platform "
        "from marts.customers) on columns(*) into name channel value customers",
    ),
    "audiences": (
        ("activation.audiences",),
        "select audience, channel, purpose, matched_count, member_count, left_out_count "
        "from activation.audiences order by audience",
    ),
}


@dataclass(frozen=True)
class Pattern:
    """How a rule changes values: a form before and after, such as `AAA` and `Aaa`, and how many in the sample."""

    before: str
    after: str
    count: int


@dataclass(frozen=True)
class Facts:
    """Rows by the name of the fact, and patterns by field and rule of cleaning."""

    rows: Mapping[str, Sequence[Row]]
    patterns: Mapping[tuple[str, str], Sequence[Pattern]]


def read_facts(connection: DuckDBPyConnection) -> Facts:
    """Every fact of the build the connection is to."""
    there = names_of_tables(connection)
    rows = {
        name: _rows(connection, query) if there.issuperset(tables) else [] for name, (tables, query) in FACTS.items()
    }
    patterns = _read_patterns(connection) if "clean.corrections" in there else {}
    return Facts(rows, patterns)


def _rows(connection: DuckDBPyConnection, query: str) -> list[Row]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def pattern_sql(value: str) -> str:
    """SQL of the form of a text: a capital is A, a small letter a, a digit 9, runs of three and more are three.

    Nobody can be recognized by it: neither letters nor their number are left.
    """
    form = f"regexp_replace({value}, '\\p{{Lu}}', 'A', 'g')"
    form = f"regexp_replace({form}, '[^\\P{{L}}A]', 'a', 'g')"
    form = f"regexp_replace({form}, '\\p{{N}}', '9', 'g')"
    form = f"regexp_replace({form}, '[^Aa9 -/:-@\\[-`{{-~]', '?', 'g')"
    for character in ("A", "a", "9", "\\?"):
        form = f"regexp_replace({form}, '{character}{{3,}}', '{character.lstrip(chr(92)) * 3}', 'g')"
    return f"coalesce(left({form}, 40), '')"


def _read_patterns(connection: DuckDBPyConnection) -> dict[tuple[str, str], list[Pattern]]:
    """The most frequent forms before and after, by field and rule.

    Of many corrections those of some records are looked at: their keys are hashes, so the first of them are a fair
    sample, and the same one every time.
    """
    row = connection.execute("select count(*) from clean.corrections").fetchone()
    share = min(1.0, PATTERN_SAMPLE / max(1, row[0] if row else 1))
    limit = "r_" + f"{int(share * 0xFFFFFF):06x}"
    sample = "true" if share == 1 else f"record_key < '{limit}'"
    found = connection.execute(
        f"""
        with forms as (
            select field, rule, {pattern_sql("before")} as before, {pattern_sql("after")} as after
            from clean.corrections where {sample}
        ),
        counted as (select field, rule, before, after, count(*) as count from forms group by all),
        ranked as (
            select *, row_number() over (partition by field, rule order by count desc, before, after) as rank
            from counted
        )
        select field, rule, before, after, count from ranked where rank <= {PATTERNS_PER_RULE}
        order by field, rule, rank
        """
    ).fetchall()
    patterns: dict[tuple[str, str], list[Pattern]] = {}
    for field, rule, before, after, count in found:
        patterns.setdefault((field, rule), []).append(Pattern(before, after, count))
    return patterns
