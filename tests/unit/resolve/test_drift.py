"""A kept model that no longer fits the data is learned anew, and the figures say why."""

from __future__ import annotations

from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration.identity import IdentityConfig
from tests.unit.resolve.conftest import Resolve
from tests.unit.resolve.test_resolve import make_people

NEXT = "20261122T000000Z-0000000b"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def people() -> Rows:
    return make_people(300)


def _drifted(connection: DuckDBPyConnection) -> set[tuple[str, str | None]]:
    return set(connection.execute("select figure, field from identity.model_fit where is_drifted").fetchall())


def test_a_night_like_any_other_keeps_the_model(resolve: Resolve, people: Rows, warehouse: DuckDBPyConnection) -> None:
    first = resolve(people, then_publish=True)
    assert warehouse.execute("select count(*) from identity.model_fit").fetchone() == (0,)
    night = resolve([*people[20:], *make_people(320, seed=1)[-20:]], version=NEXT)
    assert night.report.model_version == first.report.model_version
    assert not _drifted(warehouse)
    figures = warehouse.execute("select figure, count(*) from identity.model_fit group by all").fetchall()
    assert dict(figures)["share of profiles that have it"] == 7


def test_a_field_that_the_sources_lost_has_the_model_learned_anew(
    resolve: Resolve, people: Rows, warehouse: DuckDBPyConnection
) -> None:
    first = resolve(people, then_publish=True)
    without_mail = [{**row, "email": None} for row in people]
    anew = resolve(without_mail, version=NEXT)
    assert ("share of profiles that have it", "email") in _drifted(warehouse)
    assert anew.report.is_new_model
    assert anew.report.model_version == NEXT != first.report.model_version
    told = warehouse.execute("select distinct model_version, is_learned_anew from identity.model_fit").fetchall()
    assert told == [(first.report.model_version, True)]
    # As if nothing had been kept.
    assert anew.links == resolve(without_mail, version=NEXT, identity=IdentityConfig(model=2)).links


def test_a_field_in_which_people_agree_no_more_drifts(
    resolve: Resolve, people: Rows, warehouse: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.resolve.drift.FEWEST_MATCHES", 50)
    resolve(people, then_publish=True)
    moved = [{**row, "postal_code": f"{i:05}", "city": f"Ort {i}"} for i, row in enumerate(people)]
    resolve(moved, version=NEXT)
    assert ("agreement of one person's records", "address") in _drifted(warehouse)


def test_a_register_that_grew_fivefold_drifts(resolve: Resolve, people: Rows, warehouse: DuckDBPyConnection) -> None:
    first = resolve(people, then_publish=True)
    more = [{**row, "record_key": f"m_{row['record_key']}"} for row in make_people(1_500, seed=5)]
    grown = resolve([*people, *more], version=NEXT)
    assert ("profiles", None) in _drifted(warehouse)
    assert grown.report.is_new_model
    kept = resolve([*people, *more], version=NEXT, identity=IdentityConfig(learn_anew_on_drift=False))
    assert kept.report.model_version == first.report.model_version
    assert kept.report.drifted_count == grown.report.drifted_count > 0
    assert warehouse.execute("select bool_or(is_learned_anew) from identity.model_fit").fetchone() == (False,)
