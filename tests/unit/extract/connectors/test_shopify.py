"""Shopify: what its words become, queries that its schema allows, bulk files, budgets of cost."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.errors import SourceError
from pipelines.extract.connectors import http, open_connector
from pipelines.extract.connectors.shopify import queries
from pipelines.extract.connectors.shopify.records import shorten
from pipelines.sample.servers.faults import Fault, Schedule
from pipelines.settings import Settings
from tests.unit.extract.connectors.conftest import Nights
from tests.unit.extract.connectors.vendors import SHOPIFY, TOKEN, gid

# Where `npm install @shopify/dev-mcp` put the published schemas; nothing of them is part of this project.
SCHEMAS = Path(os.environ.get("KUNDENSTAMM_SHOPIFY_SCHEMAS", "node_modules/@shopify/dev-mcp/dist/data"))


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)
    return waited


@pytest.fixture
def nights_of(settings: Settings, configuration: Configuration) -> Any:
    return lambda url, **changes: Nights(settings, configuration, {**SHOPIFY.entry(url), **changes})


def test_two_nights_in_our_words(nights_of: Any) -> None:
    with SHOPIFY.running() as (served, server):
        nights = nights_of(server.url)
        nights.load()
        assert nights.landed(
            "select first_name, email, street, postal_code, country, accepts_marketing from customers "
            "where source_record_id in ('100', '101') order by source_record_id"
        ) == [
            ("Vorname 0", "kunde0@example.com", None, None, None, True),
            ("Vorname 1", "kunde1@example.com", "Weg 1 Hof", "10115", "DE", False),
        ]
        assert nights.landed(
            "select status, confirmed_at is not null, requested_at is not null, withdrawn_at is not null "
            "from permissions where source_record_id in ('100:email', '101:email', '103:email') "
            "order by source_record_id"
        ) == [("granted", True, False, False), ("withdrawn", False, False, True), ("requested", False, True, False)]
        assert nights.landed(
            "select source_record_id, name, sku, parent_product_record_id, list_amount::text, cost_amount::text, "
            "category "
            "from products where source_record_id in ('500', '600', '601') order by 1"
        ) == [
            ("500", "Artikel 0", None, None, None, None, "Schuhe"),
            ("600", "Artikel 0 - 0", "S-0-0", "500", "19.9000", None, "Schuhe"),
            ("601", "Artikel 0 - 1", "S-0-1", "500", "19.9000", "7.5000", "Schuhe"),
        ]
        assert nights.landed(
            "select status, items_amount::text, discount_amount::text, shipping_amount::text, tax_amount::text, "
            "total_amount::text, prices_include_tax, customer_record_id, billing_city from orders "
            "where source_record_id in ('1001', '1003', '1005') order by source_record_id"
        ) == [
            ("delivered", "40.0000", "2.2000", "4.9000", "6.0400", "42.7000", True, "101", "Berlin"),
            ("cancelled", "42.2000", "4.4000", "4.9000", "6.0400", "42.7000", True, "103", "Berlin"),
            ("delivered", "40.0000", "2.2000", "4.9000", "6.0400", "42.7000", True, None, "Berlin"),
        ]
        assert nights.landed(
            "select product_record_id, unit_amount::text, discount_amount::text, tax_rate::text, tax_amount::text "
            "from order_lines where order_record_id = '1001' order by source_record_id"
        ) == [("500", "19.9000", "1.1000", "0.1900", "3.0200"), ("600", "19.9000", "1.1000", "0.1900", "3.0200")]
        assert nights.landed("select source_record_id, code from order_discounts") == [("1001:NEU10", "NEU10")]
        assert nights.landed(
            "select source_record_id, order_line_record_id, quantity::text, amount::text, reason from returns "
            "where order_record_id = '1004' order by 1 limit 1"
        ) == [("2004:5400", "5400", "1.0000", "19.9000", "zu klein")]
        assert nights.landed(
            "select customer_record_id, email, total_amount::text, lines->0->>'quantity' from carts limit 1"
        ) == [("100", "kunde0@example.com", "19.9000", "2")]
        SHOPIFY.change(served)
        before = len(server.requests)
        reports = nights.load()
        asked = [r.body and r.body["query"].split()[1].partition("(")[0] for r in server.requests[before:]]
    assert "run" not in asked  # by pages: no bulk operation for an increment
    assert asked.count("orders") >= 2
    assert reports["orders"].counts.changed == 5
    # A line that an order no longer has is gone, and so is what somebody no longer says.
    assert nights.landed("select source_record_id from order_lines where _absent_since is not null") == [("5700",)]
    assert nights.landed("select source_record_id from permissions where _absent_since is not null") == [("101:email",)]
    assert nights.landed("select count(*) from returns where order_record_id = '1006'") == [(3,)]


def test_a_deleted_customer_is_found_by_the_weekly_complete_read(nights_of: Any) -> None:
    with SHOPIFY.running() as (served, server):
        nights = nights_of(server.url, full_every_days=2)
        nights.load()
        served.roots["customers"].pop()
        assert [nights.load()["customers"].counts.deleted for _ in range(2)] == [0, 1]


def test_a_field_of_the_shops_own_is_a_metafield_or_an_attribute(nights_of: Any) -> None:
    own = {
        "orders": {"columns": {"dunning_level": "metafields.buchhaltung.mahnstufe"}},
        "order_lines": {"columns": {"lot": "customAttributes.charge"}},
    }
    with SHOPIFY.running() as (served, server):
        for order in served.roots["orders"]:
            order["lineItems"][0]["customAttributes"] = [{"key": "charge", "value": f"L{order['id'][-2:]}"}]
        nights = nights_of(server.url, entities=own)
        nights.load()
        first = nights.landed("select source_record_id, dunning_level from orders order by 1 limit 3")
        assert first == [("1000", 0), ("1001", 1), ("1002", 2)]
        assert nights.landed(
            "select lot from order_lines where order_record_id = '1001' order by source_record_id"
        ) == [
            ("L01",),
            (None,),
        ]
        SHOPIFY.change(served)
        served.roots["orders"][4]["metafields"]["buchhaltung.mahnstufe"] = "3"
        nights.load()
    assert nights.landed("select dunning_level from orders where source_record_id = '1004'") == [(3,)]
    assert nights.landed("select lot from order_lines where source_record_id = '5400'") == [("L04",)]


def test_an_order_is_paid_and_delivered_when_all_of_it_is(nights_of: Any) -> None:
    with SHOPIFY.running() as (served, server):
        one, two, three = served.roots["orders"][:3]
        one["fulfillments"] = [{"deliveredAt": "2026-11-05T10:00:00Z"}, {"deliveredAt": None}]
        two |= {"displayFinancialStatus": "PENDING", "transactions": []}
        three["transactions"] = [
            {"kind": "AUTHORIZATION", "status": "SUCCESS", "processedAt": "2026-11-03T08:00:00Z"},
            {"kind": "CAPTURE", "status": "FAILURE", "processedAt": "2026-11-08T08:00:00Z"},
            {"kind": "CAPTURE", "status": "SUCCESS", "processedAt": "2026-11-07T08:00:00Z"},
        ]
        nights = nights_of(server.url, entities={"orders": None})
        nights.load()
    query = "select paid_at::text, delivered_at::text, status from orders order by source_record_id limit 3"
    assert nights.landed(query) == [
        ("2026-11-03 08:00:00", None, "delivered"),
        (None, "2026-11-04 08:00:01", "delivered"),  # on invoice
        ("2026-11-07 08:00:00", "2026-11-04 08:00:02", "delivered"),
    ]


def test_pages_become_smaller_when_a_query_is_too_dear(nights_of: Any, waits: list[float]) -> None:
    with SHOPIFY.running() as (served, server):
        nights = nights_of(server.url)
        nights.load()
        served.most, served.budget = 200.0, 210.0
        SHOPIFY.change(served)
        counts = nights.load()["orders"].counts
        firsts = [r.body["variables"]["first"] for r in server.requests if r.body and "query orders" in r.body["query"]]
    assert (counts.delivered, counts.changed) == (5, 5)
    assert firsts[0] == 3
    assert firsts[-1] < 3
    assert waits  # throttled, and waited until the budget had grown


def test_a_bulk_file_that_lacks_objects_is_not_landed(nights_of: Any) -> None:
    with SHOPIFY.running() as (served, server):
        run = served.run_operation

        def lose_a_line(query: str) -> Any:
            operation = run(query)
            operation["content"] = operation["content"].rpartition("\n")[0]
            return operation

        served.run_operation = lose_a_line
        with pytest.raises(SourceError, match="has 13 objects, but its file has 12; nothing was landed"):
            nights_of(server.url).load()


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.BROKEN_JSON, Fault.SERVER_ERROR, Fault.TIMEOUT], ids=str)
def test_a_bulk_file_that_breaks_off_is_fetched_again(nights_of: Any, fault: Fault) -> None:
    with SHOPIFY.running() as (_, server):
        nights_of(server.url, entities={"orders": None, "order_lines": None}).load()
        number = next(n for n, r in enumerate(server.requests, start=1) if r.path.startswith("/bulk/"))
        expected = sum(len(order["lineItems"]) for order in server.answer.__self__.roots["orders"])  # type: ignore[attr-defined]
    with SHOPIFY.running(Schedule({number: fault})) as (_, server):
        counts = nights_of(server.url, name="again", entities={"orders": None, "order_lines": None}).load()
        assert [r.fault for r in server.requests if r.path.startswith("/bulk/")] == [fault, None]
    lines = counts["order_lines"].counts
    assert (lines.new, lines.delivered, lines.repeated) == (expected, expected, 0)


def test_an_operation_that_fails_is_tried_again_and_then_given_up(nights_of: Any) -> None:
    with SHOPIFY.running() as (served, server):
        failing = [True]
        look = served.look_at

        def fail(operation: Any) -> Any:
            found = look(operation)
            return {**found, "status": "FAILED", "errorCode": "TIMEOUT"} if failing.pop() else found

        served.look_at = lambda operation: fail(operation) if failing else look(operation)
        assert nights_of(server.url).load()["customers"].counts.new == 13
        served.look_at = lambda operation: {**look(operation), "status": "FAILED", "errorCode": "TIMEOUT"}
        with pytest.raises(SourceError, match=r"for customers did not succeed \(failed\)"):
            nights_of(server.url).load(full=True)


def test_an_operation_of_somebody_else_is_waited_for(nights_of: Any, waits: list[float]) -> None:
    with SHOPIFY.running() as (_, server):
        busy = [1, 2]
        answer = server.answer

        def refuse(request: Any) -> Any:
            found = answer(request)
            if busy and request.body and "mutation" in request.body["query"]:
                busy.pop()
                found.body["data"]["bulkOperationRunQuery"] = {
                    "bulkOperation": None,
                    "userErrors": [{"code": "OPERATION_IN_PROGRESS", "field": None, "message": "busy"}],
                }
            return found

        server.answer = refuse
        assert nights_of(server.url).load()["customers"].counts.new == 13
    assert not busy
    assert waits.count(5.0) >= 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ACCESS_DENIED", "the token may not read what was asked for; grant the scopes read_customers"),
        ("undefinedField", r"a query was refused \(undefinedField\); check `version` in sources.yml, which is 2026-10"),
    ],
)
def test_an_error_beside_data_is_never_taken_for_an_answer(nights_of: Any, code: str, sentence: str) -> None:
    with SHOPIFY.running() as (_, server):
        answer = server.answer

        def err(request: Any) -> Any:
            found = answer(request)
            found.body["errors"] = [{"message": "kunde0@example.com", "extensions": {"code": code}}]
            return found

        server.answer = err
        with pytest.raises(SourceError, match=sentence) as caught:
            nights_of(server.url).load()
    assert "kunde0" not in str(caught.value)


def test_a_check_names_the_missing_scope(nights_of: Any, settings: Settings) -> None:
    with SHOPIFY.running() as (served, server):
        connector = open_connector(nights_of(server.url).configuration().sources[0], settings)
        assert connector.check() == ["shop in EUR", "scopes: read_customers, read_orders, read_products, read_returns"]
        served.scopes = ("read_customers", "write_products", "read_returns")
        with pytest.raises(SourceError, match="the token lacks the scope read_orders; grant it"):
            connector.check()


def texts_of(version: str) -> dict[str, str]:
    """Every text we ever send, by name, with fields of the shop's own."""
    metafield = "metafields.$app:loyalty.card-no"
    own = queries.OwnFields.among([metafield, "metafields.custom.dob"], ["customAttributes.engraving"])
    found = {"refunds": queries.REFUND_QUERY, "refund lines": queries.REFUND_LINES_QUERY, "check": queries.CHECK_QUERY}
    found |= {"run": queries.RUN_OPERATION, "look": queries.LOOK_AT_OPERATION}
    for root in queries.NODES:
        mapped = {
            "customers": queries.OwnFields(own.node),
            "products": queries.OwnFields(own.node, own.node),
            "orders": queries.OwnFields((*own.node, *own.child), own.child),
            "abandonedCheckouts": queries.OwnFields(own.child),
        }[root]
        found[f"page of {root}"] = queries.page_query(root, version, mapped)
        found[f"bulk {root}"] = queries.bulk_query(root, version, mapped)
        if root in queries.CHILD_NODES:
            found[f"children of {root}"] = queries.child_query(root, mapped)
    return found


@pytest.mark.parametrize("version", ["2026-10", "2026-07", "2026-01"])
def test_every_query_fits_the_published_schema(version: str) -> None:
    file = SCHEMAS / f"admin_{version}.json.gz"
    if not file.is_file():
        pytest.skip("the published schemas are not here: npm install @shopify/dev-mcp, or KUNDENSTAMM_SHOPIFY_SCHEMAS")
    from graphql import build_client_schema, parse, validate

    content = json.loads(gzip.decompress(file.read_bytes()))
    schema = build_client_schema(content.get("data", content), assume_valid=True)
    assert len(texts_of(version)) == 16
    for name, query in texts_of(version).items():
        problems = [error.message for error in validate(schema, parse(query))]
        assert not problems, (version, name, problems)


def test_a_bulk_query_holds_no_connection_below_a_list() -> None:
    """Shopify refuses that, so the lines of refunds are asked for apart."""
    assert "refundLineItems" not in queries.bulk_query("orders", "2026-10")
    assert gid("Order", 7).rpartition("/")[2] == shorten(gid("Order", 7))
