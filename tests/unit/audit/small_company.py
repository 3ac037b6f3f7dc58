"""A small company that meets every rule: two customers, three orders, two tickets, one audience with one member.

Its marts are built by the real models, so that a rule that names a column the models do not have is found here. Add
here what a rule needs to have something to check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.audit.baseline import write_baseline
from pipelines.publish import register_columns
from pipelines.publish.copying import AUDIT_TABLES
from pipelines.transform import load_manifest, run_dbt
from pipelines.warehouse import connect, identifier
from tests.raw_tables import insert_rows
from tests.unit.unify.world import AS_OF, BUILD, CONTROLLER, World

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

ANNA, BEN, GONE = "c_aaaaaaaaaaaaaaaa", "c_bbbbbbbbbbbbbbbb", "c_cccccccccccccccc"
CANARY = "Zsigmondy"  # a name that must be found in no result
EARLIER = "20260601T000000Z-earlier"
LONG_AGO = AS_OF - timedelta(days=240)

ORDER_AMOUNTS = {"items_amount": "20.00", "discount_amount": "2.00", "shipping_amount": "4.95", "tax_amount": "2.87"}
LINE_AMOUNTS = {"discount_amount": "1.00", "tax_rate": "0.19", "tax_amount": "1.44"}

AMOUNTS = {
    "orders": {
        "items_amount": "40.0000",
        "discount_amount": "5.0000",
        "shipping_amount": "9.9000",
        "tax_amount": "5.7400",
        "total_amount": "55.9000",
    },
    "order_lines": {
        "quantity": "8.0000",
        "unit_amount": "26.6666",
        "discount_amount": "4.0000",
        "tax_rate": "0.7600",
        "tax_amount": "5.7600",
        "quantity_x_unit_amount": "39.99980000",
    },
    "returns": {"quantity": "1.0000", "amount": "9.0000"},
}


def build_small_company(settings: Settings, configuration: Configuration) -> None:
    """Add everything the rules look at to `build/warehouse.duckdb`, a copy of the staged warehouse."""
    with connect(settings.build_warehouse, settings) as connection:
        world = World(connection, settings, configuration)
        _create_described_tables(connection)
        anna_email = _add_persons(world)
        _add_orders(world)
        _add_tickets(world)
        _add_sales(world)
        _add_messages(world)
        _add_reconciliation(world)
        _add_identity(connection)
    run_dbt(settings, "run", ["intermediate", "marts"])
    with connect(settings.build_warehouse, settings) as connection:
        _add_audience(connection, anna_email)
        write_baseline(connection, settings, configuration, BUILD)
        _add_published_figures(connection)
        register_columns(connection)


def _add_persons(world: World) -> str:
    """Anna in CRM and shop, Ben in CRM and support. Returns Anna's e-mail as a contact point."""
    anna = {"first_name": "Anna", "last_name": CANARY, "email": "anna@example.org", "country": "DE", "street": "Weg 1"}
    place = {"postal_code": "89073", "city": "Ulm"}
    ben = {"first_name": "Ben", "last_name": "Beispiel", "email": "ben@example.org", "country": "DE", "city": "Ulm"}
    birth = {"birth_date": date(1980, 2, 29), "created_at": LONG_AGO}
    world.record(
        "crm_contacts", "1", **anna, **birth, **place, mobile="0171 1234567", updated_at=LONG_AGO, company_record_id="2"
    )
    world.record("crm_contacts", "2", **ben, **birth)
    world.record("shop_customers", "1", **anna, created_at=LONG_AGO)
    world.record("support_users", "1", **ben, created_at=LONG_AGO)
    key = world.person(ANNA, "1", **anna, **place)
    world.person(ANNA, "1", source="shop", **anna)
    world.person(BEN, "2", **ben)
    world.person(BEN, "1", source="support", **ben)
    given = {"given_at": LONG_AGO, "confirmed_at": LONG_AGO + timedelta(hours=1), "requested_at": LONG_AGO}
    world.permission(
        "1", "1", status="granted", controller=CONTROLLER, email="anna@example.org", evidence="form", **given
    )
    world.connection.execute(
        "insert into clean.corrections by name select ? as record_key, 'crm' as source_system, 'contacts' as entity, "
        "'last_name' as field, 'letter_case' as rule, 1 as confidence, 'applied' as status, ? as before, ? as after",
        [key, CANARY.upper(), CANARY],
    )
    world.connection.execute("update clean.persons set is_inferred = false")
    for table, value in (("emails", "anna@example.org"), ("phones", "0171 1234567")):
        world.connection.execute(f"alter table clean.{table} add column if not exists is_valid boolean")
        world.connection.execute(f"insert into clean.{table} (raw_value, is_valid) values (?, true)", [value])
    return world.point("email", "anna@example.org")


def _add_orders(world: World) -> None:
    """One order that was partly returned, and one that was cancelled, with two lines each."""
    for number, cancelled_at in (("1", None), ("2", LONG_AGO)):
        world.order(
            number,
            "1",
            ordered_at=LONG_AGO,
            cancelled_at=cancelled_at,
            currency="EUR",
            prices_include_tax=True,
            total_amount="22.95",
            **ORDER_AMOUNTS,
        )
        world.line(f"{number}-1", number, "1", "10.00", **LINE_AMOUNTS, product_record_id="1")
        world.line(f"{number}-2", number, "3", "3.3333", **LINE_AMOUNTS)
    world.record("shop_products", "1", name="Tea", list_amount="10.00")
    world.record("shop_carts", "1", customer_record_id="1", total_amount="5.00", abandoned_at=LONG_AGO)
    world.returned(
        "1", order_record_id="1", order_line_record_id="1-1", quantity="1", amount="9.00", returned_at=LONG_AGO
    )


def _add_tickets(world: World) -> None:
    world.ticket("1", "1", status="open", priority="urgent")
    world.ticket("2", "1", status="solved", priority="low", solved_at=AS_OF)
    world.record(
        "support_ratings", "1", contact_record_id="1", ticket_record_id="1", score="4", scale_max="5", rated_at=AS_OF
    )


def _add_sales(world: World) -> None:
    """A company with its parent, a deal and a call; an order by its total alone, with a voucher and an invoice."""
    parent = world.company("a_aaaaaaaaaaaaaaaa", "1", name="Muster AG")
    world.company("a_bbbbbbbbbbbbbbbb", "2", name="Muster GmbH", parent_company_record_key=parent)
    world.record("crm_companies", "2", name="Muster GmbH")
    deal = {"is_won": True, "amount": "100.00", "stage": "won", "closed_at": LONG_AGO}
    world.record("crm_deals", "1", contact_record_id="1", company_record_id="2", **deal)
    world.record("crm_stage_changes", "1", contact_record_id="1", stage="customer", entered_at=LONG_AGO)
    world.record("crm_interactions", "1", contact_record_id="1", channel="call", started_at=LONG_AGO)
    world.order(
        "3",
        "1",
        ordered_at=LONG_AGO + timedelta(minutes=7),
        currency="EUR",
        total_amount="10.00",
        discount_amount="1.00",
    )
    world.record("shop_order_discounts", "1", order_record_id="3", code="SPRING", amount="1.00")
    world.record(
        "erp_invoices",
        "1",
        dict.fromkeys(("order_record_id", "customer_record_id"), "shop"),
        order_record_id="3",
        number="1",
        amount="10.00",
        currency="EUR",
        invoiced_at=LONG_AGO,
        due_at=LONG_AGO + timedelta(days=14),
        paid_at=LONG_AGO + timedelta(days=3),
    )


def _add_messages(world: World) -> None:
    """A campaign with a message that arrived and one that came back once; a visit with an order; an attribute."""
    sent = {"campaign_record_id": "1", "channel": "email", "occurred_at": AS_OF - timedelta(days=29)}
    campaign = {"source_record_id": "1", "name": "Spring", "starts_at": AS_OF - timedelta(days=30)}
    touches = [
        {"source_record_id": "1", "contact_record_id": "1", "kind": "delivered", **sent},
        {"source_record_id": "2", "contact_record_id": "2", "kind": "bounced", "bounce_type": "soft", **sent},
    ]
    insert_rows(world.connection, "marketing_campaigns", [campaign], source_system="newsletter")
    insert_rows(
        world.connection,
        "marketing_touches",
        touches,
        source_system="newsletter",
        references={"contact_record_id": "crm"},
    )
    world.event("1", "2025-11-02 12:00:00", order_record_id="1")
    world.attribute("1", "1", name="household_size", value="2", license="Atlas 2026")


def _add_reconciliation(world: World) -> None:
    """One load per source and entity, in which every record was new; with the sums of its amounts."""
    for source, entity, count in (
        ("crm", "contacts", 2),
        ("crm", "permissions", 1),
        ("crm", "interactions", 100),
        ("shop", "customers", 1),
        ("shop", "orders", 3),
        ("shop", "order_lines", 4),
        ("shop", "returns", 1),
        ("support", "users", 1),
        ("support", "tickets", 2),
        ("support", "ratings", 1),
    ):
        world.connection.execute(
            "insert into raw.reconciliation "
            "values (?, ?, true, 1, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, 0, 0, ?, ?, null, ?, 0)",
            [source, entity, count, count, count, AS_OF, json.dumps(AMOUNTS.get(entity, {})), count],
        )


def _add_identity(connection: DuckDBPyConnection) -> None:
    """Two ids of an earlier version, and one that was merged into Anna's in it; two decisions about Anna."""
    [(first, second)] = connection.execute(
        "select min(record_key), max(record_key) from identity.members where customer_id = ?", [ANNA]
    ).fetchall()
    for line, kind, other in ((2, "must-link", second), (3, "pin-value", None)):
        _insert(
            connection,
            "identity.overrides",
            line=line,
            kind=kind,
            a_record_key=first,
            b_record_key=other,
            is_active=True,
            status="in_force",
        )
    for customer_id, status, current in ((ANNA, "active", ANNA), (BEN, "active", BEN), (GONE, "merged", ANNA)):
        _insert(
            connection,
            "identity.customer_id_history",
            customer_id=customer_id,
            status=status,
            current_customer_id=current,
            founder_record_key="r_1",
            first_version=EARLIER,
            issued_at=LONG_AGO,
            status_version=EARLIER,
        )
    connection.execute(
        "create table identity.id_changes as select customer_id, 'unchanged' as change from identity.members "
        "group by customer_id"
    )
    columns = [row[0] for row in connection.execute("describe identity.diff").fetchall() if row[0] != "base_version"]
    _insert(connection, "identity.diff", base_version=EARLIER, **dict.fromkeys(columns, 0))
    _insert(
        connection,
        "identity.model_fit",
        model_version=EARLIER,
        figure="profiles",
        learned=2,
        observed=2,
        difference=1,
        allowed=4,
        is_drifted=False,
        is_learned_anew=False,
    )


def _add_audience(connection: DuckDBPyConnection, contact_point_key: str) -> None:
    _insert(
        connection,
        "activation.audiences",
        audience="win_back",
        version=BUILD.version,
        controller=CONTROLLER,
        channel="email",
        purpose="advertising",
    )
    _insert(
        connection,
        "activation.audience_members",
        audience="win_back",
        version=BUILD.version,
        customer_id=ANNA,
        channel="email",
        contact_point_key=contact_point_key,
    )


def _add_published_figures(connection: DuckDBPyConnection) -> None:
    """As if the published version had said the same of a thousand records, up to the day before."""
    connection.execute(
        "update meta.source_profile set record_count = 1000, base_record_count = 1000, filled_count = 900, "
        "base_filled_count = 900, filled_share = 0.9, base_filled_share = 0.9, top_share = 0.01, figure = 100, "
        "base_figure = 100, value_shift = 0, form_shift = 0, "
        "recent_count = 280, base_recent_count = 280, recent_day_count = 28, base_recent_day_count = 28, "
        "last_day_count = 10, base_last_day_count = 10, usual_day_count = 10, base_usual_day_count = 10, "
        "day_spread = 1, "
        f"newest_date = date '{AS_OF:%Y-%m-%d}' - 1, base_newest_date = date '{AS_OF:%Y-%m-%d}' - 2"
    )
    connection.execute("delete from meta.figures where figure <> 'rows'")
    connection.execute("update meta.figures set value = 1000, base_value = 1000")
    for figure, part in (
        ("closed_month_revenue", "2026-01"),
        ("contactable", "is_contactable_email"),
        ("permissions_granted", "email"),
        ("permissions_objected", "email"),
        ("audience", "win_back"),
        ("exclusions", "missing_permission"),
        ("segment", "champions"),
        ("rejected", "crm.contacts"),
        ("redated", "crm.interactions"),
    ):
        connection.execute("insert into meta.figures values (?, ?, 1000, 1000)", [figure, part])
    connection.execute("insert into meta.figures values ('as_of', 'day', 1000, 999)")
    connection.execute("update meta.figures set value = 0, base_value = 0 where figure = 'redated'")


def _create_described_tables(connection: DuckDBPyConnection) -> None:
    """Tables that Python writes and no model reads, empty, with the columns their published form has."""
    copied = {name: f"{schema}.{origin}" for name, (schema, origin, left_out) in AUDIT_TABLES.items() if not left_out}
    for source in load_manifest()["sources"].values():
        name = f"{source['schema']}.{source['name']}" if source["schema"] == "activation" else None
        if source["schema"] == "audit":
            name = copied.get(source["name"])
        if name:
            columns = ", ".join(f"{identifier(c['name'])} {_type(c)}" for c in source["columns"].values())
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create table if not exists {name} ({columns})")


def _type(column: Mapping[str, Any]) -> str:
    """The type of a column; what is in a structure is not described."""
    return "struct(value text)" if column["data_type"] == "struct" else str(column["data_type"])


def _insert(connection: DuckDBPyConnection, table: str, **row: Any) -> None:
    names, marks = ", ".join(identifier(name) for name in row), ", ".join("?" for _ in row)
    connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
