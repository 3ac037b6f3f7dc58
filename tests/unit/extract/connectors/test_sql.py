"""A database as a source: what is read of it, when, and what is said when it cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.errors import SourceError
from pipelines.settings import Settings
from tests.unit.extract.connectors.conftest import Nights, Server

COLUMNS = {"source_record_id": "id", "email": "mail", "birth_date": "born", "is_employee": "staff"}
COLUMNS |= {"created_at": "made", "updated_at": "changed", "first_name": "given name"}


@pytest.fixture(params=["postgresql", "mysql"])
def database(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue("postgres" if request.param == "postgresql" else "mariadb")
    name = '"given name"' if server.dialect == "postgresql" else "`given name`"
    moment = "timestamptz" if server.dialect == "postgresql" else "datetime"
    server.run(
        "drop table if exists people",
        f"create table people (id bigint, {name} varchar(50), mail varchar(50), born date, staff boolean, "
        f"worth numeric(12, 2), made {moment}, changed {moment}, remark text)",
        "insert into people values (1, 'Änne', 'a@example.com', '1980-02-03', true, 12.50, "
        "'2026-01-01 10:00:00', '2026-11-01 10:00:00', 'x')",
        "insert into people values (2, 'Bo', null, null, false, -3.05, '2026-01-02 10:00:00', '2026-11-02 10:00:00', "
        "null)",
        "insert into people values (3, null, '100 %', '1990-12-31', null, null, null, '2026-11-03 10:00:00', '')",
    )
    return server


@pytest.fixture
def nights(database: Server, settings: Settings, configuration: Configuration) -> Nights:
    entity: dict[str, Any] = {
        "table": "people",
        "columns": COLUMNS,
        "custom": {"worth": {"from": "worth", "type": "decimal", "purpose": "test"}},
    }
    entry = {"name": "crm", "role": "crm", "connector": "sql", "sql": {"url": database.url}}
    return Nights(settings, configuration, {**entry, "entities": {"contacts": entity}})


def changed_by(nights: Nights, column: str = "changed") -> Nights:
    nights.entry["entities"]["contacts"]["changed"] = column
    return nights


def test_values_arrive_in_their_types(nights: Nights) -> None:
    report = nights.load()["contacts"]
    assert (report.counts.delivered, report.counts.new) == (3, 3)
    rows = nights.landed(
        "select source_record_id, first_name, email, birth_date::text, is_employee, created_at::text, custom::text "
        "from contacts order by all"
    )
    assert rows == [
        ("1", "Änne", "a@example.com", "1980-02-03", True, "2026-01-01 10:00:00", '{"worth":12.5000}'),
        ("2", "Bo", None, None, False, "2026-01-02 10:00:00", '{"worth":-3.0500}'),
        ("3", None, "100 %", "1990-12-31", None, None, None),
    ]


def test_a_column_nobody_mapped_is_reported_and_does_not_leave_the_database(nights: Nights) -> None:
    unmapped = nights.load()["contacts"].unmapped
    assert [(c.name, c.type, c.fill_rate) for c in unmapped] in (
        [("remark", "text", 0.6667)],
        [("remark", "blob", 0.6667)],  # what MariaDB calls a text
    )


def test_a_second_night_without_changes_writes_nothing(nights: Nights) -> None:
    nights.load()
    before = nights.landed("select *, rowid from contacts order by rowid")
    report = nights.load()["contacts"]
    assert (report.counts.unchanged, report.counts.new, report.counts.changed) == (3, 0, 0)
    assert nights.landed("select *, rowid from contacts order by rowid") == before


def test_a_night_reads_what_changed_and_a_window_before_it(nights: Nights, database: Server) -> None:
    changed_by(nights).load()
    database.run(
        "update people set mail = 'new@example.com', changed = '2026-11-20 10:00:00' where id = 1",
        # Committed late: its time lies half an hour before the newest one of the first night.
        "insert into people (id, changed) values (4, '2026-11-03 09:30:00')",
    )
    counts = nights.load()["contacts"].counts
    assert (counts.delivered, counts.new, counts.changed, counts.unchanged) == (3, 1, 1, 1)
    assert nights.load()["contacts"].counts.delivered == 1
    assert nights.landed("select email from contacts where source_record_id = '1'") == [("new@example.com",)]


def test_rows_that_never_say_when_they_changed_are_read_every_night(nights: Nights, database: Server) -> None:
    changed_by(nights).load()
    database.run("insert into people (id) values (5)")
    assert nights.load()["contacts"].counts.new == 1
    assert nights.load()["contacts"].counts.unchanged == 2


def test_a_change_dated_in_the_future_does_not_hide_later_ones(nights: Nights, database: Server) -> None:
    database.run("update people set changed = '2099-01-01 00:00:00' where id = 2")
    changed_by(nights).load()
    database.run("update people set mail = 'later@example.com', changed = '2026-11-21 12:00:00' where id = 1")
    assert nights.load()["contacts"].counts.changed == 1


def test_deletions_are_found_by_a_complete_read_once_a_week(nights: Nights, database: Server) -> None:
    changed_by(nights).load()
    database.run(
        *(f"insert into people (id, changed) values ({n}, '2026-11-03 10:00:00')" for n in range(10, 20)),
    )
    nights.load()
    database.run("delete from people where id = 10")
    assert [nights.load()["contacts"].counts.deleted for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    database.run("insert into people (id, changed) values (10, '2026-11-28 10:00:00')")
    assert nights.load()["contacts"].counts.revived == 1


def test_a_number_may_say_what_changed(nights: Nights, database: Server) -> None:
    changed_by(nights, "id").load()
    database.run("insert into people (id) values (9)")
    assert nights.load()["contacts"].counts.as_dict() | {"rounded": 0} == {
        **dict.fromkeys(nights.load()["contacts"].counts.as_dict(), 0),
        "delivered": 2,
        "new": 1,
        "unchanged": 1,
    }


def test_everything_since_a_moment_can_be_read_again(nights: Nights) -> None:
    changed_by(nights).load()
    assert nights.load(since=datetime(2026, 11, 2, tzinfo=UTC))["contacts"].counts.unchanged == 2
    assert nights.load(full=True)["contacts"].counts.unchanged == 3


def test_a_query_may_hold_colons_and_percent_signs(nights: Nights) -> None:
    nights.entry["entities"]["contacts"] = {
        "query": "select id, concat('a:b', ' %s 50%') as remark, changed from people where mail like '%a%' or 1 = 1;",
        "columns": {"source_record_id": "id", "full_name": "remark"},
        "changed": "changed",
    }
    nights.load()
    assert nights.landed("select distinct full_name from contacts") == [("a:b %s 50%",)]
    assert nights.load()["contacts"].counts.delivered == 1


def test_an_empty_table_is_no_reason_to_delete_everything(nights: Nights, database: Server) -> None:
    nights.load()
    database.run("delete from people")
    with pytest.raises(SourceError, match="the delivery holds no record, but 3 are landed"):
        nights.load()


@pytest.mark.parametrize(
    ("entity", "sentence"),
    [
        ({"table": "persons"}, "there is no such table or column"),
        ({"query": "select from where"}, "no valid SQL|no such table or column"),
        ({"columns": {"source_record_id": "id", "email": "e_mail"}}, "the table lacks e_mail"),
        ({"changed": "touched"}, "the table lacks touched"),
    ],
)
def test_a_wrong_name_is_a_sentence(nights: Nights, entity: dict[str, Any], sentence: str) -> None:
    own = nights.entry["entities"]["contacts"]
    if "query" in entity:
        own.pop("table")
    own |= entity
    with pytest.raises(SourceError, match=sentence):
        nights.load()


def test_a_failed_read_leaves_position_and_rows_as_they_were(nights: Nights, database: Server) -> None:
    changed_by(nights).load()
    before = nights.landed("select entity, position::text from positions"), nights.contents("contacts")
    database.run("alter table people rename column mail to post")
    with pytest.raises(SourceError, match="lacks mail"):
        nights.load()
    assert (nights.landed("select entity, position::text from positions"), nights.contents("contacts")) == before


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://reader:${PG_PASSWORD}@127.0.0.1:1/shop", "does not answer"),
        ("mysql://reader:${PG_PASSWORD}@127.0.0.1:1/shop", "does not answer"),
    ],
)
def test_a_database_that_is_away_is_a_sentence_without_its_password(
    settings: Settings, configuration: Configuration, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.setenv("PG_PASSWORD", "geheim@1:/?")
    entity = {"table": "people", "columns": {"source_record_id": "id"}}
    entry = {"name": "crm", "role": "crm", "connector": "sql", "sql": {"url": url}, "entities": {"contacts": entity}}
    with pytest.raises(SourceError, match=sentence) as caught:
        Nights(settings, configuration, entry).load()
    assert "geheim" not in str(caught.value)
    log = settings.build_dir / "errors.log"
    assert not log.exists() or "geheim" not in log.read_text()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sql": {"url": "postgresql://reader:secret@host/shop"}}, "a password must not stand here"),
        ({"sql": {"url": "oracle://host/shop"}}, "begins with one of postgresql://, mysql://, mariadb://"),
        ({"sql": None}, "needs a block `sql`"),
        ({"entities": {"contacts": {"path": "contacts.csv"}}}, "name either a `table` or a `query`"),
        ({"entities": {"contacts": {"table": "a", "changed": "b"}}}, "needs a key"),
        ({"connector": "files"}, "the block `sql` is for the connector sql"),
    ],
)
def test_a_wrong_entry_says_what_is_allowed(
    settings: Settings, configuration: Configuration, changes: dict[str, Any], sentence: str
) -> None:
    entity = {"table": "people", "columns": {"source_record_id": "id"}}
    entry = {"name": "crm", "role": "crm", "connector": "sql", "sql": {"url": "postgresql://host/shop"}}
    with pytest.raises(ValueError, match=sentence) as caught:
        Nights(settings, configuration, {**entry, "entities": {"contacts": entity}, **changes}).configuration()
    assert "secret" not in str(caught.value).partition("[type=")[0]


def test_columns_of_a_batch_are_native_only_where_one_type_fits() -> None:
    from datetime import date
    from decimal import Decimal

    from pipelines.extract.connectors.sql_values import to_arrow

    assert str(to_arrow([1, None]).type) == "int64"
    assert str(to_arrow([2**70, 1]).type) == "string"
    assert to_arrow([Decimal("1E+2"), None]).to_pylist() == ["100", None]
    assert str(to_arrow([datetime(2026, 1, 1, tzinfo=UTC)]).type) == "timestamp[us, tz=UTC]"
    assert to_arrow([date(2026, 1, 1), "soon", True, b"\x01", {"a": [1]}]).to_pylist() == [
        "2026-01-01",
        "soon",
        "true",
        "01",
        '{"a":[1]}',
    ]
