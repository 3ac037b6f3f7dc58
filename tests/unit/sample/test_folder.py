"""The folder of a sample: the same arguments give the same files, and nobody's own files are lost."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipelines.errors import KundenstammError
from pipelines.sample import break_sample, generate_sample, is_sample_of

DAY = date.fromisoformat("2026-11-21")
CAMPAIGNS = {"newsletter/mailings.csv", "newsletter/mailing_steps.csv", "truth/campaigns.parquet"}
SHARED = {"shop/products.parquet", "mail_order/artikel.csv"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "sample"
    generate_sample(folder, customers=150, seed=3, as_of=DAY)
    return folder


def test_the_same_arguments_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    generate_sample(tmp_path / "again", customers=150, seed=3, as_of=DAY)
    assert contents(tmp_path / "again") == contents(small)


@pytest.fixture
def copied(small: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small, tmp_path / "sample")


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"seed": 4}, CAMPAIGNS),
        ({"customers": 151}, {"crm/companies.csv", *SHARED, *CAMPAIGNS}),
        ({"as_of": DAY - timedelta(days=1)}, {"newsletter/mailing_steps.csv", "mail_order/artikel.csv"}),
    ],
    ids=["seed", "customers", "day"],
)
def test_another_argument_gives_another_sample(
    small: Path, tmp_path: Path, changed: dict[str, object], kept: set[str]
) -> None:
    arguments = {"customers": 150, "seed": 3, "as_of": DAY, **changed}
    generate_sample(tmp_path / "other", **arguments)  # type: ignore[arg-type]
    other, first = contents(tmp_path / "other"), contents(small)
    assert other.keys() == first.keys()
    same = {name for name in other if other[name] == first[name]}
    assert kept <= same
    assert same.isdisjoint(
        {"crm/contacts.csv", "shop/orders.parquet", "web/events.parquet", "newsletter/messages.parquet"}
    )


def test_a_datetime_counts_as_its_day_in_utc(small: Path) -> None:
    for moment in (
        datetime(2026, 11, 21, 23, 59),  # noqa: DTZ001 naive means UTC
        datetime(2026, 11, 21, 12, tzinfo=UTC),
        datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=2))),
    ):
        assert generate_sample(small, customers=150, seed=3, as_of=moment).is_reused


def test_an_existing_sample_is_left_alone(small: Path) -> None:
    before = {f: f.stat().st_mtime_ns for f in small.rglob("*")}
    report = generate_sample(small, customers=150, seed=3, as_of=DAY)
    assert report.is_reused
    assert report.rows["shop/orders.parquet"] > 100
    assert {f: f.stat().st_mtime_ns for f in small.rglob("*")} == before


def test_another_sample_in_the_folder_is_replaced_as_a_whole(copied: Path, tmp_path: Path) -> None:
    (copied / "crm" / "left_over.csv").write_text("x")
    report = generate_sample(copied, customers=20, seed=1, as_of=DAY)
    assert not report.is_reused
    assert not (copied / "crm" / "left_over.csv").exists()
    assert [f.name for f in tmp_path.iterdir()] == ["sample"]


def test_a_sample_that_lacks_a_file_is_made_again(copied: Path, small: Path) -> None:
    (copied / "shop" / "orders.parquet").unlink()
    assert not is_sample_of(copied, customers=150, seed=3)
    assert not generate_sample(copied, customers=150, seed=3, as_of=DAY).is_reused
    assert contents(copied) == contents(small)


@pytest.mark.parametrize("name", ["accounts.xlsx", "sample.json"], ids=["some file", "a sample.json of something else"])
def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[1]")
    with pytest.raises(KundenstammError, match="is not a sample, so nothing was written"):
        generate_sample(tmp_path, customers=30, seed=1, as_of=DAY)
    assert contents(tmp_path) == {name: b"[1]"}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("mine")
    with pytest.raises(KundenstammError, match="is not a sample"):
        generate_sample(tmp_path / "sample", customers=30, seed=1, as_of=DAY)


def test_a_company_with_a_single_employer_is_written(tmp_path: Path) -> None:
    report = generate_sample(tmp_path / "s", customers=60, seed=3, as_of=DAY, rates={"change_employer": 1})
    assert report.rows["crm/companies.csv"] == 1
    assert report.rows["crm/company_contacts.csv"] > 0


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    assert not generate_sample(tmp_path / "sample", customers=1, seed=0, as_of=DAY).is_reused


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KundenstammError, match="could not be written"):
        generate_sample(tmp_path / "file" / "sample", customers=1, seed=0, as_of=DAY)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"customers": 0}, "cannot have 0 customers"),
        ({"seed": -1}, "seed -1 is negative"),
        ({"rates": {"typos": 0.1}}, "no noise named 'typos'; allowed: share_in_families"),
        ({"rates": {"misspell_names": 1.5}}, "rate of noise 'misspell_names' is 1.5"),
    ],
    ids=["no customers", "negative seed", "unknown noise", "rate above 1"],
)
def test_a_wrong_argument_is_a_sentence(tmp_path: Path, arguments: dict[str, object], sentence: str) -> None:
    given = {"customers": 10, "seed": 1, "as_of": DAY, **arguments}
    with pytest.raises(KundenstammError, match=sentence):
        generate_sample(tmp_path / "sample", **given)  # type: ignore[arg-type]
    assert not (tmp_path / "sample").exists()


def test_a_sample_is_known_by_customers_and_seed_whatever_its_day(small: Path, tmp_path: Path) -> None:
    assert is_sample_of(small, customers=150, seed=3)
    assert not is_sample_of(small, customers=150, seed=4)
    assert not is_sample_of(tmp_path / "nothing", customers=150, seed=3)


def test_a_broken_sample_is_not_taken_for_the_whole_one(copied: Path) -> None:
    whole = contents(copied)
    changed = break_sample(copied, "invalid_emails", 0.3)
    broken = contents(copied)
    assert {n for n in whole if whole[n] != broken[n]} == {"crm/contacts.csv", "sample.json"}
    before, after = (c["crm/contacts.csv"].decode("cp1252").splitlines() for c in (whole, broken))
    different = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(different) == changed
    assert 0.2 < changed / sum("@" in line for line in before) < 0.4
    assert json.loads(broken["sample.json"])["parameters"]["defects"] == {"invalid_emails": 0.3}
    assert not generate_sample(copied, customers=150, seed=3, as_of=DAY).is_reused
    assert contents(copied) == whole


def test_breaking_needs_a_known_defect_and_a_sample(tmp_path: Path) -> None:
    with pytest.raises(KundenstammError, match="no defect named 'rain'; allowed: invalid_emails"):
        break_sample(tmp_path, "rain")
    with pytest.raises(KundenstammError, match="holds no sample"):
        break_sample(tmp_path, "invalid_emails")
    with pytest.raises(KundenstammError, match=r"is 2; allowed is a share"):
        break_sample(tmp_path, "invalid_emails", 2)
