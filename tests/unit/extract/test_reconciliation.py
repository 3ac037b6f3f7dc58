"""`delivered = new + changed + unchanged + revived + rejected + superseded + repeated`, against a model in Python."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.configuration import Configuration
from pipelines.extract import Counts
from pipelines.settings import Settings
from tests.unit.extract.conftest import Source


@dataclass(frozen=True)
class Row:
    id: str
    name: str
    updated: str
    deleted: str
    birth: str

    @property
    def line(self) -> str:
        return f"{self.id};{self.name};{self.updated};{self.deleted};{self.birth}"

    @property
    def is_bad(self) -> bool:
        return not self.id or self.birth == "gestern"


HEADER = "id;last_name;updated_at;deleted_at;birth_date"
ROWS = st.builds(
    Row,
    id=st.sampled_from(["1", "2", "3", "4", ""]),
    name=st.sampled_from(["Maier", "Weiß"]),
    updated=st.sampled_from(["", "2025-01-01", "2025-01-02"]),
    deleted=st.sampled_from(["", "", "", "2025-02-01"]),
    birth=st.sampled_from(["", "1980-12-31", "gestern"]),
)
DELIVERIES = st.lists(st.lists(ROWS, min_size=1, max_size=8), min_size=2, max_size=3)


class Model:
    """What is landed, as a dictionary: id to (row, is absent)."""

    def __init__(self) -> None:
        self.landed: dict[str, tuple[Row, bool]] = {}

    def deliver(self, rows: list[Row]) -> Counts:
        counts = dict.fromkeys(Counts().as_dict(), 0)
        counts["delivered"] = len(rows)
        kept: dict[str, tuple[int, Row]] = {}
        for place, row in enumerate(rows):
            if row.is_bad:
                counts["rejected"] += 1
            elif row.id not in kept or (row.updated, place) > (kept[row.id][1].updated, kept[row.id][0]):
                kept[row.id] = (place, row)
        for place, row in enumerate(rows):
            if not row.is_bad and kept[row.id][0] != place:
                counts["repeated" if row == kept[row.id][1] else "superseded"] += 1
        for record_id, (_, row) in kept.items():
            if record_id not in self.landed:
                counts["new"] += 1
                counts["deleted"] += bool(row.deleted)
            else:
                old, is_absent = self.landed[record_id]
                was_gone = is_absent or bool(old.deleted)
                if was_gone and not row.deleted:
                    counts["revived"] += 1
                elif old == row and not is_absent:
                    counts["unchanged"] += 1
                else:
                    counts["changed"] += 1
                    counts["deleted"] += bool(row.deleted) and not was_gone
        delivered_ids = {row.id for row in rows}
        for record_id, (old, is_absent) in self.landed.items():
            if record_id not in delivered_ids and not is_absent and not old.deleted:
                counts["deleted"] += 1
                self.landed[record_id] = (old, True)
        self.landed |= {record_id: (row, False) for record_id, (_, row) in kept.items()}
        return Counts(**counts)

    @property
    def live(self) -> dict[str, str]:
        return {i: row.name for i, (row, is_absent) in self.landed.items() if not is_absent and not row.deleted}


@given(deliveries=DELIVERIES)
@hypothesis_settings(max_examples=8, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_deliveries_lands_what_the_model_says(
    tmp_path: Path, settings: Settings, configuration: Configuration, deliveries: list[list[Row]]
) -> None:
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    source = Source(tmp_path, settings, configuration, mapping={"columns": {"source_record_id": "id"}})
    model = Model()
    for rows in deliveries:
        source.write([HEADER, *(row.line for row in rows)])
        report = source.load(approved_shrink="any delivery is fine here", full=True)
        assert report.counts == model.deliver(rows)
        landed = source.landed(
            "select source_record_id, last_name from contacts "
            "where deleted_at is null and _absent_since is null order by 1"
        )
        assert dict(landed) == model.live
    recognized, read_again = source.load(), source.load(full=True)
    assert (recognized.status, read_again.status) == ("unchanged", "loaded")
    assert recognized.counts == read_again.counts == report.counts.delivered_again()


def test_history_keeps_every_state_with_its_period(source: Source) -> None:
    for city in ("Ulm", "Bonn", None, "Bonn"):
        source.write(["id;city", "9;Kiel", *([f"1;{city}"] if city else [])])
        source.load(approved_shrink="one record only")
    states = source.landed(
        "select city, _absent_since is not null, strftime(_valid_from, '%d'), strftime(_valid_to, '%d') "
        "from (select *, null::timestamp as _valid_to from contacts union all by name from contacts_history) "
        "where source_record_id = '1' order by _valid_from"
    )
    assert states == [
        ("Ulm", False, "01", "02"),
        ("Bonn", False, "02", "03"),
        ("Bonn", True, "03", "04"),
        ("Bonn", False, "04", None),
    ]


def test_the_newest_of_two_rows_with_one_key_is_kept_and_the_older_one_known(source: Source) -> None:
    source.write("id;city;updated_at\n1;Ulm;2025-02-01\n1;Bonn;2025-01-01\n1;Ulm;2025-02-01\n")
    counts = source.load().counts
    assert (counts.new, counts.superseded, counts.repeated) == (1, 1, 1)
    source.load(full=True)
    assert source.landed("select city from contacts") == [("Ulm",)]
    assert source.landed("select city from contacts_history") == [("Bonn",)]


def test_unchanged_files_are_not_read_again_and_changed_mapping_is(source: Source) -> None:
    source.write("id;city;plz\n1;Ulm;89073\n")
    source.load()
    again = source.load()
    assert (again.status, again.counts.unchanged) == ("unchanged", 1)
    source.mapping["columns"]["postal_code"] = "plz"
    remapped = source.load()
    assert (remapped.status, remapped.counts.changed) == ("loaded", 1)
    assert source.load(changes={"format": {"dates": "dmy"}}).status == "loaded"


def test_a_reconciliation_sums_the_loads_since_the_watermark(source: Source) -> None:
    source.write("id;city\n1;Ulm\n")
    source.load()
    source.write("id;city\n1;Ulm\n2;Bonn\n")
    source.load()
    (first,) = source.landed("select min(loaded_at) from loads")
    query = "select load_count, delivered_count, new_count, unchanged_count from raw.reconciliation"
    assert source.raw(query) == [(2, 3, 2, 1)]
    assert source.raw(query, since={"crm": first[0]}) == [(1, 2, 1, 1)]


def test_a_record_that_was_changed_back_does_not_differ_from_what_was_published(source: Source) -> None:
    source.write("id;city\n1;Ulm\n2;Bonn\n3;Kiel\n")
    source.load()
    (published,) = source.landed("select max(loaded_at) from loads")
    query = "select changed_count, differing_count from raw.reconciliation"
    source.write("id;city\n1;?\n2;?\n3;Kiel\n4;Jena\n")
    source.load()
    assert source.raw(query, since={"crm": published[0]}) == [(2, 2)]
    source.write("id;city\n1;Ulm\n2;Berlin\n3;Kiel\n4;Weimar\n")
    source.load()
    assert source.raw(query, since={"crm": published[0]}) == [(5, 1)]
    assert source.raw(query) == [(5, 0)]


def test_a_mended_delivery_is_told_of_the_latest_load(source: Source) -> None:
    source.write("id;birth_date\n1;31.13.2000\n2;2000-01-01\n")
    source.load()
    query = "select delivered_count, rejected_count, latest_delivered_count, latest_rejected_count "
    assert source.raw(f"{query} from raw.reconciliation") == [(2, 1, 2, 1)]
    source.write("id;birth_date\n1;2000-12-31\n2;2000-01-01\n3;2000-01-01\n")
    source.load()
    assert source.raw(f"{query} from raw.reconciliation") == [(5, 1, 3, 0)]


def test_rounding_is_half_up_and_counted(source: Source) -> None:
    source.entity, source.role, source.file = "order_lines", "shop", "lines.csv"
    source.mapping["format"] = {"decimal": "."}
    source.write("id;quantity;unit_amount\n1;1;0.00005\n2;2;-1.00005\n3;3;2.5000000\n")
    assert source.load().counts.rounded == 2
    assert source.landed("select unit_amount::varchar from order_lines order by source_record_id") == [
        ("0.0001",),
        ("-1.0001",),
        ("2.5000",),
    ]
    (amounts,) = source.raw("select control_amounts ->> 'quantity_x_unit_amount' from raw.reconciliation")
    assert amounts == ("5.49990000",)


def test_records_without_key_are_all_kept_also_exact_duplicates(source: Source) -> None:
    source.mapping = {}
    source.write("last_name;city\nMaier;Ulm\nMaier;Ulm\nWeiß;Bonn\n")
    counts = source.load().counts
    assert (counts.new, counts.repeated) == (3, 0)
    ids = source.landed("select source_record_id from contacts order by 1")
    source.write("last_name;city\nWeiß;Bonn\nMaier;Ulm\nMaier;Ulm\nKurz;Kiel\n")
    counts = source.load().counts
    assert (counts.unchanged, counts.new) == (3, 1)
    assert set(ids) < set(source.landed("select source_record_id from contacts"))


def test_a_composite_key_is_unambiguous(source: Source) -> None:
    source.mapping = {"key": ["shop", "number"]}
    source.write("shop;number;city\na|b;c;Ulm\na;b|c;Bonn\n;1;Kiel\n")
    counts = source.load().counts
    assert (counts.new, counts.rejected) == (2, 1)


@pytest.mark.parametrize("day", ["2025-02-01", ""])
def test_merged_records_are_not_live(source: Source, day: str) -> None:
    source.write(f"id;merged_into_record_id;deleted_at\n1;;\n2;1;{day}\n")
    report = source.load()
    assert (report.counts.new, report.counts.deleted, report.live_count) == (2, 1, 1)


def test_of_a_record_on_many_lines_the_last_one_counts(source: Source) -> None:
    """The customers of a list of orders: a guest is none, and a broken line does not take the record away."""
    source.mapping = {
        "columns": {"source_record_id": "id", "last_name": "name", "birth_date": "born"},
        "repeated": True,
    }
    source.write(["id,name,born,order", "1,Poppe,,A", ",Gast,,B", "1,Nölke,,C", "2,Lührs,,D", "2,Lührs,gestern,E"])
    report = source.load()
    assert (report.counts.delivered, report.counts.new, report.counts.accounted) == (2, 2, 2)
    assert source.landed("select source_record_id, last_name from contacts order by all") == [
        ("1", "Nölke"),
        ("2", "Lührs"),
    ]
    assert source.load(full=True).counts.unchanged == 2
    with pytest.raises(ValueError, match="what is `repeated` needs a key"):
        source.configuration(entities={"contacts": {"path": "contacts.csv", "repeated": True}})
