"""The stage as a whole: drafts, rules, tables, in this order.

Add a step here when a new table of schema `clean` needs one. Rules belong into the module of their field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import BLOCKS as ADDRESS_BLOCKS
from pipelines.clean.attributes import BLOCKS as ATTRIBUTE_BLOCKS
from pipelines.clean.attributes import birth_date_blocks
from pipelines.clean.blocks import build_rules
from pipelines.clean.companies import write_companies
from pipelines.clean.contact_points import collect_address_uses, collect_contact_uses, write_contact_points
from pipelines.clean.corrections import write_corrections
from pipelines.clean.countries import create_country_names
from pipelines.clean.drafts import draft_values, load_rejections
from pipelines.clean.emails import clean_emails
from pipelines.clean.functions import create_functions
from pipelines.clean.names import BLOCKS as NAME_BLOCKS
from pipelines.clean.persons import draft_persons, write_custom_fields, write_order_references, write_persons
from pipelines.clean.phones import clean_phones
from pipelines.clean.rules import Status, apply_rules, start_log

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.configuration.cleaning import CleaningConfig
    from pipelines.settings import Settings

TABLES = (
    *("persons", "emails", "phones", "contact_points", "custom_fields", "companies", "company_evidence", "corrections"),
    *("correction_plan", "order_references"),
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
    load_rejections(connection)
    draft_persons(connection, configuration)
    collect_address_uses(connection)
    draft_values(connection)
    cleaning = configuration.cleaning
    _clean_values(connection, cleaning)
    collect_contact_uses(connection, configuration.company.country)
    clean_emails(connection, cleaning.email, cleaning.email_matching)
    clean_phones(connection, settings, cleaning.phone)
    # What other records of the same mailbox say about a birth date needs their names and mailboxes.
    birth_date_rules = build_rules(cleaning.birth_date, birth_date_blocks(build.as_of.date()))
    apply_rules(connection, "person_drafts", birth_date_rules)
    write_persons(connection)
    write_custom_fields(connection)
    write_order_references(connection)
    write_contact_points(connection)
    write_companies(connection, settings, cleaning.company, configuration.company.country, cleaning.email_matching)
    write_corrections(connection)
    report = _report(connection)
    _drop_drafts(connection)
    return report


def _clean_values(connection: DuckDBPyConnection, cleaning: CleaningConfig) -> None:
    """Apply the rules of every draft of distinct values."""
    apply_rules(connection, "name_drafts", build_rules(cleaning.name, NAME_BLOCKS))
    apply_rules(connection, "address_drafts", build_rules(cleaning.address, ADDRESS_BLOCKS))
    apply_rules(connection, "attribute_drafts", build_rules(cleaning.attributes, ATTRIBUTE_BLOCKS))


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
