"""Every defect changes as many rows as it says, in one file, and nothing else."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.errors import KundenstammError
from pipelines.sample import break_sample, generate_sample, read_defects
from pipelines.sample.breaking import DEFECTS
from tests.unit.sample.conftest import figure, loaded

# The file that a defect changes, and how many rows show it.
SIGNS = {
    "invalid_emails": (
        "crm/contacts.csv",
        "select count(*) from contacts where \"E-Mail\" = 'keine E-Mail' or \"E-Mail\" like '%@@%' "
        "or \"E-Mail\" like '%@' or not contains(\"E-Mail\", '@')",
    ),
    "cents_off": (
        "shop/orders.parquet",
        """select count(*) from orders join
        (select order_no, sum(qty * unit_price) as goods from order_lines group by 1) using (order_no)
        where items_total = goods + 0.01""",
    ),
    "missing_orders": (
        "shop/orders.parquet",
        "select count(distinct order_no) from order_lines anti join orders using (order_no)",
    ),
    "shrunken_delivery": (
        "crm/contacts.csv",
        """select count(*) from persons anti join contacts on "Kontakt-Nr" = source_record_id
        where source_system = 'crm' and entity = 'contacts'""",
    ),
    "repeated_keys": ("support/tickets.jsonl", "select count(*) - count(distinct id) from tickets"),
    "future_orders": ("shop/orders.parquet", "select count(*) from orders where placed_at > timestamp '2030-01-01'"),
    "garbled_dates": ("crm/contacts.csv", "select count(*) from contacts where \"Angelegt am\" like '32.%'"),
}

# The file in which rows differ from before; of those that can show the defect, which may be few.
CHANGED = {
    "emptied_column": "crm/contacts.csv",
    "broken_encoding": "crm/contacts.csv",
    "misread_decimals": "erp/rechnungen.csv",
    "shifted_times": "shop/orders.parquet",
    "repeated_rows": "shop/customers.parquet",
    "copied_records": "crm/contacts.csv",
    "missing_accounts": "shop/customers.parquet",
    "missing_currencies": "mail_order/bestellungen.csv",
    "flipped_consents": "crm/permissions.csv",
    "invented_birth_dates": "crm/contacts.csv",
    "reset_numbers": "crm/contacts.csv",
    "late_delivery": "support/tickets.jsonl",
    "swapped_columns": "crm/contacts.csv",
    "one_mailbox": "crm/contacts.csv",
    "renamed_states": "support/tickets.jsonl",
}


def rows_of(file: Path) -> Counter[bytes]:
    if file.suffix == ".parquet":
        return Counter(repr(row).encode() for row in pq.read_table(file).to_pylist())
    return Counter(file.read_bytes().splitlines())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "whole"
    generate_sample(
        folder,
        customers=400,
        seed=5,
        as_of=date.fromisoformat("2026-11-21"),
        rates={"invalidate_emails": 0, "fill_in_placeholders": 0},
    )
    return folder


@pytest.mark.parametrize("defect", SIGNS)
def test_a_defect_is_in_its_share_of_the_rows_of_one_file(whole: Path, tmp_path: Path, defect: str) -> None:
    file, sign = SIGNS[defect]
    with loaded(whole) as tables:
        assert figure(tables, sign) == 0
        rows = sum(figure(tables, f"select count(*) from {name}") for name in [Path(file).stem])
    broken = shutil.copytree(whole, tmp_path / "broken")
    changed = break_sample(broken, defect, 0.2)
    assert 0.1 * rows < changed < 0.3 * rows
    with loaded(broken) as tables:
        assert figure(tables, sign) == changed
    names = {str(f.relative_to(whole)) for f in whole.rglob("*") if f.is_file()}
    different = {name for name in names if (whole / name).read_bytes() != (broken / name).read_bytes()}
    assert different == {file, "sample.json"}


@pytest.mark.parametrize("defect", CHANGED)
def test_a_defect_changes_the_rows_it_says_and_at_rate_zero_none(whole: Path, tmp_path: Path, defect: str) -> None:
    names = {str(f.relative_to(whole)) for f in whole.rglob("*") if f.is_file()} - {"sample.json"}
    for rate in (0, 0.2):
        broken = shutil.copytree(whole, tmp_path / f"broken_{rate}")
        changed = break_sample(broken, defect, rate)
        before, after = rows_of(whole / CHANGED[defect]), rows_of(broken / CHANGED[defect])
        assert max((before - after).total(), (after - before).total()) == changed
        assert bool(changed) == bool(rate)
        assert changed < 0.3 * before.total()
        different = {name for name in names if (whole / name).read_bytes() != (broken / name).read_bytes()}
        assert different == ({CHANGED[defect]} if rate else set())


def test_every_defect_is_looked_at() -> None:
    assert DEFECTS.keys() == SIGNS.keys() | CHANGED.keys()


@pytest.mark.parametrize("defect", SIGNS)
def test_a_defect_at_rate_zero_changes_no_row(whole: Path, tmp_path: Path, defect: str) -> None:
    broken = shutil.copytree(whole, tmp_path / "broken")
    assert break_sample(broken, defect, 0) == 0
    with loaded(broken) as tables:
        assert figure(tables, SIGNS[defect][1]) == 0


def test_defects_are_read_with_or_without_a_rate() -> None:
    assert read_defects(["cents_off", "missing_orders=0.05"]) == {"cents_off": 0.3, "missing_orders": 0.05}
    assert read_defects([]) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rain=0.1", "no defect named 'rain'; allowed: invalid_emails, cents_off"),
        ("cents_off=many", "'cents_off=many' is no number; write NAME=RATE"),
        ("cents_off=2", "is 2.0; allowed is a share"),
    ],
    ids=["unknown", "no number", "above 1"],
)
def test_a_wrong_defect_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(KundenstammError, match=sentence):
        read_defects([text])
