"""Daily deliveries: what every system knew on each evening, with all that can happen between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import KundenstammError
from pipelines.sample import break_sample, generate_sample, is_sample_of
from pipelines.sample.chance import Calendar, Chance
from pipelines.sample.chunks import write_company
from pipelines.sample.company import Systems, Tables, export_systems, run_systems
from pipelines.sample.deliveries import DELIVERY_RATES, Days
from pipelines.sample.noise import resolve_rates
from pipelines.sample.past import Past
from tests.unit.sample.conftest import AS_OF, figure, loaded

CALENDAR = Calendar.at(AS_OF)
LAST = 6
DAYS = Days(CALENDAR, LAST)
# The file and its key by source and entity of the truth.
FILES = {
    ("crm", "contacts"): ("crm/contacts", "Kontakt-Nr"),
    ("shop", "customers"): ("shop/customers", "customer_no"),
    ("support", "users"): ("support/users", "id"),
    ("mail_order", "customers"): ("mail_order/kunden", "kdnr"),
    ("tills", "customers"): ("tills/cards", "card"),
    ("shop", "orders"): ("shop/orders", "order_no"),
    ("mail_order", "orders"): ("mail_order/bestellungen", "bestnr"),
    ("marketplace", "orders"): ("marketplace/sales", "saleId"),
    ("tills", "order_lines"): ("tills/receipt_lines", "line"),
    ("shop", "returns"): ("shop/returns", "return_no"),
    ("mail_order", "returns"): ("mail_order/retouren", "retnr"),
    ("shop", "carts"): ("shop/carts", "cart_no"),
    ("crm", "interactions"): ("crm/interactions", "Nr"),
    ("crm", "stage_changes"): ("crm/stage_changes", "Nr"),
    ("support", "tickets"): ("support/tickets", "id"),
    ("support", "ratings"): ("support/ratings", "id"),
    ("newsletter", "touches"): ("newsletter/messages", "event_id"),
    ("web", "events"): ("web/events", "eventId"),
    ("erp", "invoices"): ("erp/rechnungen", "BELNR"),
    ("enrichment", "attributes"): ("enrichment/attributes", "id"),
}
PERSONS = [FILES[name] for name in list(FILES)[:5]]
# The latest campaign is older than the days, so no message is new.
GROWING = [file for name, file in FILES.items() if name != ("newsletter", "touches")]


def make_days(customers: int, **rates: float) -> tuple[list[Systems], list[Tables], pd.DataFrame]:
    """The systems of every day, what they deliver, and the truth about the deliveries."""
    chance, all_rates = Chance(1), resolve_rates(rates, DELIVERY_RATES)
    systems = run_systems(customers, CALENDAR, chance, all_rates)
    past = Past(systems, DAYS, chance, all_rates)
    days = [*(past.on(day) for day in DAYS.earlier()), systems]
    return days, [export_systems(day, CALENDAR) for day in days], past.tell_truth()["truth/deliveries"]


@pytest.fixture(scope="module")
def made() -> tuple[list[Systems], list[Tables], pd.DataFrame]:
    return make_days(4000, deliver_late=0.3)


@pytest.fixture(scope="module")
def deliveries(made: tuple[list[Systems], list[Tables], pd.DataFrame]) -> list[Tables]:
    return made[1]


@pytest.fixture(scope="module")
def truth(made: tuple[list[Systems], list[Tables], pd.DataFrame]) -> pd.DataFrame:
    return made[2]


def occurrences(deliveries: list[Tables], source: str, entity: str, record_id: str) -> list[int]:
    """How often each day's delivery has the record."""
    file, key = FILES[source, entity]
    return [int((tables[file][key].astype("str") == record_id).sum()) for tables in deliveries]


def told(truth: pd.DataFrame, kind: str, most: int = 40) -> Iterator[tuple[int, str, str, str]]:
    """Day, source, entity and id of some of the records of which the truth says it."""
    rows = truth[truth["kind"] == kind]
    assert len(rows) > 3
    yield from rows.head(most)[["day", "source_system", "entity", "source_record_id"]].itertuples(index=False)


def by_key(tables: Tables, file: str, key: str) -> pd.DataFrame:
    return tables[file].drop_duplicates(key).set_index(key)


@pytest.mark.parametrize(("file", "key"), GROWING, ids=[file for file, _ in GROWING])
def test_something_new_comes_within_the_days(deliveries: list[Tables], file: str, key: str) -> None:
    assert set(deliveries[-1][file][key]) - set(deliveries[0][file][key])


@pytest.mark.parametrize(("file", "key"), PERSONS[:4], ids=[file for file, _ in PERSONS[:4]])
def test_records_change_and_say_so(deliveries: list[Tables], file: str, key: str) -> None:
    stamp = {"crm/contacts": "Geändert am", "shop/customers": "changed_at", "mail_order/kunden": "upd"}
    values = {
        "crm/contacts": ["Mobil", "Straße"],
        "shop/customers": ["mobile_tel", "street"],
        "support/users": ["phone"],
        "mail_order/kunden": ["fon", "str"],
    }[file]
    first, last = (by_key(deliveries[day], file, key) for day in (0, -1))
    both = first.index.intersection(last.index)
    old, new = first.loc[both], last.loc[both]
    changed = (old[values].fillna("") != new[values].fillna("")).any(axis=1)
    column = stamp.get(file, "updated")
    assert changed.sum() > 3
    assert (old.loc[changed, column] != new.loc[changed, column]).all()


def test_contacts_are_merged_and_stay_merged(deliveries: list[Tables], truth: pd.DataFrame) -> None:
    for day, *_, number in told(truth, "merge_in_crm"):
        for other, tables in enumerate(deliveries):
            contacts = tables["crm/contacts"]
            into = contacts.loc[contacts["Kontakt-Nr"] == number, "Aufgegangen in"]
            assert (into.notna() == (other >= day)).all()
    assert deliveries[0]["crm/contacts"]["Aufgegangen in"].notna().any()


def test_contacts_are_deleted(deliveries: list[Tables]) -> None:
    first, last = (by_key(deliveries[day], "crm/contacts", "Kontakt-Nr")["Gelöscht am"] for day in (0, -1))
    lately = last[last.notna()].index.intersection(first[first.isna()].index)
    assert len(lately) > 0
    assert set(first[first.notna()].index) <= set(last[last.notna()].index)


def test_accounts_are_opened_and_closed_within_the_days(deliveries: list[Tables], truth: pd.DataFrame) -> None:
    for day, source, entity, number in told(truth, "open_and_close"):
        there = [bool(count) for count in occurrences(deliveries, source, entity, number)]
        assert not there[0]
        assert there[day - 1]
        assert not any(there[day:])


def test_records_are_missing_once_and_reappear(deliveries: list[Tables], truth: pd.DataFrame) -> None:
    for day, source, entity, number in told(truth, "skip_a_delivery"):
        there = [bool(count) for count in occurrences(deliveries, source, entity, number)]
        assert there[day - 1 : day + 2] == [True, False, True]
        assert all(there[day + 1 :]) or number not in set(deliveries[-1][FILES[source, entity][0]])


def test_late_facts_come_a_day_late_with_all_that_belongs_to_them(
    deliveries: list[Tables], truth: pd.DataFrame
) -> None:
    for day, source, entity, number in told(truth, "deliver_late", 200):
        there = [bool(count) for count in occurrences(deliveries, source, entity, number)]
        assert there == [other > day for other in range(LAST + 1)]
    late = truth[truth["kind"] == "deliver_late"]
    assert {"orders", "order_lines", "tickets", "events"} <= set(late["entity"])
    # Who is somebody by an order is not late: an id that was issued to a later record would stand for ever.
    guests = deliveries[-1]["shop/orders"].loc[deliveries[-1]["shop/orders"]["customer_no"].isna(), "order_no"]
    assert not set(guests) & set(late["source_record_id"])
    assert not {"customers", "contacts", "users"} & set(late["entity"])
    assert "marketplace" not in set(late["source_system"])


def test_rows_are_delivered_twice_and_are_equal(deliveries: list[Tables], truth: pd.DataFrame) -> None:
    for day, source, entity, number in told(truth, "deliver_twice"):
        counts = occurrences(deliveries, source, entity, number)
        assert counts[day] == 2
        assert sum(count > 1 for count in counts) == 1
        file, key = FILES[source, entity]
        table = deliveries[day][file]
        assert len(table[table[key].astype("str") == number].astype("str").drop_duplicates()) == 1


def moments_of(content: Any, path: str = "") -> Iterator[tuple[str, pd.Series[pd.Timestamp]]]:
    """Every column of moments in a tree of dataclasses and tables."""
    if isinstance(content, pd.DataFrame):
        yield from ((f"{path}.{n}", content[n]) for n in content if content[n].dtype.kind == "M")
    elif is_dataclass(content):
        for field in fields(content):
            yield from moments_of(getattr(content, field.name), f"{path}.{field.name}")


def test_nothing_is_later_than_the_evening(made: tuple[list[Systems], list[Tables], pd.DataFrame]) -> None:
    # What is to come is said beforehand, and the register of cards does not say when a card was changed.
    left_out = (".due_on", ".expected_on", ".cards.updated_at")
    for day, systems in zip(DAYS.earlier(), made[0], strict=False):
        columns = {path: values for path, values in moments_of(systems) if not path.endswith(left_out)}
        assert len(columns) > 40
        assert [path for path, values in columns.items() if values.max() >= day.evening] == []


def test_what_came_later_is_not_given_away(deliveries: list[Tables]) -> None:
    for tables in deliveries:
        orders = tables["shop/orders"]
        assert ((orders["state"] == "zugestellt") == orders["delivered_at"].notna()).all()
        assert ((orders["state"] == "storniert") == orders["cancelled_at"].notna()).all()
        assert ((orders["payment"] == "ok") <= orders["paid_at"].notna()).all()
        permissions = tables["crm/permissions"]
        assert ((permissions["Stand"] == "widerrufen") == permissions["Widerrufen am"].notna()).all()
        tickets = tables["support/tickets"]
        is_open = tickets["state"].isin(["new", "open", "pending", "hold"])
        assert (is_open == tickets["solved"].isna()).all()
        deals = tables["crm/deals"]
        assert (deals["Phase"].isin(["Gewonnen", "Verloren"]) == deals["Abgeschlossen am"].notna()).all()
        opt_ins = tables["newsletter/optins"]
        assert ((opt_ins["state"] == "confirmed") == opt_ins["confirmed"].notna()).all()


REFERENCES = (
    ("shop/order_lines", "order_no", "shop/orders", "order_no"),
    ("shop/order_discounts", "order_no", "shop/orders", "order_no"),
    ("mail_order/positionen", "bestnr", "mail_order/bestellungen", "bestnr"),
    ("marketplace/sale_items", "saleId", "marketplace/sales", "saleId"),
    ("crm/contacts", "Firmen-Nr", "crm/companies", "Firmen-Nr"),
    ("crm/deals", "Firmen-Nr", "crm/companies", "Firmen-Nr"),
    ("crm/company_contacts", "Firmen-Nr", "crm/companies", "Firmen-Nr"),
    ("crm/deal_contacts", "Vorgangs-Nr", "crm/deals", "Vorgangs-Nr"),
    ("crm/interactions", "Vorgangs-Nr", "crm/deals", "Vorgangs-Nr"),
)


@pytest.mark.parametrize("day", range(LAST))
def test_orders_are_whole_and_what_belongs_together_comes_together(deliveries: list[Tables], day: int) -> None:
    tables = deliveries[day]
    for file, column, target, key in REFERENCES:
        assert set(tables[file][column].dropna()) <= set(tables[target][key]), file
    orders = tables["shop/orders"].drop_duplicates().set_index("order_no")
    lines = tables["shop/order_lines"]
    goods = (lines["qty"] * lines["unit_price"]).groupby(lines["order_no"]).sum()
    assert set(goods.index) == set(orders.index)
    assert (goods.reindex(orders.index) == orders["items_total"]).all()


@pytest.mark.parametrize("day", range(LAST))
def test_nobody_names_an_account_that_was_not_open_yet(
    made: tuple[list[Systems], list[Tables], pd.DataFrame], day: int
) -> None:
    accounts = made[0][-1].shop.customers
    known = set(accounts["record_id"][accounts["created_at"] < DAYS.day(day).evening])
    for file, column in (("shop/orders", "customer_no"), ("shop/carts", "customer_no"), ("web/events", "userId")):
        assert set(made[1][day][file][column].dropna()) <= known, file


def test_nothing_goes_missing_when_nothing_goes_wrong() -> None:
    _, deliveries, truth = make_days(600, **dict.fromkeys(DELIVERY_RATES, 0))
    assert set(truth["kind"]) <= {"merge_in_crm"}
    for former, tables in pairwise(deliveries):
        for file, key in FILES.values():
            assert tables[file][key].is_unique
            assert set(former[file][key]) <= set(tables[file][key]), file


@pytest.mark.parametrize("customers", [1, 30, 600])
def test_no_delivery_shrinks_to_its_limit(customers: int) -> None:
    _, deliveries, _ = make_days(customers, **dict.fromkeys(DELIVERY_RATES, 1))
    for former, tables in pairwise(deliveries):
        for file, key in FILES.values():
            lost = set(former[file][key]) - set(tables[file][key])
            assert len(lost) <= 0.15 * len(former[file]), file


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("days") / "sample"
    generate_sample(folder, customers=60, seed=3, as_of=AS_OF, days=2)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    found = (f for f in folder.rglob("*") if f.is_file() and f.name != "sample.json")
    return {str(f.relative_to(folder)): f.read_bytes() for f in found}


def test_the_last_day_is_the_ordinary_sample(written: Path, tmp_path: Path) -> None:
    generate_sample(tmp_path / "ordinary", customers=60, seed=3, as_of=AS_OF)
    ordinary = {n: b for n, b in contents(tmp_path / "ordinary").items() if not n.startswith("truth/")}
    assert contents(written / "day_02") == ordinary
    assert contents(written / "day_00").keys() == ordinary.keys()
    assert sorted(f.name for f in written.iterdir()) == ["day_00", "day_01", "day_02", "sample.json", "truth"]


def test_days_are_the_same_with_any_number_of_processes(tmp_path: Path) -> None:
    files = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        rates = resolve_rates(None, DELIVERY_RATES)
        rows = write_company(30, 1, CALENDAR, rates, folder, days=1, chunk_persons=20, processes=processes)
        files.append(contents(folder))
        assert files[-1].keys() == rows.keys()
    assert files[0] == files[1]
    with loaded(tmp_path / "1" / "day_00") as tables:
        assert figure(tables, "select count(*) from order_lines anti join orders using (order_no)") == 0


def test_a_sample_with_days_is_reused_and_is_no_other(written: Path) -> None:
    assert generate_sample(written, customers=60, seed=3, as_of=AS_OF, days=2).is_reused
    assert is_sample_of(written, customers=60, seed=3, days=2)
    assert not is_sample_of(written, customers=60, seed=3)


def test_a_defect_breaks_the_last_delivery(tmp_path: Path) -> None:
    generate_sample(tmp_path / "s", customers=60, seed=3, as_of=AS_OF, days=1)
    before = contents(tmp_path / "s")
    assert break_sample(tmp_path / "s", "missing_orders", 0.5) > 0
    after = contents(tmp_path / "s")
    assert {name for name in after if after[name] != before[name]} == {"day_01/shop/orders.parquet"}


@pytest.mark.parametrize("days", [-1, 61])
def test_a_number_of_days_that_cannot_be_is_a_sentence(tmp_path: Path, days: int) -> None:
    with pytest.raises(KundenstammError, match=f"cannot have {days} daily deliveries; give a number from 0 to 60"):
        generate_sample(tmp_path / "s", customers=1, seed=1, as_of=AS_OF, days=days)


def test_a_mishap_of_deliveries_needs_days(tmp_path: Path) -> None:
    with pytest.raises(KundenstammError, match="no noise named 'deliver_late'"):
        generate_sample(tmp_path / "s", customers=1, seed=1, as_of=AS_OF, rates={"deliver_late": 0})


def test_the_command_says_where_the_deliveries_are(tmp_path: Path) -> None:
    arguments = ["sample", "--out", str(tmp_path / "s"), "--customers", "20", "--as-of", "2026-11-21", "--days", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "Deliveries are in day_00 to day_01." in result.output
    assert (tmp_path / "s" / "day_01" / "crm" / "contacts.csv").is_file()


def test_days_are_counted_by_evenings() -> None:
    evening = DAYS.day(0).evening
    moments = np.array([evening - np.timedelta64(1, "s"), evening, evening + np.timedelta64(86_400, "s"), "NaT"])
    assert DAYS.first_delivery(moments.astype("datetime64[s]")).tolist() == [0, 1, 2, -1]
    assert DAYS.day(LAST).evening == np.datetime64(AS_OF, "s")
