"""`raw.*`: one table per entity in canonical form, keyed references, orders of flat exports, and what is not used."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipelines.configuration.sources import SourcesConfig
from pipelines.entities import ENTITIES
from pipelines.errors import SourceError
from pipelines.extract import build_raw, find_removed_sources, load_source
from pipelines.warehouse import connect
from tests.raw_tables import LEDGER_TABLES, raw_columns
from tests.unit.extract.conftest import FIRST_LOAD, Source


def test_every_table_is_there_in_the_agreed_form_also_when_nobody_delivers_it(source: Source) -> None:
    source.write("id;last_name\n1;Maier\n")
    source.load()
    columns = source.raw(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where schema_name = 'raw' order by table_name, column_index"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in columns:
        found.setdefault(table, []).append((name, kind))
    wanted = {e.table: list(raw_columns(e).items()) for e in ENTITIES.values()}
    wanted |= {table: list(columns.items()) for table, columns in LEDGER_TABLES.items()}
    assert found == wanted


def test_references_are_keyed_like_the_records_they_name(source: Source) -> None:
    files = {
        "users.csv": "source_record_id\nu1\n",
        "tickets.csv": "source_record_id;requester_record_id;order_record_id\nt1;u1;o1\n",
        "orders.csv": "source_record_id;customer_record_id\no1;c1\n",
        "customers.csv": "source_record_id;merged_into_record_id\nc1;\nc0;c1\n",
    }
    for name, text in files.items():
        source.write(text, name)
    common = {"controller": source.company.company.controllers[0], "path": str(source.folder)}
    support = {
        "users": {"path": "users.csv"},
        "tickets": {"path": "tickets.csv", "references": {"order_record_id": "shop"}},
    }
    shop = {"orders": {"path": "orders.csv"}, "customers": {"path": "customers.csv"}}
    entries = [
        {"name": "support", "role": "support", "entities": support, **common},
        {"name": "shop", "role": "shop", "entities": shop, **common},
    ]
    configuration = replace(source.company, sources_file=SourcesConfig.model_validate({"sources": entries}))
    for entry in configuration.sources:
        load_source(source.settings, configuration, entry, run_id="run", now=FIRST_LOAD)
    source.settings.build_dir.mkdir()
    with connect(source.settings.build_warehouse, source.settings) as connection:
        counts = build_raw(connection, source.settings, configuration)
        joined = connection.execute(
            """
            select count(*)
            from raw.support_tickets
            join raw.support_users on requester_record_key = support_users.record_key
            join raw.shop_orders on order_record_key = shop_orders.record_key
            join raw.shop_customers on customer_record_key = shop_customers.record_key
            join raw.shop_customers as merged on merged.merged_into_record_key = shop_customers.record_key
            """
        ).fetchone()
        assert build_raw(connection, source.settings, configuration, tables={"rejects"}) == {"rejects": 0}
    assert joined == (1,)
    assert counts["shop_customers"] == 2
    fewer = replace(configuration, sources_file=SourcesConfig(sources=[configuration.sources[1]]))
    assert find_removed_sources(source.settings, fewer) == ["support"]
    with connect(source.settings.build_warehouse, source.settings) as connection:
        assert build_raw(connection, source.settings, fewer)["support_users"] == 0


def test_an_absent_record_is_a_deleted_one(source: Source) -> None:
    source.write("id;city\n1;Ulm\n2;Bonn\n3;Kiel\n4;Jena\n5;Köln\n6;Trier\n")
    source.load()
    source.write("id;city\n1;Ulm\n2;Bonn\n3;Kiel\n4;Jena\n5;Köln\n")
    source.load()
    assert source.raw(
        "select source_record_id, deleted_at::varchar from raw.crm_contacts where deleted_at is not null"
    ) == [("6", "2026-01-02 02:00:00")]


def test_contact_fields_that_a_record_has_no_more_are_its_history(source: Source) -> None:
    def history() -> list[tuple[Any, ...]]:
        return source.raw(
            "select h.email, h.city, h.valid_from::date::varchar, h.valid_until::date::varchar "
            "from raw.person_history as h join raw.crm_contacts as c using (record_key) order by h.valid_until"
        )

    head = "id;email;city;last_name;created_at;updated_at\n"
    other = "2;b@x.de;Bonn;Eins;2020-01-01;\n"
    source.write(f"{head}1;old@x.de;Ulm;Eins;2024-05-01 12:00;2024-05-02 12:00\n{other}")
    source.load()
    assert history() == []
    source.write(f"{head}1;new@x.de;Ulm;Eins;2024-05-01 12:00;2025-06-01 12:00\n{other}")
    source.load()
    assert history() == [("old@x.de", "Ulm", "2024-05-01", "2025-06-01")]
    # Another name is no other contact field, and without a date of change that of the delivery counts.
    source.write(f"{head}1;new@x.de;Ulm;Zwei;2024-05-01 12:00;2025-07-01 12:00\n{other}")
    source.load()
    source.write(f"{head}1;new@x.de;Kiel;Zwei;2024-05-01 12:00;\n{other}")
    source.load()
    assert history() == [
        ("old@x.de", "Ulm", "2024-05-01", "2025-06-01"),
        ("new@x.de", "Ulm", "2025-06-01", "2026-01-04"),
    ]
    source.write(f"{head}1;old@x.de;Ulm;Zwei;2024-05-01 12:00;2026-01-04 12:00\n{other}")
    source.load()
    assert [row[:2] for row in history()] == [("new@x.de", "Ulm"), ("new@x.de", "Kiel")]


FLAT = {
    "columns": {
        "order_record_id": "invoice",
        "quantity": "n",
        "unit_amount": "price",
        "order_ordered_at": "at",
        "order_customer_record_id": "customer",
    },
    "defaults": {"order_currency": "GBP"},
    "format": {"decimal": ".", "dates": "ymd"},
}


@pytest.fixture
def flat(source: Source) -> Source:
    source.entity, source.role, source.file, source.mapping = "order_lines", "shop", "lines.csv", dict(FLAT)
    return source


def test_orders_of_flat_lines_take_the_first_value_that_is_there(flat: Source) -> None:
    flat.write(
        "invoice;n;price;at;customer\nA;1;2.50;2025-01-02 10:00;\n"
        "A;2;1.25;2025-01-03;c7\nA;2;1.25;2025-01-03;c7\nB;1;3;;\n"
    )
    lines, orders = flat.load_all()
    assert (lines.counts.new, orders.counts.new) == (4, 2)
    assert flat.raw(
        "select source_record_id, ordered_at::varchar, customer_record_id, currency, customer_record_key is not null "
        "from raw.shop_orders order by 1"
    ) == [("A", "2025-01-02 09:00:00", "c7", "GBP", True), ("B", None, None, "GBP", False)]
    assert flat.raw(
        "select count(*) from raw.shop_order_lines join raw.shop_orders on order_record_key = shop_orders.record_key"
    ) == [(4,)]
    assert flat.raw("select entity, delivered_count from raw.reconciliation order by 1") == [
        ("order_lines", 4),
        ("orders", 2),
    ]
    assert [r.status for r in flat.load_all()] == ["unchanged", "unchanged"]


def test_an_order_whose_only_line_is_rejected_is_not_deleted(flat: Source) -> None:
    flat.write("invoice;n;price;at;customer\nA;1;2.50;2025-01-02;c1\nB;1;3;2025-01-02;c2\n")
    flat.load_all()
    flat.write("invoice;n;price;at;customer\nA;1;2.50;2025-01-02;c1\nB;1;drei;2025-01-02;c2\n")
    lines, orders = flat.load_all(approved_shrink="one line is broken")
    assert (lines.counts.rejected, orders.counts.deleted, orders.live_count) == (1, 0, 2)


def test_flat_lines_need_the_id_of_their_order(flat: Source) -> None:
    flat.mapping["columns"] = {k: v for k, v in FLAT["columns"].items() if k != "order_record_id"}  # type: ignore[attr-defined]
    flat.write("invoice;n;price;at;customer\nA;1;2.50;2025-01-02;\n")
    with pytest.raises(SourceError, match="map `order_record_id`"):
        flat.load_all()


@pytest.mark.parametrize(
    ("entity", "mapping", "sentence"),
    [
        ("contacts", {"defaults": {"birth_date": "gestern"}}, "the default is no date"),
        ("contacts", {"references": {"city": "crm"}}, "refers to no other record"),
        ("contacts", {"key": ["a"], "columns": {"source_record_id": "a"}}, "either `key` or"),
        ("contacts", {"columns": {"shoe_size": "a"}}, "use `custom`"),
        ("contacts", {"format": {"time_zone": "Berlin"}}, "not a time zone"),
    ],
)
def test_a_mapping_that_cannot_work_is_a_sentence_before_anything_runs(
    source: Source, entity: str, mapping: dict[str, Any], sentence: str
) -> None:
    source.entity, source.mapping = entity, mapping
    with pytest.raises(ValueError, match=sentence):
        source.configuration()


def employments(source: Source) -> list[tuple[Any, ...]]:
    return source.raw(
        "select c.source_record_id, e.company_record_key is not null, e.valid_from, e.valid_until "
        "from raw.employments as e join raw.crm_contacts as c using (record_key) order by all"
    )


def test_employments_are_known_from_every_version_of_a_record(source: Source) -> None:
    source.options = {"format": {"time_zone": "UTC"}}
    columns = "id;company_record_id;city;created_at;updated_at;deleted_at\n"
    day = [datetime.fromisoformat(f"2026-01-0{number}") for number in range(1, 10)]
    source.write(f"{columns}1;f1;Ulm;2026-01-01;2026-01-01;\n2;;Ulm;2026-01-01;;\n3;f1;Ulm;;;\n")
    source.load()
    source.write(f"{columns}1;f1;Bonn;2026-01-01;2026-01-02;\n2;f1;Ulm;2026-01-01;2026-01-03;\n3;f2;Ulm;;;\n")
    source.load()
    source.write(f"{columns}1;f2;Bonn;2026-01-01;2026-01-04;\n2;f1;Ulm;2026-01-01;2026-01-05;2026-01-06\n3;f2;Ulm;;;\n")
    source.load()
    landed_later = FIRST_LOAD.replace(tzinfo=None) + timedelta(days=1)
    assert employments(source) == [
        ("1", True, day[0], day[3]),  # another town is no other company
        ("1", True, day[3], None),
        ("2", True, day[2], day[5]),  # first without a company, then deleted
        ("3", True, landed_later, None),  # a source that says nothing of times: as it was landed
        ("3", True, None, landed_later),
    ]


def test_one_delivery_of_everything_tells_the_employments_of_many(source: Source) -> None:
    source.options = {"format": {"time_zone": "UTC"}}
    head = "id;company_record_id;created_at;updated_at\n"
    lines = [f"1;f{number};2026-01-01;2026-01-0{number}\n" for number in (1, 2, 3)]
    source.write(head + "".join(lines))
    source.load()
    assert [(start.day, end and end.day) for _, _, start, end in employments(source)] == [(1, 2), (2, 3), (3, None)]
