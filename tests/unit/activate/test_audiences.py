"""Audiences: who is contacted, who is left out and why, and what the file looks like."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pipelines.activate import AudienceCount, build_audiences, export_audiences
from pipelines.configuration.activation import AudienceConfig, AudiencesConfig
from pipelines.settings import DBT_PROJECT_DIR
from pipelines.warehouse import connect, identifier
from tests.unit.unify.world import BUILD, CONTROLLER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

MARTS = {
    "marts": ("core/customers", "core/customer_profiles", "core/customer_contact_points", "core/permissions_current"),
    "analysis": ("analysis/customer_value",),
    "activation": ("activation/exclusions",),
}


class Company:
    """The tables that an audience is computed from, by their contracts, and the few facts a test needs."""

    def __init__(self, connection: DuckDBPyConnection, configuration: Configuration) -> None:
        self.connection = connection
        audience = AudienceConfig(
            name="regulars", description="Regulars.", channel="email", controller=CONTROLLER, where="order_count > 0"
        )
        self.configuration = replace(configuration, audiences_file=AudiencesConfig(audiences=[audience]))
        for folder, files in MARTS.items():
            schema = "activation" if folder == "activation" else "marts"
            connection.execute(f"create schema if not exists {schema}")
            for file in files:
                [model] = yaml.safe_load((DBT_PROJECT_DIR / "models" / "marts" / f"{file}.yml").read_text())["models"]
                columns = ", ".join(f"{identifier(c['name'])} {c['data_type']}" for c in model["columns"])
                connection.execute(f"create table {schema}.{model['name']} ({columns})")

        connection.execute("create schema raw")
        connection.execute(
            "create table raw.reconciliation (source_system text, entity text, is_enabled boolean, loaded_at timestamp)"
        )

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        names = ", ".join(identifier(name) for name in row)
        self.connection.execute(
            f"insert into {table} ({names}) values ({', '.join('?' for _ in row)})", list(row.values())
        )

    def customer(self, name: str, revenue: int = 100, **columns: Any) -> None:
        flags = dict.fromkeys(("is_test", "is_deceased", "is_employee"), False)
        row = {"customer_id": name, "status": "active", "processing_status": "normal", "order_count": 1, **flags}
        self.insert("marts.customers", row | {"revenue_amount_base": revenue} | columns)
        self.insert("marts.customer_value", {"customer_id": name, "monetary_amount_base": revenue})
        self.insert("marts.customer_profiles", {"customer_id": name, "first_name": name.title(), "last_name": "B"})

    def point(self, customer: str, value: str, *, permitted: bool = True, kind: str = "email", **columns: Any) -> None:
        row = {"is_primary": False, "is_valid": True, "is_live": True, "is_undeliverable": False} | columns
        point = {"customer_id": customer, "contact_point_key": f"p_{value}", "kind": kind, "value": value}
        self.insert("marts.customer_contact_points", point | row)
        known = self.connection.execute(
            "select 1 from marts.permissions_current where contact_point_key = ?", [f"p_{value}"]
        ).fetchall()
        if permitted and not known:
            grant = {"controller": CONTROLLER, "contact_point_key": f"p_{value}", "channel": "email"}
            proof = {"is_permitted": True, "basis": "confirmed_consent", "evidence_ref": f"r_{value}"}
            self.insert("marts.permissions_current", grant | {"purpose": "advertising"} | proof)

    def exclude(self, key: str, **columns: Any) -> None:
        self.insert("activation.exclusions", {"exclusion_key": key, "reason": "open_critical_ticket"} | columns)

    def build(self) -> AudienceCount:
        [count] = build_audiences(self.connection, self.configuration, BUILD).audiences
        return count

    def members(self) -> list[tuple[Any, ...]]:
        return self.connection.execute(
            "select customer_id, contact_point_key from activation.audience_members order by priority"
        ).fetchall()

    def left_out(self) -> dict[str, list[tuple[Any, ...]]]:
        rows = self.connection.execute(
            "select customer_id, reason, contact_point_key, exclusion_key "
            "from activation.audience_left_out order by all"
        ).fetchall()
        return {name: [row[1:] for row in rows if row[0] == name] for name in {row[0] for row in rows}}


@pytest.fixture
def company(settings: Settings, configuration: Configuration) -> Iterator[Company]:
    with connect(None, settings) as connection:
        yield Company(connection, configuration)


def test_members_are_the_most_valuable_first_with_their_evidence(company: Company) -> None:
    company.customer("small", 10)
    company.point("small", "small@x.example")
    company.customer("big", 500)
    company.point("big", "other@x.example")
    company.point("big", "main@x.example", is_primary=True)
    company.customer("never", order_count=0)
    company.point("never", "never@x.example")
    assert company.build() == AudienceCount("regulars", matched=2, members=2, left_out=0)
    rows = company.connection.execute("select * from activation.audience_members order by priority").fetchall()
    assert rows == [
        ("regulars", BUILD.version, name, "email", f"p_{value}", "all", "confirmed_consent", f"r_{value}", place)
        for place, (name, value) in enumerate([("big", "main@x.example"), ("small", "small@x.example")], start=1)
    ]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"status": "deleted"}, "deleted"),
        ({"is_deceased": True}, "deceased"),
        ({"is_test": True}, "test_customer"),
        ({"is_employee": True}, "employee"),
        ({"processing_status": "minor"}, "minor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_is_left_out_as_a_customer(company: Company, columns: dict[str, Any], reason: str) -> None:
    company.customer("c", **columns)
    company.point("c", "c@x.example")
    assert company.build().members == 0
    assert company.left_out() == {"c": [(reason, None, None)]}


@pytest.mark.parametrize(
    ("columns", "reason", "point"),
    [
        pytest.param({"permitted": False}, "missing_permission", "p_c@x.example", id="not permitted"),
        pytest.param({"is_valid": False}, "no_contact_point", None, id="not valid"),
        pytest.param({"is_live": False}, "no_contact_point", None, id="deleted"),
        pytest.param({"is_undeliverable": True}, "no_contact_point", None, id="nothing arrives there"),
        pytest.param({"kind": "phone"}, "no_contact_point", None, id="of another channel"),
    ],
)
def test_a_contact_point_that_cannot_be_used(
    company: Company, columns: dict[str, Any], reason: str, point: str | None
) -> None:
    company.customer("c")
    company.point("c", "c@x.example", **columns)
    assert company.build().members == 0
    assert company.left_out() == {"c": [(reason, point, None)]}


def test_an_exclusion_holds_by_customer_and_by_contact_point(company: Company) -> None:
    for name in ("by_customer", "by_point", "free"):
        company.customer(name)
        company.point(name, f"{name}@x.example")
    company.exclude("x1", customer_id="by_customer")
    company.exclude("x2", contact_point_key="p_by_point@x.example", channel="email", controller=CONTROLLER)
    assert company.build() == AudienceCount("regulars", matched=3, members=1, left_out=2)
    assert company.members() == [("free", "p_free@x.example")]
    assert company.left_out() == {
        "by_customer": [("open_critical_ticket", None, "x1")],
        "by_point": [("open_critical_ticket", "p_by_point@x.example", "x2")],
    }


def test_a_customer_with_another_free_contact_point_is_reached_there(company: Company) -> None:
    company.customer("c")
    company.point("c", "held@x.example", is_primary=True)
    company.point("c", "free@x.example")
    company.exclude("x", contact_point_key="p_held@x.example")
    company.build()
    assert company.members() == [("c", "p_free@x.example")]
    assert company.left_out() == {}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"channel": "phone"},
        {"controller": "Andere GmbH"},
        {"purpose": "service"},
        {"valid_until": "2026-06-30 12:00:00"},
        {"valid_from": "2026-07-01"},
    ],
    ids=["another channel", "another controller", "another purpose", "over", "not yet"],
)
def test_an_exclusion_for_something_else_does_not_hold(company: Company, elsewhere: dict[str, Any]) -> None:
    company.customer("c")
    company.point("c", "c@x.example")
    company.exclude("x", customer_id="c", **elsewhere)
    assert company.build().members == 1


def test_a_shared_mailbox_is_used_once_by_the_most_valuable_customer(company: Company) -> None:
    for name, revenue in (("child", 5), ("mother", 90), ("father", 20)):
        company.customer(name, revenue)
        company.point(name, "family@x.example")
    assert company.build() == AudienceCount("regulars", matched=3, members=1, left_out=2)
    assert company.members() == [("mother", "p_family@x.example")]
    reason = [("contact_point_already_used", "p_family@x.example", None)]
    assert company.left_out() == {"child": reason, "father": reason}


def test_a_second_computation_gives_the_same(company: Company) -> None:
    for number in range(20):
        company.customer(f"c{number:02}", number % 3)
        company.point(f"c{number:02}", f"{number // 2}@x.example")
    company.build()
    before = (company.members(), company.left_out())
    company.build()
    assert (company.members(), company.left_out()) == before


def test_no_audience_leaves_empty_tables(company: Company) -> None:
    company.configuration = replace(company.configuration, audiences_file=AudiencesConfig())
    assert build_audiences(company.connection, company.configuration, BUILD).audiences == ()
    assert company.members() == []


def test_the_tables_are_as_described(company: Company) -> None:
    company.build()
    described = yaml.safe_load((DBT_PROJECT_DIR / "models/marts/_published_sources.yml").read_text())
    for table in described["sources"][0]["tables"]:
        columns = company.connection.execute(f"describe activation.{table['name']}").fetchall()
        assert [(c[0], c[1].lower()) for c in columns] == [(c["name"], c["data_type"]) for c in table["columns"]]


def test_the_file_is_safe_to_open_in_a_spreadsheet(company: Company, tmp_path: Path) -> None:
    company.customer("c1", 2)
    company.point("c1", "=1+1@x.example")
    company.customer("c2", 1)
    company.point("c2", "a@x.example")
    company.connection.execute(
        "update marts.customer_profiles set first_name = '@SUM(A1)', last_name = '-x', salutation = 'Frau \"Ä\"' "
        "where customer_id = 'c1'"
    )
    company.build()
    [file] = export_audiences(company.connection, tmp_path)
    assert file == tmp_path / "regulars.csv"
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows == [
        ["customer_id", "contact_point_key", "value", "first_name", "last_name", "salutation"],
        ["c1", "'=1+1@x.example".replace("'=", "p_="), "'=1+1@x.example", "'@SUM(A1)", "'-x", 'Frau "Ä"'],
        ["c2", "p_a@x.example", "a@x.example", "C2", "B", ""],
    ]
    assert file.stat().st_mode & 0o007 == 0


def test_no_cell_hides_another_one_behind_a_separator(company: Company, tmp_path: Path) -> None:
    company.customer("c")
    company.point("c", "a@x.example")
    company.connection.execute(
        "update marts.customer_profiles set first_name = 'Max;=A1', last_name = 'B' || chr(10) || '=A2', "
        "salutation = ' =A3'"
    )
    company.build()
    [file] = export_audiences(company.connection, tmp_path)
    assert file.read_text().splitlines()[1:] == ["c,p_a@x.example,a@x.example,Max =A1,B =A2,'=A3"]


def test_phone_numbers_are_exported_as_dialers_need_them(company: Company, tmp_path: Path) -> None:
    audience = company.configuration.audiences_file.audiences[0].model_copy(update={"channel": "phone"})
    company.configuration = replace(company.configuration, audiences_file=AudiencesConfig(audiences=[audience]))
    company.customer("c")
    company.point("c", "+4915112345678", kind="phone")
    company.connection.execute("update marts.permissions_current set channel = 'phone'")
    company.build()
    [file] = export_audiences(company.connection, tmp_path)
    assert ",+4915112345678," in file.read_text()


@pytest.mark.parametrize(
    ("hours", "is_enabled", "members"),
    [(47, True, 1), (49, True, 0), (49, False, 0), (None, True, 0), (None, False, 1)],
    ids=["recent", "old", "switched off and old", "never read", "switched off and never read"],
)
def test_old_tickets_stop_every_audience(company: Company, hours: int | None, is_enabled: bool, members: int) -> None:
    company.customer("c")
    company.point("c", "c@x.example")
    loaded_at = None if hours is None else BUILD.as_of - timedelta(hours=hours)
    row = {"source_system": "desk", "entity": "tickets", "is_enabled": is_enabled, "loaded_at": loaded_at}
    company.insert("raw.reconciliation", row)
    company.insert("raw.reconciliation", {**row, "source_system": "other", "loaded_at": BUILD.as_of})
    assert company.build() == AudienceCount("regulars", matched=1, members=members, left_out=1 - members)
    assert company.left_out() == ({} if members else {"c": [("support_data_too_old", None, None)]})
