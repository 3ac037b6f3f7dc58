"""The stage as a whole: person records, contact points, corrections."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.clean import clean_records
from pipelines.clean.persons import PERSON_COLUMNS
from pipelines.configuration import load_configuration
from pipelines.errors import WarehouseError
from tests.unit.clean.conftest import BUILD

DAY = datetime(2026, 5, 4, 3, 2, 1)  # noqa: DTZ001


def test_every_person_entity_and_every_reachable_guest_becomes_one_record(clean: Any) -> None:
    guest = {"email": "g@web.de", "billing_first_name": "GERD", "billing_last_name": "Gast", "ordered_at": DAY}
    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "1", "first_name": "Anna", "is_test": True}],
            "shop_customers": [{"source_record_id": "1", "is_guest": True, "identifiers": {"loyalty_number": "7"}}],
            "support_users": [{"source_record_id": "1", "deleted_at": DAY}],
            "shop_orders": [
                {"source_record_id": "guest", **guest},
                {"source_record_id": "unreachable", "billing_last_name": "Niemand"},
                {"source_record_id": "customer", "customer_record_id": "1", "email": "k@web.de"},
            ],
        }
    )
    assert sorted((p["role"], p["entity"], p["source_record_id"]) for p in cleaned.tables["persons"]) == [
        ("crm", "contacts", "1"),
        ("shop", "customers", "1"),
        ("shop", "orders", "guest"),
        ("support", "users", "1"),
    ]
    assert list(cleaned.tables["persons"][0]) == list(PERSON_COLUMNS)
    order = cleaned.person("guest")
    assert (order["first_name"], order["last_name"], order["email"]) == ("Gerd", "Gast", "g@web.de")
    assert (order["is_guest"], order["is_inferred"], order["created_at"]) == (True, False, DAY)
    assert cleaned.person("1", "contacts")["is_test"]
    assert json.loads(cleaned.person("1", "customers")["identifiers"]) == {"loyalty_number": "7"}
    assert cleaned.person("1", "users")["is_deleted"]
    assert not cleaned.person("1", "contacts")["is_deleted"]


def test_a_referenced_record_that_was_not_delivered_becomes_a_placeholder_of_the_source_referred_to(
    clean: Any,
) -> None:
    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "there"}],
            "shop_orders": [{"source_record_id": "o", "customer_record_id": "gone"}],
            "crm_permissions": [{"source_record_id": "p", "contact_record_id": "missing"}],
            "support_tickets": [
                {"source_record_id": "t1", "requester_record_id": "missing"},
                {"source_record_id": "t2", "requester_record_id": "there"},
            ],
            "support_ratings": [{"source_record_id": "r", "contact_record_id": "nobody"}],
        },
        support_tickets={"references": {"requester_record_id": "crm"}},
    )
    inferred = cleaned.rows("persons", is_inferred=True)
    assert sorted((p["source_system"], p["role"], p["entity"], p["source_record_id"]) for p in inferred) == [
        ("crm", "crm", "contacts", "missing"),
        ("shop", "shop", "customers", "gone"),
        ("support", "support", "users", "nobody"),
    ]
    given = {"record_key", "source_system", "role", "entity", "source_record_id", "kind"}
    assert {v for p in inferred for k, v in p.items() if k not in given} == {None, False, True}
    assert len(cleaned.tables["persons"]) == 4


def test_an_account_that_was_not_delivered_is_reached_as_its_last_order_says(clean: Any) -> None:
    def order(record_id: str, day: int, **columns: Any) -> dict[str, Any]:
        ordered_at = datetime(2026, 5, day)  # noqa: DTZ001
        return {"source_record_id": record_id, "customer_record_id": "gone", "ordered_at": ordered_at, **columns}

    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "1", "email": "anna@web.de"}],
            "shop_orders": [
                order("first", 1, email="old@web.de", billing_first_name="Annemarie"),
                order("last", 3, email="Anna@WEB.de", billing_last_name="MAIER"),
                order("till", 5, billing_first_name="Nobody"),
                order("deleted", 6, email="no@web.de", deleted_at=DAY),
            ],
        }
    )
    account = cleaned.person("gone")
    assert (account["email_match"], account["first_name"], account["last_name"]) == ("anna@web.de", None, "Maier")
    assert account["is_inferred"]
    assert [p["is_primary"] for p in cleaned.rows("contact_points", record_key=account["record_key"])] == [True]
    assert {c["source_record_id"] for c in cleaned.tables["corrections"]} == {"last"}, (
        "nobody can mend what is not there"
    )


def test_who_names_an_order_is_noted_beside_its_buyer(clean: Any) -> None:
    cleaned = clean(
        {
            "shop_customers": [{"source_record_id": "c"}],
            "shop_orders": [
                {"source_record_id": "o", "customer_record_id": "c"},
                {"source_record_id": "guest", "email": "g@x.de"},
            ],
            "support_users": [{"source_record_id": "u"}],
            "support_tickets": [
                {"source_record_id": "t1", "requester_record_id": "u", "order_record_id": "o"},
                {"source_record_id": "t2", "requester_record_id": "u", "order_record_id": "o"},
                {"source_record_id": "t3", "requester_record_id": "u", "order_record_id": "guest"},
                {"source_record_id": "t4", "requester_record_id": "u"},
                {"source_record_id": "t5", "order_record_id": "o"},
            ],
        },
        support_tickets={"references": {"order_record_id": "shop"}},
    )
    ids = {person["record_key"]: person["source_record_id"] for person in cleaned.tables["persons"]}
    named = [(ids[row["record_key"]], ids[row["buyer_record_key"]]) for row in cleaned.tables["order_references"]]
    assert sorted(named) == [("u", "c"), ("u", "guest")]


def test_sources_that_refer_to_no_person_have_no_placeholders(build_warehouse: Any, settings: Any) -> None:
    sources = "sources: [{name: crm, role: crm, controller: Test GmbH, entities: {contacts: {path: a.csv}}}]"
    (settings.config_dir / "sources.yml").write_text(sources, encoding="utf-8")
    build_warehouse({"crm_contacts": [{"source_record_id": "1"}]})
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        clean_records(connection, settings, load_configuration(settings), BUILD)
        assert connection.execute("select source_record_id, is_inferred from clean.persons").fetchall() == [
            ("1", False)
        ]


def test_orders_of_a_flat_export_refer_to_customers_as_their_lines_say(build_warehouse: Any, settings: Any) -> None:
    sources = """
sources:
  - {name: shop, role: shop, controller: Test GmbH, entities: {customers: {path: a.csv}}}
  - name: till
    role: shop
    controller: Test GmbH
    entities:
      order_lines:
        path: a.csv
        columns: {order_customer_record_id: kunde}
        references: {order_customer_record_id: shop}
"""
    (settings.config_dir / "sources.yml").write_text(sources, encoding="utf-8")
    options = {"source_system": "till", "references": {"customer_record_id": "shop"}}
    build_warehouse({"shop_orders": [{"source_record_id": "o", "customer_record_id": "c"}]}, shop_orders=options)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        clean_records(connection, settings, load_configuration(settings), BUILD)
        assert connection.execute(
            "select source_system, role, entity, source_record_id from clean.persons"
        ).fetchall() == [("shop", "shop", "customers", "c")]


def test_contact_points_are_one_per_record_kind_and_value(clean: Any) -> None:
    cleaned = clean(
        {
            "crm_contacts": [
                {
                    "source_record_id": "1",
                    "email": "A@firma.de",
                    "phone": "0171 1234568",
                    "mobile": "+491711234568",
                    "street": "HAUPTSTR. 5",
                    "postal_code": "1067",
                    "city": "Dresden",
                    "country": "Germany",
                },
                {"source_record_id": "2", "phone": "030 23125111", "mobile": "0171 1234568"},
                {"source_record_id": "3", "street": "Weg 1"},
            ],
            "shop_orders": [{"source_record_id": "o", "customer_record_id": "x", "email": "a@firma.de"}],
        }
    )
    points = cleaned.tables["contact_points"]
    by_record = {p["record_key"]: p["source_record_id"] for p in cleaned.tables["persons"]}
    found = sorted((by_record.get(p["record_key"], "o"), p["kind"], p["value"], p["is_primary"]) for p in points)
    assert found == [
        ("1", "address", "hauptstraße 5, 01067 dresden, de", True),
        ("1", "email", "a@firma.de", True),
        ("1", "phone", "+491711234568", True),
        ("2", "phone", "+491711234568", False),
        ("2", "phone", "+493023125111", True),
        ("o", "email", "a@firma.de", True),
        ("x", "email", "a@firma.de", True),
    ]
    assert all(p["is_valid"] for p in points)
    keys = {(p["kind"], p["value"]): p["contact_point_key"] for p in points}
    assert len(set(keys.values())) == 4
    assert cleaned.rows("emails")[0]["contact_point_key"] == keys["email", "a@firma.de"]


def test_every_change_is_logged_once_per_record_field_and_rule(clean: Any) -> None:
    cleaned = clean(
        {
            "crm_contacts": [
                {"source_record_id": "1", "first_name": " Anna ", "city": "\u00a0Köln", "country": "Narnia"},
                {"source_record_id": "2", "first_name": "ANNA", "email": "A@firma.de"},
            ],
            "crm_permissions": [{"source_record_id": "p", "contact_record_id": "1", "email": "A@firma.de"}],
        }
    )
    logged = [
        (c["entity"], c["field"], c["rule"], c["status"], c["before"], c["after"])
        for c in cleaned.tables["corrections"]
    ]
    assert sorted(logged, key=str) == [
        ("contacts", "country", "country_unknown", "proposed", "Narnia", None),
        ("contacts", "email", "email_lower_case", "applied", "A@firma.de", "a@firma.de"),
        ("contacts", "first_name", "first_name_casing", "applied", "ANNA", "Anna"),
        ("permissions", "email", "email_lower_case", "applied", "A@firma.de", "a@firma.de"),
    ]
    assert {(c["entity"], c["source_record_id"]) for c in cleaned.tables["corrections"]} == {
        *(("contacts", "1"), ("contacts", "2"), ("permissions", "p"))
    }
    assert cleaned.person("1")["country"] is None
    assert cleaned.report.corrections == {"email_lower_case": 2, "first_name_casing": 1}
    assert cleaned.report.proposals == {"country_unknown": 1}
    assert cleaned.report.rows == {
        "persons": 2,
        "emails": 1,
        "phones": 0,
        "contact_points": 2,
        "custom_fields": 0,
        "companies": 0,
        "company_evidence": 0,
        "corrections": 4,
        "correction_plan": 4,
        "order_references": 0,
    }


def test_text_without_content_is_nothing_and_changes_nothing(clean: Any) -> None:
    row = {"source_record_id": "1", "first_name": "  ", "last_name": "\t", "email": "", "birth_date": None}
    cleaned = clean({"crm_contacts": [row]})
    assert (cleaned.person("1")["last_name"], cleaned.person("1")["is_email_valid"]) == (None, None)
    assert cleaned.tables["corrections"] == []


def test_an_empty_build_gives_empty_tables(clean: Any) -> None:
    assert set(clean({}).report.rows.values()) == {0}


def test_a_second_run_gives_the_same_tables_and_leaves_nothing_behind(
    clean: Any, settings: Any, configuration: Any
) -> None:
    names = [("Anna", "Maier"), ("KARL", "VON LANG"), ("Dr. Eva", "Schulz, Dr.")]
    rows = [
        {
            "source_record_id": str(i),
            "first_name": f,
            "last_name": n,
            "email": f"x{i}@web.de",
            "phone": f"0171 55{i}0055",
        }
        for i, (f, n) in enumerate(names * 5)
    ]
    first = clean({"crm_contacts": rows, "support_users": rows[:4]})
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        report = clean_records(connection, settings, configuration, BUILD)
        assert report == first.report
        for table, expected in first.tables.items():
            assert [tuple(r.values()) for r in expected] == connection.execute(f"from clean.{table}").fetchall()
        assert connection.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)


def test_no_value_is_in_the_text_of_an_error(build_warehouse: Any, settings: Any, configuration: Any) -> None:
    build_warehouse({"crm_contacts": [{"source_record_id": "1", "last_name": "Kanarienvogel"}]})
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("create schema clean; create view clean.persons as select 'Kanarienvogel' as name")

    def run() -> None:
        with warehouse.connect(settings.build_warehouse, settings) as connection:
            clean_records(connection, settings, configuration, BUILD)

    with pytest.raises(WarehouseError) as caught:
        run()
    assert "Kanarienvogel" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_contact_methods_and_former_fields_are_contact_points_of_their_person(clean: Any) -> None:
    def method(record_id: str, kind: str, value: str | None = None, **columns: Any) -> dict[str, Any]:
        return {"source_record_id": record_id, "contact_record_id": "1", "kind": kind, "value": value, **columns}

    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "1", "email": "now@firma.de", "mobile": "0171 1234568"}],
            "crm_contact_methods": [
                method("m1", "email", "Second@firma.de", is_verified=True, valid_from="2026-02-01"),
                method("m2", "phone", "030 23125111", is_primary=True, is_undeliverable=True),
                method("m3", "Address", street="WEG 1", postal_code="10115", city="Berlin", country="Germany"),
                method("m4", "email", "gone@firma.de", deleted_at=DAY),
                method("m5", "email", "NOW@firma.de", valid_from="2025-01-01"),
                method("m6", "fax", "030 23125112"),
                method("m7", "Mobile", "0171 1234569"),
            ],
            "person_history": [
                {"record_id": "1", "email": " old@firma.de", "valid_from": "2024-01-01", "valid_until": "2025-12-01"},
                {"record_id": "1", "street": "Gasse 2", "city": "Ulm", "valid_until": "2025-12-01"},
                {"record_id": "1", "mobile": "+491711234568", "valid_until": "2025-12-01"},
            ],
        }
    )
    [person] = cleaned.tables["persons"]
    assert {p["record_key"] for p in cleaned.tables["contact_points"]} == {person["record_key"]}
    found = {p["value"]: p for p in cleaned.tables["contact_points"]}

    def validity(value: str) -> tuple[Any, ...]:
        return tuple(day and str(day)[:10] for day in (found[value]["valid_from"], found[value]["valid_until"]))

    assert {value: validity(value) for value in found} == {
        "now@firma.de": ("2025-01-01", None),
        "second@firma.de": ("2026-02-01", None),
        "gone@firma.de": (None, "2026-05-04"),
        "old@firma.de": ("2024-01-01", "2025-12-01"),
        "+491711234568": (None, None),
        "+493023125111": (None, None),
        "+491711234569": (None, None),
        "weg 1, 10115 berlin, de": (None, None),
        "gasse 2, ulm": (None, "2025-12-01"),
    }
    assert {value for value, point in found.items() if point["is_primary"]} == {
        *("now@firma.de", "+491711234568", "weg 1, 10115 berlin, de"),
    }
    assert {value for value, point in found.items() if point["is_verified"]} == {"second@firma.de"}
    assert {value for value, point in found.items() if point["is_undeliverable"]} == {"+493023125111"}
    assert {value for value, point in found.items() if point["is_mobile"]} == {"+491711234568", "+491711234569"}
    assert person["email"] == "now@firma.de"
    logged = {(c["entity"], c["field"], c["before"]) for c in cleaned.tables["corrections"]}
    assert ("contact_methods", "country", "Germany") in logged
    assert ("contact_methods", "value", "Second@firma.de") in logged
    assert not [c for c in cleaned.tables["corrections"] if c["before"] in {" old@firma.de", "old@firma.de"}]


def test_addresses_of_messages_are_cleaned_once_and_belong_to_no_record(clean: Any) -> None:
    touch = {"email": "A@firma.de", "phone": "0664 1234567", "contact_record_id": "1"}
    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "1", "country": "AT"}],
            "marketing_touches": [{"source_record_id": str(number), **touch} for number in range(3)],
            "web_events": [{"source_record_id": "e", "email": "A@firma.de"}],
        },
        marketing_touches={"references": {"contact_record_id": "crm"}},
        web_events={"references": {"user_id": "crm"}},
    )
    assert [(e["raw_value"], e["value"]) for e in cleaned.tables["emails"]] == [("A@firma.de", "a@firma.de")]
    assert [(p["country"], p["value"]) for p in cleaned.tables["phones"]] == [("AT", "+436641234567")]
    assert cleaned.tables["contact_points"] == []
    assert cleaned.rows("corrections", entity="touches") == []


def test_custom_fields_of_person_records_are_rows(clean: Any) -> None:
    order = {"source_record_id": "o", "email": "g@web.de", "custom": {"gift_note": "for Max"}}
    contact = {
        "source_record_id": "1",
        "custom": {"interest": " Garten ", "shoe_size": 42.5, "empty": " ", "none": None},
    }
    cleaned = clean({"crm_contacts": [contact], "shop_orders": [order]})
    key = cleaned.person("1")["record_key"]
    assert cleaned.tables["custom_fields"] == [
        {"record_key": key, "name": "interest", "value": "Garten"},
        {"record_key": key, "name": "shoe_size", "value": "42.5"},
    ]
