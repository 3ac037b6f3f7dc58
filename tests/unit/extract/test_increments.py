"""Files that hold what is new or changed: each content is landed once, and nothing is gone because it is not in one."""

from __future__ import annotations

import pytest

from pipelines.configuration.sources import SourcesConfig
from pipelines.warehouse import connect
from tests.unit.extract.conftest import Source

HEADER = "id,email,updated_at"


@pytest.fixture
def increments(source: Source) -> Source:
    source.file = "contacts-*.csv"
    source.mapping = {"delivery": "increments", "columns": {"source_record_id": "id"}}
    return source


def test_each_content_is_landed_once(increments: Source) -> None:
    increments.write([HEADER, "1,a@x.de,2026-01-01", "2,b@x.de,2026-01-01"], "contacts-01.csv")
    assert increments.load().counts.new == 2
    increments.write([HEADER, "2,new@x.de,2026-01-02", "3,c@x.de,2026-01-02"], "contacts-02.csv")
    increments.write([HEADER, "1,a@x.de,2026-01-01", "2,b@x.de,2026-01-01"], "contacts-03.csv")  # under another name
    report = increments.load()
    assert (report.counts.delivered, report.counts.new, report.counts.changed, report.counts.deleted) == (2, 1, 1, 0)
    assert increments.landed("select source_record_id, email from contacts order by 1") == [
        ("1", "a@x.de"),
        ("2", "new@x.de"),
        ("3", "c@x.de"),
    ]
    again = increments.load()
    assert (again.status, again.counts.delivered, again.live_count) == ("unchanged", 0, 3)
    assert "no file is new; 0 delivered" in again.message


def test_files_that_were_cleared_away_are_no_problem(increments: Source) -> None:
    increments.write([HEADER, "1,a@x.de,2026-01-01"], "contacts-01.csv")
    increments.load()
    (increments.folder / "contacts-01.csv").unlink()
    assert increments.load().status == "unchanged"
    increments.write([HEADER, "2,b@x.de,2026-01-02"], "contacts-02.csv")
    assert increments.load().live_count == 2


def test_a_file_that_comes_late_replaces_nothing_newer(increments: Source) -> None:
    increments.write([HEADER, "1,newest@x.de,2026-01-03", "2,b@x.de,2026-01-01"], "contacts-03.csv")
    increments.load()
    increments.write([HEADER, "1,older@x.de,2026-01-02", "2,newer@x.de,2026-01-02"], "contacts-02.csv")
    report = increments.load()
    assert (report.counts.delivered, report.counts.superseded, report.counts.changed) == (2, 1, 1)
    assert increments.landed("select email from contacts order by source_record_id") == [
        ("newest@x.de",),
        ("newer@x.de",),
    ]
    assert increments.landed("select email from contacts_history order by 1") == [("b@x.de",), ("older@x.de",)]


def test_a_record_that_ends_says_so_itself(increments: Source) -> None:
    increments.write([HEADER + ",deleted_at", "1,a@x.de,2026-01-01,", "2,b@x.de,2026-01-01,"], "contacts-01.csv")
    increments.load()
    increments.write([HEADER + ",deleted_at", "1,a@x.de,2026-01-02,2026-01-02"], "contacts-02.csv")
    assert increments.load(approved_shrink="tested").counts.deleted == 1


def test_a_reject_stays_open_until_its_record_comes_again(increments: Source) -> None:
    increments.write([HEADER, "1,a@x.de,2026-01-01", "2,b@x.de,never", "3,c@x.de,never"], "contacts-01.csv")
    assert increments.load().counts.rejected == 2
    increments.write([HEADER, "2,b@x.de,2026-01-02"], "contacts-02.csv")
    increments.load()
    assert increments.landed("select source_record_id, resolution from rejects order by 1") == [
        ("2", "mended"),
        ("3", None),
    ]


def test_rejects_without_an_id_end_when_their_file_comes_again(increments: Source) -> None:
    broken = [HEADER, "1,a@x.de,2026-01-01", ",b@x.de,2026-01-01", "torn", "4,d@x.de,never"]
    open_ones = "select file, value_class from rejects where resolved_at is null order by all"
    increments.write(broken, "contacts-01.csv")
    increments.write([HEADER, ",e@x.de,2026-01-01"], "contacts-02.csv")
    assert increments.load().counts.rejected == 4
    increments.write([HEADER, "9,i@x.de,2026-01-02"], "contacts-03.csv")  # tells of neither file
    increments.load()
    assert len(increments.landed(open_ones)) == 4
    increments.write([*broken[:2], "2,b@x.de,2026-01-02", *broken[3:]], "contacts-01.csv")
    increments.load()
    assert increments.landed(open_ones) == [
        ("contacts-01.csv", "line with too few columns"),
        ("contacts-01.csv", "text instead of a date and time"),
        ("contacts-02.csv", "missing id"),
    ]
    increments.write([*broken[:2], "2,b@x.de,2026-01-02"], "contacts-01.csv")
    increments.load()
    assert increments.landed(open_ones) == [("contacts-02.csv", "missing id")]


def test_a_broken_line_that_comes_again_in_another_file_is_one_reject(increments: Source) -> None:
    increments.write([HEADER, "7,broken", "1,a@x.de,2026-01-01"], "contacts-01.csv")
    increments.load()
    increments.write([HEADER, "7,broken", "2,b@x.de,2026-01-01"], "contacts-02.csv")
    increments.load()
    assert increments.landed("select file, resolution from rejects order by file") == [
        ("contacts-01.csv", "replaced"),
        ("contacts-02.csv", None),
    ]


def test_a_landing_of_an_earlier_release_learns_the_files_of_its_broken_lines(increments: Source) -> None:
    increments.write([HEADER, "1,a@x.de,2026-01-01", "torn"], "contacts-01.csv")
    increments.load()
    with connect(increments.settings.landing_file("crm"), increments.settings) as connection:
        connection.execute("alter table rejects drop column file")
    increments.write([HEADER, "1,a@x.de,2026-01-01"], "contacts-01.csv")
    increments.load()
    assert increments.landed("select resolution from rejects") == [("no longer delivered",)]


def test_a_changed_mapping_reads_all_that_is_there_again(increments: Source) -> None:
    increments.write([HEADER, "1,a@x.de,2026-01-01"], "contacts-01.csv")
    increments.write([HEADER, "2,b@x.de,2026-01-02"], "contacts-02.csv")
    increments.load()
    increments.mapping["defaults"] = {"country": "DE"}
    assert increments.load().counts.changed == 2
    assert increments.load(full=True).counts.unchanged == 2


@pytest.mark.parametrize(
    ("entity", "config", "sentence"),
    [
        ("contacts", {"columns": {"email": "mail"}}, "increments need a key"),
        (
            "order_lines",
            {"columns": {"source_record_id": "id", "order_ordered_at": "at"}},
            "carry their orders are delivered in full",
        ),
    ],
)
def test_what_cannot_come_in_increments_is_told(entity: str, config: dict[str, object], sentence: str) -> None:
    entry = {"name": "a", "role": "shop", "controller": "A", "entities": {entity: {"path": "x.csv", **config}}}
    entry["entities"][entity]["delivery"] = "increments"  # type: ignore[index]
    with pytest.raises(ValueError, match=sentence):
        SourcesConfig.model_validate({"sources": [entry]})
