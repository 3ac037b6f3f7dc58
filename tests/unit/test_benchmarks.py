"""A benchmark that was interrupted goes on with what it has measured, and only with that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import pipeline
from benchmarks.audit import defects
from benchmarks.identity.measures import Quality
from benchmarks.process import Cost, RunFailedError
from benchmarks.results import Measured, load_result, save_result
from pipelines.settings import Settings

COST = Cost(rows=10, seconds=2.0, cpu_seconds=3.0, peak_bytes=4_000_000, spilled_bytes=0)
MEASURED = Measured(
    first={"clean: persons": COST, "clean: orders": replace(COST, rows=None, peak_bytes=9_000_000), "land: crm": COST},
    warm={},
    first_whole=COST,
    warm_whole=None,
    once={"the sample is generated": 1.5},
    version_bytes=7,
    quality=Quality(0.99, 0.98, 0.985, 0.99, 0.001, 4, 10, 5, 6),
)


@pytest.fixture
def measured_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """The sizes that were measured; there is no room for the million."""
    sizes: list[int] = []

    def measure_size(_settings: Settings, _work: Path, customers: int, _runs: int) -> Measured:
        if customers == 1_000_000:
            raise RunFailedError("no room")
        sizes.append(customers)
        return MEASURED

    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(pipeline, "measure_size", measure_size)
    monkeypatch.setattr(pipeline, "describe_conditions", lambda *_: "this code")
    return sizes


def test_a_result_is_what_was_kept_of_it(tmp_path: Path) -> None:
    save_result(tmp_path, 100, "this code", MEASURED)
    assert load_result(tmp_path, 100, "this code") == MEASURED


@pytest.mark.parametrize(("customers", "made_of"), [(200, "this code"), (100, "other code")])
def test_a_result_of_another_size_or_other_code_does_not_count(tmp_path: Path, customers: int, made_of: str) -> None:
    save_result(tmp_path, 100, "this code", MEASURED)
    assert load_result(tmp_path, customers, made_of) is None


def test_a_second_call_measures_only_what_the_first_did_not(measured_sizes: list[int]) -> None:
    assert not pipeline.print_tables([10_000, 1_000_000], runs=1)
    assert pipeline.print_tables([10_000, 100_000], runs=1)
    assert measured_sizes == [10_000, 100_000]
    assert pipeline.print_tables([10_000], runs=1, again=True)
    assert measured_sizes == [10_000, 100_000, 10_000]


def test_a_stage_takes_the_sum_of_its_steps_and_the_highest_of_their_peaks() -> None:
    assert pipeline.sum_stages(MEASURED.first)["clean"] == Cost(10, 4.0, 6.0, 9_000_000, 0)


@pytest.fixture
def nights_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], list[bool]]:
    """Ask for one night with this code and these rules; says of every measurement whether its build was kept."""
    measured: list[bool] = []

    def measure(_nights: defects.Nights, _name: str, _defect: str, _rate: float, *, is_computed: bool) -> list[str]:
        measured.append(is_computed)
        return ["src_001"]

    def ask(code: str, rules: str) -> list[bool]:
        monkeypatch.setattr(defects, "_digest_code", lambda: code)
        monkeypatch.setattr(defects, "digest_files", lambda _: rules)
        assert defects.Nights(tmp_path, 100).find("cents_off", 0.1) == ["src_001"]
        return measured

    (tmp_path / "100_1").mkdir()
    monkeypatch.setattr(defects.Nights, "_measure", measure)
    return ask


def test_a_night_is_measured_again_when_code_or_rules_changed(nights_of: Callable[[str, str], list[bool]]) -> None:
    assert nights_of("code", "rules") == [False]
    assert nights_of("code", "rules") == [False], "nothing changed"
    assert nights_of("code", "other rules") == [False, True], "the night is still as it was computed"
    assert nights_of("other code", "other rules") == [False, True, False]
