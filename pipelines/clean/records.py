"""The stage as a whole: drafts, rules, tables, in this order.

Add a step here when a new table of schema `clean` needs one. Rules belong into the module of their field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import RULES as ADDRESS_RULES
from pipelines.clean.attributes import NAME_PLACEHOLDER_RULES, PLACEHOLDER_RULES, attribute_rules
from pipelines.clean.companies import write_companies
from pipelines.clean.contact_points import clean_addresses, collect_contact_uses, write_contact_points
from pipelines.clean.countries import create_country_names
from pipelines.clean.emails import clean_emails
from pipelines.clean.functions import create_functions
from pipelines.clean.names import RULES as NAME_RULES
from pipelines.clean.persons import draft_persons, write_custom_fields, write_persons
from pipelines.clean.phones import clean_phones
from pipelines.clean.rules import Rule, Status, apply_rules, start_log

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

TABLES = (
    *("persons", "emails", "phones", "contact_points", "custom_fields", "companies", "company_evidence", "corrections"),
)


@dataclass(frozen=True)
class CleanReport:
    """Rows of each table of schema `clean`; changed values by rule, those made and those only proposed."""

    rows: dict[str, int]
    corrections: dict[str, int]
    proposals: dict[str, int]


def clean_records(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build
) -> CleanReport:
    """Write schema `clean` from schema `staging` of the open build.

    Raises:
        BuildError: when the secret of the keys is gone.
    """
    keys.use_secret(connection, settings)
    connection.execute("create schema if not exists clean")
    create_functions(connection)
    create_country_names(connection)
    start_log(connection)
    draft_persons(connection, configuration)
    apply_rules(connection, "person_drafts", "record_key", person_rules(build.as_of.date()))
    collect_contact_uses(connection, configuration.company.country)
    clean_emails(connection)
    clean_phones(connection, settings)
    clean_addresses(connection)
    write_persons(connection)
    write_custom_fields(connection)
    write_contact_points(connection)
    write_companies(connection, configuration.company.country)
    write_corrections(connection)
    report = _report(connection)
    _drop_drafts(connection)
    return report


def person_rules(as_of: date) -> tuple[Rule, ...]:
    """Every rule for a person record in its order; `as_of` is the day the build is computed for."""
    return (
        *PLACEHOLDER_RULES,
        *NAME_RULES,
        *NAME_PLACEHOLDER_RULES,
        *ADDRESS_RULES,
        *attribute_rules(as_of),
    )


def write_corrections(connection: DuckDBPyConnection) -> None:
    """Write `clean.corrections` from the log; a changed e-mail or number counts for every record that carries it.

    Records of bulk entities are left out: one mistyped address would be as many corrections as it got messages.
    """
    connection.execute(
        """
        create or replace table clean.corrections as
        with records as (
            select
                persons.record_key, persons.source_system, persons.entity, changes.field, changes.rule,
                changes.confidence, changes.status, changes.before, changes.after, changes.position
            from changes
            inner join clean.persons as persons on persons.record_key = changes.key
            where changes.draft = 'person_drafts'
            union all
            select
                uses.record_key, uses.source_system, uses.entity, uses.field, changes.rule,
                changes.confidence, changes.status, changes.before, changes.after, changes.position
            from changes
            inner join contact_uses as uses on uses.kind = 'email' and uses.raw_value = changes.key
            where changes.draft = 'email_drafts' and uses.record_key is not null
            union all
            select
                uses.record_key, uses.source_system, uses.entity, uses.field, changes.rule,
                changes.confidence, changes.status, changes.before, changes.after, changes.position
            from changes
            inner join contact_uses as uses on uses.kind = 'phone' and uses.phone_key = changes.key
            where changes.draft = 'phone_drafts' and uses.record_key is not null
            union all
            select
                drafts.record_key, drafts.source_system, drafts.entity, changes.field, changes.rule,
                changes.confidence, changes.status, changes.before, changes.after, changes.position
            from changes
            inner join address_drafts as drafts on drafts.address_key = changes.key
            where changes.draft = 'address_drafts' and drafts.record_key is not null
        )
        select * exclude (position) from records order by record_key, field, position, rule
        """
    )


def _report(connection: DuckDBPyConnection) -> CleanReport:
    def count(query: str) -> dict[str, int]:
        return dict(connection.execute(query).fetchall())

    by_rule = "select rule, count(*) from clean.corrections where status = '{}' group by rule order by rule"
    return CleanReport(
        rows=count(" union all ".join(f"select '{table}', count(*) from clean.{table}" for table in TABLES)),
        corrections=count(by_rule.format(Status.APPLIED)),
        proposals=count(by_rule.format(Status.PROPOSED)),
    )


def _drop_drafts(connection: DuckDBPyConnection) -> None:
    """The connection may be used for further steps; what the rules needed is not theirs."""
    tables = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    for (table,) in tables:
        connection.execute(f"drop table temp.{table}")
