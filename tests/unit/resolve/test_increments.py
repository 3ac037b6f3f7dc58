"""A run that finds the scores of an earlier one gives exactly what a run without them gives, and weighs little."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration import Configuration
from pipelines.configuration.identity import IdentityConfig
from pipelines.resolve.increments import CACHE_FILE
from pipelines.settings import Settings
from tests.unit.resolve.conftest import Resolve, Resolved
from tests.unit.resolve.test_resolve import make_people

# What a record may get that leads to another record, and the field of that one.
OF_OTHERS = {"further_email": "email", "former_email": "email", "asks_about_order_of": "record_key"}


def _change(rows: list[dict[str, Any]], chance: random.Random, share: float) -> list[dict[str, Any]]:
    """The rows after a night: some changed a value, some are gone, some are new."""
    changed = []
    for row in rows:
        if chance.random() >= share:
            changed.append(row)
        elif chance.random() < 0.7:
            field = chance.choice(["email", "phone", "birth_date", "street", "last_name", *OF_OTHERS])
            value = date(1999, 1, 1) if field == "birth_date" else f"{field}{chance.randrange(10**6)}@new.de"
            if field in OF_OTHERS:
                value = chance.choice(rows)[OF_OTHERS[field]]
            changed.append({**row, field: chance.choice([None, value])} if value else row)
    new = make_people(2, seed=chance.randrange(10**6))
    return changed + [{**row, "record_key": f"{row['record_key']}{chance.randrange(10**6)}"} for row in new]


def _facts(result: Resolved) -> tuple[object, ...]:
    def in_order(rows: list[dict[str, Any]]) -> list[str]:
        return sorted(map(repr, rows))

    return result.customer_of, in_order(result.links), in_order(result.refused)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_night_of_any_changes_gives_what_a_full_run_gives(resolve: Resolve, settings: Settings, seed: int) -> None:
    chance = random.Random(seed)
    rows = make_people(300, seed=seed)
    first = resolve(rows, then_publish=True)
    assert first.report.weighed_pair_count == first.report.scored_pair_count > 100
    night = _change(rows, chance, share=0.02)
    increment = resolve(night, version="20261122T000000Z-0000000b")
    assert increment.report.weighed_pair_count < 0.25 * increment.report.scored_pair_count
    (settings.data_dir / "cache" / CACHE_FILE).unlink()
    full = resolve(night, version="20261122T000000Z-0000000b")
    assert full.report.weighed_pair_count == full.report.scored_pair_count == increment.report.scored_pair_count
    assert _facts(increment) == _facts(full)


def test_a_night_of_what_touches_others_gives_what_a_full_run_gives(
    resolve: Resolve, warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> None:
    rows = make_people(300)
    resolve(rows, then_publish=True)
    # A mailbox that becomes a crowd's, a record that is gone, decisions of people, another threshold.
    crowd = [{**row, "email": rows[0]["email"]} if i % 60 == 0 else row for i, row in enumerate(rows)]
    night = [row for row in crowd if row["record_key"] != rows[3]["record_key"]]
    warehouse.execute(
        "insert into config.overrides (kind, a_record_key, b_record_key, is_active, line) values "
        "('cannot-link', $1, $2, true, 2), ('must-link', $1, $3, true, 3)",
        [rows[8]["record_key"], rows[9]["record_key"], rows[50]["record_key"]],
    )
    stricter = configuration.identity.model_copy(update={"match_probability": 0.99})

    def run(identity: IdentityConfig) -> Resolved:
        return resolve(night, version="20261122T000000Z-0000000b", identity=identity)

    increment = run(stricter)
    assert increment.report.weighed_pair_count < 0.25 * increment.report.scored_pair_count
    assert "too_many_names" in increment.reasons()
    assert increment.apart(rows[8]["record_key"], rows[9]["record_key"])
    (settings.data_dir / "cache" / CACHE_FILE).unlink()
    assert _facts(run(stricter)) == _facts(increment)
    anew = run(stricter.model_copy(update={"model": 2}))
    assert anew.report.weighed_pair_count == anew.report.scored_pair_count


def test_a_damaged_cache_is_replaced_and_changes_nothing(resolve: Resolve, settings: Settings) -> None:
    rows = make_people(300)
    before = resolve(rows, then_publish=True)
    file = settings.data_dir / "cache" / CACHE_FILE
    file.write_bytes(b"no database")
    after = resolve(rows, version="20261122T000000Z-0000000b")
    assert after.customer_of == before.customer_of
    assert after.report.weighed_pair_count == after.report.scored_pair_count
    assert resolve(rows, version="20261122T000000Z-0000000b").report.weighed_pair_count == 0
