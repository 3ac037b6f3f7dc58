"""A run that finds the scores of an earlier one gives exactly what a run without them gives, and weighs little."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration import Configuration
from pipelines.configuration.identity import IdentityConfig
from pipelines.resolve import blocking
from pipelines.resolve.kept import CACHE_FILE
from pipelines.settings import Settings
from tests.unit.resolve.conftest import Resolve, Resolved, fetch
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


DEFAULT_DATE = date(1970, 1, 1)  # of so many people that it is nobody's
TABLES = (
    *("members", "links", "refused_links", "compared_records", "review_queue", "model", "model_frequencies"),
    *("model_fit", "customer_id_history", "customer_id_events"),
)


def _disturb(rows: list[dict[str, Any]], chance: random.Random, night: int) -> list[dict[str, Any]]:
    """A night after which values, blocks and homes of others are not what they were, beside any changes."""
    rows = _change(rows, chance, share=0.02)
    keys = [row["record_key"] for row in rows]
    mailbox, home, name = (chance.choice(rows) for _ in range(3))

    def change(count: int, **values: Any) -> None:
        for i in chance.sample(range(len(rows)), count):
            rows[i] = {**rows[i], **values}

    if night % 3 == 0:
        change(6, email=mailbox["email"], email_match=mailbox["email"])  # a crowd's
        change(2, merged_into_record_key=chance.choice(keys))
        change(2, merged_into_record_key="r_not_there")
        change(2, birth_date=DEFAULT_DATE)
    elif night % 3 == 1:
        change(4, street=home.get("street"), house_number=home.get("house_number"), postal_code=home.get("postal_code"))
        change(2, first_name="A.", last_name=home["last_name"], email=home["email"])  # fits several
        change(9, first_name=name["first_name"], last_name=name["last_name"])  # a block that grows
        change(2, identifiers='{"loyalty": "4711"}')
        change(1, is_deleted=True)
        # Who says the same as others, and is the first of them.
        rows += [{**row, "record_key": f"q_{row['record_key']}"} for row in chance.sample(rows, 9)]
    else:  # much of it goes away again
        stay = [row for row in rows if row.get("email") != mailbox["email"] and chance.random() > 0.03]
        return [row for row in stay if not row["record_key"].startswith("q_") or chance.random() > 0.5]
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_every_night_of_several_gives_every_table_of_a_full_run(
    resolve: Resolve,
    warehouse: DuckDBPyConnection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(blocking, "MAX_BLOCK", 6)  # so that blocks are divided, and some for the first time
    chance = random.Random(seed)
    rows = [{**row, "birth_date": DEFAULT_DATE} if i % 40 == 0 else row for i, row in enumerate(make_people(300, seed))]
    cache, aside = settings.data_dir / "cache", settings.data_dir / "aside"
    resolve(rows, then_publish=True)
    for night in range(4):
        rows = _disturb(rows, chance, night)
        _decide(warehouse, chance.sample(rows, 4))
        version = f"2026112{night + 2}T000000Z-0000000b"
        increment = resolve(rows, version=version)
        assert increment.report.renewed_count < 0.5 * increment.report.record_count
        found = {table: fetch(warehouse, table) for table in TABLES}
        cache.rename(aside)
        full = resolve(rows, version=version, then_publish=True)
        assert full.report.renewed_count == full.report.record_count
        assert full.report.divided_count > 0
        ours = replace(increment.report, renewed_count=0, weighed_pair_count=0)
        assert ours == replace(full.report, renewed_count=0, weighed_pair_count=0)
        for table in TABLES:
            assert found[table] == fetch(warehouse, table), f"{table} in night {night}"
        shutil.rmtree(cache)
        aside.rename(cache)


def _decide(warehouse: DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    """Take all decisions back and make two others."""
    a, b, c, d = (row["record_key"] for row in rows)
    warehouse.execute("delete from config.overrides")
    warehouse.execute(
        "insert into config.overrides (kind, a_record_key, b_record_key, is_active, line) values "
        "('cannot-link', $1, $2, true, 2), ('must-link', $3, $4, true, 3)",
        [a, b, c, d],
    )
