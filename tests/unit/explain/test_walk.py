"""What somebody does who doubts that three records are one customer: asks, forbids, sees, takes it back."""

from __future__ import annotations

from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration import Configuration
from pipelines.explain import explain_customer, explain_pair, tell_customer, tell_pair
from pipelines.keys import record_key
from pipelines.overrides import COLUMNS, Overrides, read_overrides
from pipelines.settings import Settings
from pipelines.warehouse import literal
from tests.unit.explain.conftest import PublishRows

HOME = {"street": "Tannengasse", "house_number": "27", "postal_code": "70173", "city": "Stuttgart"}
MAIL = {"email": "anke.birkenthal@x.de"}
# One customer over three sources, written in three ways; the family of a neighbor.
SPELLINGS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("crm", "contacts", "K-1"): {"first_name": "Ange", "last_name": "Birkenthal", **MAIL, **HOME},
    ("shop", "customers", "1001"): {"first_name": "Birkenthal", "last_name": "Anke", **MAIL, **HOME},
    ("support", "users", "7"): {"first_name": "Anke", "last_name": "Birkenthal", **MAIL, "birth_date": "1969-02-04"},
    ("crm", "contacts", "K-2"): {"first_name": "Till", "last_name": "Steinthal", "email": "till@y.de"},
}
CRM, SHOP, SUPPORT = "crm:contacts:K-1", "shop:customers:1001", "support:users:7"


@pytest.fixture
def rows(warehouse: DuckDBPyConnection) -> list[dict[str, Any]]:
    """The records under the keys that a line of overrides.csv about them gets."""
    found = []
    for name, values in SPELLINGS.items():
        row = warehouse.execute(f"select {record_key(*map(literal, name))}").fetchone()
        assert row is not None
        source, entity, record = name
        found.append(
            {"record_key": row[0], "source_system": source, "entity": entity, "source_record_id": record, **values}
        )
    return found


def _decide(settings: Settings, configuration: Configuration, *pairs: tuple[str, str]) -> Overrides:
    """Write overrides.csv with a cannot-link per pair and read it as a run does."""
    lines = [",".join(COLUMNS)]
    lines += [
        ",".join(["cannot-link", *a.split(":"), *b.split(":"), "", "", "Petra", "seen both", "2026-11-20", ""])
        for a, b in pairs
    ]
    settings.overrides_file.write_text("\n".join(lines) + "\n")
    read = read_overrides(settings.overrides_file, configuration.sources)
    assert read.problems == ()
    return read.overrides


def test_a_link_is_understood_forbidden_and_given_back_with_the_old_ids(
    publish_rows: PublishRows, rows: list[dict[str, Any]], settings: Settings, configuration: Configuration
) -> None:
    before = publish_rows(rows, overrides=_decide(settings, configuration))
    assert len(set(before.customer_of.values())) == 2
    old = explain_customer(settings, CRM).customer_id
    told = "\n".join(tell_customer(explain_customer(settings, old)))
    assert "3 records from 3 sources" in told
    for spelling in ("Ange Birkenthal", "Birkenthal Anke", "Anke Birkenthal"):
        assert spelling in told
    assert told.count("the same e-mail address") >= 2
    assert "first name: first and last name swapped" in told

    publish_rows(rows, overrides=_decide(settings, configuration, (CRM, SHOP), (CRM, SUPPORT)))
    parts = {name: explain_customer(settings, name).customer_id for name in (CRM, SHOP, SUPPORT)}
    assert parts[SHOP] == parts[SUPPORT] != parts[CRM]
    assert old in parts.values()
    fresh = parts[CRM] if parts[SHOP] == old else parts[SHOP]
    apart = "\n".join(tell_pair(explain_pair(settings, CRM, SHOP)))
    assert "people decided it (cannot-link in overrides.csv)" in apart
    assert f"line 2  cannot-link  {CRM}, {SHOP}  in force; Petra, 2026-11-20: seen both" in apart
    assert f"{old} split ({fresh})" in "\n".join(tell_customer(explain_customer(settings, old)))

    after = publish_rows(rows, overrides=_decide(settings, configuration))
    assert after.customer_of == before.customer_of
    back = explain_customer(settings, fresh)  # the id that was issued meanwhile leads to the customer, for ever
    assert (back.customer_id, back.former_ids) == (old, (fresh,))

    again = publish_rows(rows, overrides=_decide(settings, configuration, (CRM, SHOP), (CRM, SUPPORT)))
    assert set(again.customer_of.values()) >= {old, fresh}  # forbidden once more, both ids are back
    assert explain_customer(settings, CRM).customer_id == parts[CRM]
