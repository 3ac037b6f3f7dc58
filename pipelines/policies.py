"""Write what an owner decided into schema `config` of the build, so that SQL can read it as tables.

Add a table here when a dbt model needs a decision from `config/`. Each is one row per entry of its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.configuration.survivorship import CONTACT_KINDS, FIELD_GROUPS, FieldGroup, SurvivorshipConfig
from pipelines.overrides import write_overrides
from pipelines.warehouse import insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration

POSITIONS = 5  # of a list of strategies


def write_policies(connection: DuckDBPyConnection, configuration: Configuration, build: Build) -> None:
    """Replace every table of schema `config`: those of `_TABLES`, and `overrides`, whose keys need the secret."""
    company, survivorship = configuration.company, configuration.survivorship
    exclusions, value = configuration.exclusions, configuration.value
    rows: dict[str, list[tuple[object, ...]]] = {
        "build": [
            (
                build.build_id,
                build.version,
                build.as_of,
                build.base_version,
                configuration.digest,
                company.time_zone,
                company.base_currency,
                company.country,
            )
        ],
        "sources": [(s.name, s.role, s.controller, s.enabled) for s in configuration.sources],
        "survivorship": [_survivorship_row(survivorship, group) for group in FIELD_GROUPS],
        "source_priority": [
            (group, source, place)
            for group in FIELD_GROUPS
            for place, source in enumerate(survivorship.sources(group), start=1)
        ],
        "permission_bases": [
            (channel, basis) for channel, bases in configuration.permissions.channels.items() for basis in bases
        ],
        "exclusions": [
            (
                exclusions.open_critical_ticket,
                exclusions.missing_permission,
                exclusions.just_bought_days,
                exclusions.support_max_age_hours,
            )
        ],
        "critical_priorities": [(p,) for p in exclusions.critical_priorities],
        "audiences": [(a.name, a.controller, a.channel, a.purpose) for a in configuration.audiences_file.audiences],
        "value": [(value.top_share, value.window_days)],
        "buying_roles": [
            (position, entry.role, word)
            for position, entry in enumerate(configuration.buying_center.roles, start=1)
            for word in sorted(set(map(_fold_word, entry.words)))
        ],
    }
    connection.execute("create schema if not exists config")
    for table, definition in _TABLES.items():
        connection.execute(f"create or replace table config.{table} ({definition})")
        insert_rows(connection, f"config.{table}", rows[table])
    write_overrides(connection, configuration.overrides, build.as_of, company.time_zone)


def _fold_word(word: str) -> str:
    """As the macro `title_words` writes a title."""
    return word.lower().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"})


def _survivorship_row(survivorship: SurvivorshipConfig, group: FieldGroup) -> tuple[object, ...]:
    strategies = survivorship.strategies(group)
    return (
        group,
        "most_frequent" in strategies,
        CONTACT_KINDS.get(group) if "longest_verified" in strategies else None,
        *strategies,
        *[None] * (POSITIONS - len(strategies)),
    )


_TABLES = {
    "build": "build_id text, version text, as_of timestamp, base_version text, policy_version text, time_zone text, "
    "base_currency text, country text",
    "sources": "source_system text, role text, controller text, is_enabled boolean",
    "survivorship": "field_group text, counts_frequency boolean, contact_kind text, strategy_1 text, strategy_2 text, "
    "strategy_3 text, strategy_4 text, strategy_5 text",
    "source_priority": "field_group text, source_system text, priority integer",
    "permission_bases": "channel text, basis text",
    "exclusions": "open_critical_ticket boolean, missing_permission boolean, just_bought_days integer, "
    "support_max_age_hours integer",
    "critical_priorities": "priority text",
    "audiences": "audience text, controller text, channel text, purpose text",
    "value": "top_share decimal(9, 6), window_days integer",
    "buying_roles": "position integer, buying_role text, word text",
}
