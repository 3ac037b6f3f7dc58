"""A run that continues from what an earlier one kept gives exactly what a run without it gives, and weighs little."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration import Configuration
from pipelines.configuration.identity import IdentifierConfig
from pipelines.resolve import blocking, homes, increments, resolve_identities
from pipelines.resolve.changes import WhyInFull
from pipelines.resolve.kept import CACHE_FILE
from pipelines.resolve.slices import Slices
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal
from tests.unit.resolve.conftest import Resolve, fetch, make_build, read_kept
from tests.unit.resolve.test_resolve import make_people

DEFAULT_DATE = date(1970, 1, 1)  # of so many people that it is nobody's
TABLES = (
    *("members", "links", "refused_links", "silenced_values", "review_queue", "model", "model_frequencies"),
    *("model_fit", "customer_id_history", "customer_id_events"),
)
# What a record may get that leads to another record, and the field of that one.
OF_OTHERS = {"further_email": "email", "former_email": "email", "asks_about_order_of": "record_key"}

HOME = {"street": "Amselweg", "house_number": "7", "postal_code": "10115", "city": "Berlin"}
FLAT = {"street": "Lindenallee", "house_number": "12", "postal_code": "20095", "city": "Hamburg"}
COURT = {"street": "Schlosshof", "house_number": "3", "postal_code": "50667", "city": "Koeln"}
FARM = {"street": "Rosenweg", "house_number": "2", "postal_code": "80331", "city": "Muenchen"}
GARDEN = {"street": "Gartenweg", "postal_code": "04109", "city": "Leipzig"}
MANY = {"last_name": "Quastenberg"}
KUNO = {"first_name": "Kuno", "last_name": "Ritterbach", "email": "kr@y.de", **HOME, "street": "Talweg"}
OTTOKAR = {"first_name": "Ottokar", "last_name": "Quendel"}
# Records that do not change, and of which another record's change says something else. Their links may go by a group of
# an exact rule that stays as it was, or by a weight that does.
HARTWIG = {"first_name": "Hartwig", "last_name": "Lohse", "phone": "+4930555005"}
BYSTANDERS: list[dict[str, Any]] = [
    # Two of a role mailbox are one while nobody but Bernd is seen on it.
    {"record_key": "s_role_1", "kind": "role_mailbox", "email": "versand7@firma.de"},
    {"record_key": "s_role_2", "kind": "role_mailbox", "email": "versand7@firma.de"},
    {"record_key": "s_role_3", "first_name": "Bernd", "last_name": "Koch", "email": "versand7@firma.de"},
    # Whoever has no first name is Anna while all on the phone are Schmidts.
    {"record_key": "s_phone_1", "first_name": "Anna", "last_name": "Schmidt", "phone": "+4930555001"},
    {"record_key": "s_phone_2", "last_name": "Schmidt", "phone": "+4930555001"},
    # ... and by weight Clara, until Jan is seen on it.
    {"record_key": "s_weighed_1", "first_name": "Clara", "last_name": "Bergmann", "phone": "+4930555002", **HOME},
    {"record_key": "s_weighed_2", "last_name": "Bergmann", "phone": "+4930555002", "email": "cb@y.de", **HOME},
    # On the mailbox of Anna and Bernd, A. is Anna, until Andreas comes; and so may be Anna of another name.
    {"record_key": "s_torn_1", "first_name": "Anna", "last_name": "Voss", "email": "voss@z.de"},
    {"record_key": "s_torn_2", "first_name": "Bernd", "last_name": "Voss", "email": "voss@z.de"},
    {
        "record_key": "s_torn_3",
        "first_name": "A.",
        "last_name": "Voss",
        "email": "voss@z.de",
        **FLAT,
        "further_email": "firma@voss.de",
    },
    {"record_key": "s_torn_4", "first_name": "Anna", "last_name": "Krueger", "email": "voss@z.de", **FLAT},
    # Who is torn is so on the other mailbox of several as well, where nobody changed.
    {"record_key": "s_torn_5", "first_name": "Anna", "last_name": "Voss", "email": "firma@voss.de"},
    {"record_key": "s_torn_6", "first_name": "Bernd", "last_name": "Voss", "email": "firma@voss.de"},
    # Whoever has no first name is the only person of the phone, or of phone and home, until phones are often shared.
    {"record_key": "s_home_1", "first_name": "Greta", "last_name": "Lang", "phone": "+4930555003"},
    {"record_key": "s_home_2", "last_name": "Lang", "phone": "+4930555003"},
    {"record_key": "s_home_3", "first_name": "Frieda", "last_name": "Lutz", "phone": "+4930555004", **COURT},
    {"record_key": "s_home_4", "last_name": "Lutz", "phone": "+4930555004", "email": "fl@y.de", **COURT},
    # Which of father and son this is, nobody asks before one of them is said to be the son.
    {"record_key": "s_son_1", "first_name": "Hans", "last_name": "Wiegand", "email": "hw@y.de", **FARM},
    # The younger of the two, or the only one, until the other is said to be born a generation before.
    {"record_key": "s_age_1", **HARTWIG, "birth_date": date(1985, 7, 14), "email": "hl@y.de"},
    {"record_key": "s_age_2", **HARTWIG, "email": "lohse@w.de"},
    # As an initial they are still the person known on the phone, until phones are often shared.
    {"record_key": "s_initial_1", "first_name": "Greta", "last_name": "Mohr", "phone": "+4930555006"},
    {"record_key": "s_initial_2", "first_name": "G.", "last_name": "Mohr", "phone": "+4930555006"},
    {"record_key": "s_initial_3", "first_name": "G.", "last_name": "Mohr", "phone": "+4930555006", "email": "g@m.de"},
    # They are weighed against each other, until somebody who says the same as the first one stands for both of them.
    {"record_key": "s_same_1", **KUNO},
    {"record_key": "s_same_2", **KUNO, "email": "kuno@w.de", "house_number": "15"},
    # It is one person with another record because the source says so, whatever that other record says.
    {"record_key": "s_merged_1", "first_name": "Ute", "last_name": "Sander", "merged_into_record_key": "s_merged_9"},
    # Nobody else is on the mailbox, until somebody is.
    {"record_key": "s_alone_1", "first_name": "Ines", "last_name": "Falkner", "email": "if@y.de"},
    # Their mailboxes say nothing while a crowd is on one of them, and where they live says the rest.
    {"record_key": "s_crowd_1", "first_name": "Nadja", "last_name": "Ilgen", "email": "nadil77@z.de", **GARDEN},
    {"record_key": "s_crowd_2", "first_name": "Nadja", "last_name": "Ilgen", "email": "nadil77@w.de", **GARDEN},
    # They have their name in common, until so many have it that only those of one town are compared.
    {"record_key": "s_name_1", **OTTOKAR, "postal_code": "01067"},
    {"record_key": "s_name_2", **OTTOKAR, "postal_code": "90402"},
]
CROWD = ("Bruno", "Carla", "Detlef", "Emma", "Fabio", "Gesine", "Holger", "Ilka", "Jakob", "Kerstin", "Lars", "Mona")
# By key, what a record says on the first day, after the first night and after the second; None while it is not there.
CHANGING: dict[str, tuple[dict[str, Any] | None, ...]] = {
    key: (before, after, before)
    for key, before, after in (
        (
            "s_role_9",
            {"first_name": "Bernd", "last_name": "Koch", "email": "versand7@firma.de"},
            {"first_name": "Carla", "last_name": "Vogt", "email": "versand7@firma.de"},
        ),
        (
            "s_phone_9",
            {"last_name": "Schmidt", "phone": "+4930555001", "email": "s9@y.de"},
            {"last_name": "Oduya", "phone": "+4930555001", "email": "s9@y.de"},
        ),
        (
            "s_weighed_9",
            {"first_name": "Clara", "last_name": "Bergmann", "phone": "+4930555002", "email": "cl@w.de"},
            {"first_name": "Jan", "last_name": "Bergmann", "phone": "+4930555002", "email": "cl@w.de"},
        ),
        (
            "s_torn_9",
            {"first_name": "Bernd", "last_name": "Voss", "email": "voss@z.de"},
            {"first_name": "Andreas", "last_name": "Voss", "email": "voss@z.de"},
        ),
        (
            "s_son_9",
            {"first_name": "Hans", "last_name": "Wiegand", "email": "hans@w.de", **FARM, "house_number": "21"},
            {"first_name": "Hans", "last_name": "Wiegand jun.", "email": "hans@w.de", **FARM, "house_number": "21"},
        ),
        (
            "s_age_9",
            {**HARTWIG, "email": "hartwig@z.de"},
            {**HARTWIG, "email": "hartwig@z.de", "birth_date": date(1950, 3, 2)},
        ),
        (
            "s_merged_9",
            {"first_name": "Jutta", "last_name": "Brandis", "email": "jb@y.de"},
            {"first_name": "Jutta", "last_name": "Brandis", "email": "jb@w.de"},
        ),
        ("s_alone_9", None, {"first_name": "I.", "last_name": "Falkner", "email": "if@y.de"}),
        ("q_same", None, KUNO),
        *(
            (
                f"s_crowd_9{name}",
                {"first_name": name, "last_name": f"{name}sen", "email": "nadil77@z.de"},
                {"first_name": name, "last_name": f"{name}sen", "email": f"{name.lower()}@w.de"},
            )
            for name in CROWD
        ),
        # More than are compared, and nothing divides them; one of them moves house.
        *(
            (f"s_many_{i}", {**MANY, "postal_code": "17489"}, {**MANY, "postal_code": "18055" if i == 1 else "17489"})
            for i in range(10)
        ),
        *((f"s_name_{i}", None, {**OTTOKAR, "postal_code": f"3{i}000"}) for i in range(3, 9)),
    )
} | {
    f"s_family_{i}{member}": tuple(
        {"first_name": name, "last_name": f"Ahrend{i}", "phone": f"+49305560{i:02}"}
        for name in ("Anna", "Anna", "Bernd" if member == "b" else "Anna")
    )
    for i in range(16)
    for member in "ab"
}
OFTEN_SHARED = 0.06  # of the bearers of a phone others than one person: less before the second night, more after it


def _stage(day: int) -> list[dict[str, Any]]:
    return BYSTANDERS + [{"record_key": key, **row} for key, states in CHANGING.items() if (row := states[day])]


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


def _disturb(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """A night after which values, blocks and homes of others are not what they were, beside any changes."""
    rows = _change(rows, chance, share=0.02)
    keys = [row["record_key"] for row in rows]
    mailbox = chance.choice([row for row in rows if row.get("email")])
    home, name = (chance.choice(rows) for _ in range(2))

    def change(count: int, **values: Any) -> None:
        for i in chance.sample(range(len(rows)), count):
            rows[i] = {**rows[i], **values}

    change(12, email=mailbox["email"], email_match=mailbox["email"])  # a crowd's
    change(2, merged_into_record_key=chance.choice(keys))
    change(2, merged_into_record_key="r_not_there")
    change(2, birth_date=DEFAULT_DATE)
    change(4, street=home.get("street"), house_number=home.get("house_number"), postal_code=home.get("postal_code"))
    change(2, first_name="A.", last_name=home["last_name"], email=home["email"])  # fits several
    change(9, first_name=name["first_name"], last_name=name["last_name"])  # a block that grows
    change(2, identifiers='{"loyalty": "4711"}')
    change(1, is_deleted=True)
    # Who says the same as others, and is the first of them.
    return rows + [{**row, "record_key": f"q_{row['record_key']}"} for row in chance.sample(rows, 9)]


def _calm(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """A night after which much of what disturbed is gone again."""
    stay = [row for row in rows if chance.random() > 0.03]
    return _change([row for row in stay if not row["record_key"].startswith("q_")], chance, share=0.02)


def test_every_night_gives_every_table_of_a_full_run(
    resolve: Resolve,
    warehouse: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(homes, "OTHERS_SHARE", OFTEN_SHARED)
    monkeypatch.setattr(homes, "INITIALS_SHARE", OFTEN_SHARED)
    monkeypatch.setattr(blocking, "MAX_BLOCK", 6)  # so that blocks are divided, and some for the first time
    chance = random.Random(1)
    people = [{**row, "birth_date": DEFAULT_DATE} if i % 40 == 0 else row for i, row in enumerate(make_people(300, 1))]
    cache, aside = settings.data_dir / "cache", settings.data_dir / "aside"
    resolve(people + _stage(0), then_publish=True)
    # A threshold is read when pairs are judged, so what was kept serves another one as well.
    stricter = configuration.identity.model_copy(update={"match_probability": 0.99})
    for night, identity in enumerate((configuration.identity, stricter)):
        people = (_disturb, _calm)[night](people, chance)
        rows = people + _stage(night + 1)
        _decide(warehouse, people, chance)
        version = f"2026112{night + 2}T000000Z-0000000b"
        increment = resolve(rows, version=version, identity=identity)
        assert increment.report.renewed_count < 0.5 * increment.report.record_count
        assert increment.report.weighed_pair_count < 0.5 * increment.report.scored_pair_count
        found = {table: fetch(warehouse, table) for table in TABLES}
        kept = read_kept(warehouse, settings)
        cache.rename(aside)
        full = resolve(rows, version=version, identity=identity, then_publish=True)
        assert full.report.renewed_count == full.report.record_count
        assert full.report.divided_count > 0
        assert full.report.oversized_count > 0
        of_the_way = {"renewed_count": 0, "weighed_pair_count": 0, "in_full_because": None}
        assert replace(increment.report, **of_the_way) == replace(full.report, **of_the_way)
        for table in TABLES:
            assert found[table] == fetch(warehouse, table), f"{table} in night {night}"
        for name, rows_of_full in read_kept(warehouse, settings).items():
            assert kept[name] ^ rows_of_full == set(), f"what is kept as {name} in night {night}"
        shutil.rmtree(cache)
        aside.rename(cache)


def test_a_night_gives_the_ids_of_a_full_run_whatever_is_published(
    resolve: Resolve, warehouse: DuckDBPyConnection, settings: Settings
) -> None:
    """The last run was refused, what it published is lost, or the state of ids is."""
    chance = random.Random(3)
    people = make_people(300, 1)
    resolve(people, then_publish=True)
    published, issued = settings.current / "state.duckdb", settings.state_dir / "identity.duckdb"
    first = shutil.copy(published, settings.data_dir / "first.duckdb")
    people = _change(people, chance, share=0.05)
    resolve(people, version="20261122T000000Z-0000000b", then_publish=True)
    kept = settings.data_dir / "cache" / CACHE_FILE
    aside = shutil.copy(kept, settings.data_dir / "kept.duckdb")
    people = _change(people, chance, share=0.05)

    def without_ids() -> None:
        issued.unlink()
        warehouse.execute(f"attach {literal(issued)} as state")
        for table in ("model", "model_frequencies"):
            warehouse.execute(f"create table state.{table} as from identity.{table}")
        warehouse.execute("detach state")

    for change in (lambda: shutil.copy(first, published), published.unlink, without_ids):
        change()
        shutil.copy(aside, kept)
        night = resolve(people, version="20261123T000000Z-0000000c")
        assert night.report.renewed_count < night.report.record_count
        found = {table: fetch(warehouse, table) for table in TABLES}
        kept.unlink()
        resolve(people, version="20261123T000000Z-0000000c")
        for table in TABLES:
            assert found[table] == fetch(warehouse, table), table


def test_a_damaged_cache_or_one_of_another_model_is_replaced_and_changes_nothing(
    resolve: Resolve, settings: Settings, configuration: Configuration
) -> None:
    rows = make_people(300)
    before = resolve(rows, then_publish=True)
    file = settings.data_dir / "cache" / CACHE_FILE
    file.write_bytes(b"no database")
    after = resolve(rows, version="20261122T000000Z-0000000b")
    assert after.customer_of == before.customer_of
    assert after.report.in_full_because == WhyInFull.DAMAGED
    assert after.report.weighed_pair_count == after.report.scored_pair_count > 100
    assert resolve(rows, version="20261122T000000Z-0000000b").report.weighed_pair_count == 0
    with connect(file, settings) as connection:  # read last of all
        connection.execute("drop table cluster_refusals")
    without = resolve(rows, version="20261122T000000Z-0000000b")
    assert without.report.renewed_count == without.report.record_count
    assert without.report.in_full_because == WhyInFull.DAMAGED
    assert (without.customer_of, without.links) == (after.customer_of, after.links)
    anew = configuration.identity.model_copy(update={"model": 2})
    of_another = resolve(rows, version="20261122T000000Z-0000000b", identity=anew).report
    assert of_another.in_full_because == WhyInFull.NO_MODEL
    assert of_another.weighed_pair_count == of_another.scored_pair_count


def test_the_report_says_why_all_records_were_matched_anew(
    resolve: Resolve,
    warehouse: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = make_people(300)

    def why(rows: list[dict[str, Any]], **options: Any) -> str | None:
        return resolve(rows, version="20261122T000000Z-0000000b", **options).report.in_full_because

    assert resolve(rows, then_publish=True).report.in_full_because == WhyInFull.NO_MODEL
    assert why(rows) is None
    limits = configuration.identity.identifiers | {"email": IdentifierConfig(max_names=1)}
    assert why(rows, identity=configuration.identity.model_copy(update={"identifiers": limits})) == (
        WhyInFull.OTHER_CONDITIONS
    )
    assert why(rows) == WhyInFull.OTHER_CONDITIONS
    assert why([{**row, "city": "Wien"} for row in rows[:200]] + rows[200:]) == WhyInFull.TOO_MUCH_CHANGED
    (settings.data_dir / "cache" / CACHE_FILE).unlink()
    assert why(rows) == WhyInFull.NOTHING_KEPT

    def fail(slices: Slices) -> None:
        slices.run("select column_of_no_table")

    monkeypatch.setattr(increments, "find_changes", fail)
    build = make_build("20261122T000000Z-0000000b")
    failed = resolve_identities(warehouse, settings, configuration, build)
    assert failed.in_full_because == WhyInFull.FAULT
    assert failed.renewed_count == failed.record_count
    assert "column_of_no_table" in (settings.build_dir / "errors.log").read_text()


def _decide(warehouse: DuckDBPyConnection, rows: list[dict[str, Any]], chance: random.Random) -> None:
    """Take all decisions back and make others: two people are one, two records of one are not, and any other two."""
    keys = {row["record_key"] for row in rows}
    both = sorted(key[:-1] for key in keys if key[:2] == "r_" and key[-1] == "b" and key[:-1] + "a" in keys)
    one, other, third = chance.sample(both, 3)
    a, b = chance.sample(sorted(keys), 2)
    warehouse.execute("delete from config.overrides")
    warehouse.executemany(
        "insert into config.overrides (kind, a_record_key, b_record_key, is_active, line) values (?, ?, ?, true, ?)",
        [
            ("must-link", f"{one}a", f"{other}a", 2),
            ("cannot-link", f"{third}a", f"{third}b", 3),
            ("cannot-link", a, b, 4),
        ],
    )
