"""A small world of customers: what unify reads, written by hand, so that a test states its facts and no more.

Add here what every test of marts needs to say a fact in one line. What clean and resolve compute is given as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml

from pipelines import keys
from pipelines.build import Build
from pipelines.configuration.survivorship import CONTACT_KINDS, FIELD_GROUPS
from pipelines.entities import ROLES
from pipelines.policies import write_policies
from pipelines.settings import DBT_PROJECT_DIR
from pipelines.transform import NodeResult, run_dbt
from pipelines.warehouse import connect, identifier, literal
from tests.raw_tables import insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

AS_OF = datetime.fromisoformat("2026-06-30 12:00:00")
CONTROLLER = "Beispiel Handels GmbH"
ROLE_ENTITY = {"crm": "contacts", "shop": "customers", "support": "users"}

BUILD = Build(
    build_id="build",
    version="20260630T120000Z-build",
    as_of=AS_OF,
    config_digest="digest",
    base_version=None,
    company="Beispiel",
    started_at=AS_OF,
)


class World:
    """The tables before unify, on a connection to a copy of the staged warehouse.

    Sources are named like their roles: `crm`, `shop`, ...
    """

    def __init__(self, connection: DuckDBPyConnection, settings: Settings, configuration: Configuration) -> None:
        self.connection = connection
        self.settings = settings
        self.configuration = configuration
        keys.use_secret(connection, settings)
        write_policies(connection, configuration, BUILD)
        for schema, tables in _sources().items():
            if schema == "config":
                continue
            connection.execute(f"create schema if not exists {schema}")
            for table, columns in tables.items():
                definition = ", ".join(f"{identifier(name)} {type_}" for name, type_ in columns.items())
                connection.execute(f"create or replace table {schema}.{table} ({definition})")
        for source in ROLES:
            connection.execute("delete from config.sources where source_system = ?", [source])
            connection.execute("insert into config.sources values (?, ?, ?, true)", [source, source, CONTROLLER])
        self._set_priorities()

    def _set_priorities(self) -> None:
        """The most complete, then the shop's address, else CRM before shop before support, then the most recent."""
        self.connection.execute("delete from config.source_priority")
        self.choose_by(["most_complete", "source_priority", "most_recent"])
        for group in FIELD_GROUPS:
            order = ["shop", "crm", "support"] if group == "address" else ["crm", "shop", "support"]
            for rank, source in enumerate(order, start=1):
                self.connection.execute("insert into config.source_priority values (?, ?, ?)", [group, source, rank])

    def choose_by(self, strategies: Sequence[str], group: str | None = None) -> None:
        """Say how a group of fields survives, or all of them."""
        assignments = ", ".join(f"strategy_{i + 1} = ?" for i in range(5))
        self.connection.execute(
            f"update config.survivorship set {assignments}, counts_frequency = ?, contact_kind = ? "
            "where field_group = coalesce(?, field_group)",
            [
                *strategies,
                *[None] * (5 - len(strategies)),
                "most_frequent" in strategies,
                CONTACT_KINDS.get(group) if "longest_verified" in strategies else None,  # type: ignore[call-overload]
                group,
            ],
        )

    def pin(self, record_key: str, field: str, value: str, *, line: int = 2, active: bool = True) -> None:
        """A value that somebody decided for the customer of a record."""
        row = {"kind": "pin-value", "a_record_key": record_key, "field": field, "value": value}
        self._insert("config.overrides", row | {"is_active": active, "line": line, "decided_on": "2026-05-01"})

    def key(self, source: str, entity: str, record_id: str) -> str:
        """The key of a record."""
        expression = keys.record_key(literal(source), literal(entity), literal(record_id))
        return str(self.connection.execute(f"select {expression}").fetchall()[0][0])

    def point(self, kind: str, value: str) -> str:
        """The key of a contact point."""
        expression = keys.contact_point_key(literal(kind), literal(value))
        return str(self.connection.execute(f"select {expression}").fetchall()[0][0])

    def person(
        self, customer_id: str, record_id: str, source: str = "crm", entity: str | None = None, **columns: Any
    ) -> str:
        """A cleaned person record of a customer, with its contact points. Returns the record's key."""
        entity = entity or ROLE_ENTITY[source]
        key = self.key(source, entity, record_id)
        row = {
            "record_key": key,
            "source_system": source,
            "role": source,
            "entity": entity,
            "source_record_id": record_id,
            "kind": "person",
            "is_email_valid": columns.get("email") is not None,
            "created_at": "2025-01-01",
        } | columns
        self._insert("clean.persons", row)
        self._insert("identity.members", {"record_key": key, "customer_id": customer_id})
        for field, kind in (("email", "email"), ("mobile", "phone"), ("phone", "phone")):
            if value := columns.get(field):
                valid = row["is_email_valid"] if field == "email" else True
                self.contact_point(key, kind, value, source=source, entity=entity, is_valid=valid)
        if columns.get("street"):
            address = ", ".join(str(columns.get(part)) for part in ("street", "postal_code", "city"))
            self.contact_point(key, "address", address, source=source, entity=entity)
        return key

    def contact_point(
        self,
        record_key: str,
        kind: str,
        value: str,
        *,
        source: str = "crm",
        entity: str = "",
        is_valid: bool = True,
        **columns: Any,
    ) -> str:
        """A contact point of a record; the first of its kind is the primary one."""
        known = self.connection.execute(
            "select 1 from clean.contact_points where record_key = ? and kind = ?", [record_key, kind]
        ).fetchall()
        point = self.point(kind, value)
        row = {
            "record_key": record_key,
            "source_system": source,
            "entity": entity,
            "kind": kind,
            "value": value,
            "contact_point_key": point,
            "is_primary": not known,
            "is_valid": is_valid,
        } | columns
        self._insert("clean.contact_points", row)
        return point

    def company(self, account_id: str, record_id: str, **columns: Any) -> str:
        """A cleaned company record of an account. Returns the record's key."""
        key = self.key("crm", "companies", record_id)
        row = {"record_key": key, "source_system": "crm", "source_record_id": record_id, "is_deleted": False} | columns
        self._insert("clean.companies", row)
        self._insert("identity.account_records", {"record_key": key, "account_id": account_id})
        return key

    def names_account(self, order: str, account_id: str) -> None:
        """An order, by its key, that names the company of an account."""
        self._insert("identity.account_orders", {"record_key": order, "account_id": account_id})

    def employment(
        self, person: str, company: str, valid_from: str | None = None, valid_until: str | None = None
    ) -> None:
        """A period in which a person record named a company; both are keys."""
        row = {
            "record_key": person,
            "company_record_key": company,
            "valid_from": valid_from,
            "valid_until": valid_until,
        }
        self._insert("raw.employments", row)

    def record(self, table: str, record_id: str, references: Mapping[str, str] | None = None, **columns: Any) -> str:
        """A row of a raw table, e.g. `shop_orders`. Returns its key."""
        insert_rows(self.connection, table, [{"source_record_id": record_id, **columns}], references=references)
        source, _, entity = table.partition("_")
        return self.key(source, entity, record_id)

    def order(self, record_id: str, customer: str | None = None, **columns: Any) -> str:
        """An order, on 1 June 2026 where nothing else is said."""
        row = {"ordered_at": "2026-06-01 12:00:00", "customer_record_id": customer} | columns
        return self.record("shop_orders", record_id, **row)

    def line(self, record_id: str, order: str, quantity: Any, unit_amount: Any, **columns: Any) -> str:
        row = {"order_record_id": order, "quantity": quantity, "unit_amount": unit_amount} | columns
        return self.record("shop_order_lines", record_id, **row)

    def returned(self, record_id: str, **columns: Any) -> str:
        return self.record("shop_returns", record_id, **columns)

    def permission(self, record_id: str, contact: str | None = None, **columns: Any) -> str:
        row = {"contact_record_id": contact, "channel": "email", "purpose": "advertising", "kind": "consent"} | columns
        key = self.record("crm_permissions", record_id, **row)
        for field, kind in (("email", "email"), ("phone", "phone")):
            if value := columns.get(field):
                self.contact_point(key, kind, value, entity="permissions")
        return key

    def ticket(self, record_id: str, requester: str | None = None, **columns: Any) -> str:
        row = {"requester_record_id": requester, "created_at": "2026-06-20", "status": "open"} | columns
        return self.record("support_tickets", record_id, **row)

    def touch(self, record_id: str, contact: str | None = None, **columns: Any) -> str:
        """An event of a message: an e-mail on 1 June 2026 where nothing else is said."""
        row = {"contact_record_id": contact, "channel": "email", "occurred_at": "2026-06-01"} | columns
        self._clean_values(columns)
        return self.record("marketing_touches", record_id, {"contact_record_id": "crm"}, **row)

    def event(self, record_id: str, occurred_at: str | None, **columns: Any) -> str:
        """A web event, tracked with permission where nothing else is said."""
        row = {"occurred_at": occurred_at, "kind": "page_view", "permission_state": "granted"} | columns
        self._clean_values(columns)
        references = {"user_id": "shop", "order_record_id": "shop", "product_record_id": "shop"}
        return self.record("web_events", record_id, references, **row)

    def attribute(self, record_id: str, contact: str | None = None, **columns: Any) -> str:
        """An attribute from a provider."""
        row = {"contact_record_id": contact, "group": "sociodemographic", "provider": "Atlas"} | columns
        self._clean_values(columns)
        return self.record("enrichment_attributes", record_id, {"contact_record_id": "crm"}, **row)

    def custom_field(self, record_key: str, name: str, value: str) -> None:
        self._insert("clean.custom_fields", {"record_key": record_key, "name": name, "value": value})

    def _clean_values(self, columns: Mapping[str, Any]) -> None:
        """What cleaning makes of the e-mail address and number of a record that has no contact points of its own."""
        for field, kind in (("email", "email"), ("phone", "phone")):
            value = columns.get(field)
            known = f"select 1 from clean.{field}s where raw_value = ?"
            if value and not self.connection.execute(known, [value]).fetchall():
                row = {"raw_value": value, "contact_point_key": self.point(kind, value)}
                self._insert(f"clean.{field}s", row | ({"country": "DE"} if field == "phone" else {}))

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        names = ", ".join(identifier(name) for name in row)
        marks = ", ".join("?" for _ in row)
        self.connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def build_marts(settings: Settings) -> dict[str, NodeResult]:
    """Run everything after staging; the result of each model and data test by name."""
    results = run_dbt(settings, "build", ["intermediate", "marts", "test_type:singular"])
    return {result.name: result for result in results}


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        return connection.execute(query).fetchall()


def records(settings: Settings, query: str) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        done = connection.execute(query)
        names = [column[0] for column in done.description or []]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def by_id(settings: Settings, table: str, key: str) -> dict[str, dict[str, Any]]:
    """The rows of a mart by the id at their source; `key` is the column with their record key."""
    found = records(
        settings,
        f"select source_record_id, facts.* from marts.{table} as facts "
        f"join marts.source_record_keys on record_key = facts.{key}",
    )
    return {row["source_record_id"]: row for row in found}


def _sources() -> dict[str, dict[str, dict[str, str]]]:
    """Columns with types of every table that the models declare as their source."""
    declared = yaml.safe_load((DBT_PROJECT_DIR / "models/intermediate/_sources.yml").read_text())
    return {
        source["name"]: {
            table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
            for table in source["tables"]
        }
        for source in declared["sources"]
    }
