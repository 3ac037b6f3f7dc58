"""Whoever asks why learns it: records, links with every weight, refusals, decisions, the life of ids."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import BuildError
from pipelines.explain import UnknownError, explain_customer, explain_pair, tell_customer, tell_pair, write_page
from pipelines.explain.words import RULES
from pipelines.resolve.evidence import RULES as EXACT_RULES
from pipelines.settings import Settings
from tests.unit.explain.conftest import PublishRows

ANNA = {"first_name": "Anna", "last_name": "Schmidt", "birth_date": "1980-01-02", "city": "Berlin"}
AT_HOME = {"street": "Hauptstraße", "house_number": "5", "postal_code": "10115"}

# Anna three times, once mistyped; her brother, who shares her mailbox; a namesake elsewhere; somebody else.
PEOPLE: list[dict[str, Any]] = [
    {"record_key": "r_1", "source_record_id": "A1", **ANNA, "email": "anna@x.de"},
    {"record_key": "r_2", "source_system": "shop", "entity": "customers", **ANNA, **AT_HOME, "email": "anna@x.de"},
    {"record_key": "r_3", "source_system": "support", **ANNA | {"last_name": "Schmitd"}, **AT_HOME},
    {"record_key": "r_4", "first_name": "Bernd", "last_name": "Schmidt", "email": "anna@x.de"},
    {"record_key": "r_5", "first_name": "Anna", "last_name": "Schmidt", "birth_date": "1955-07-30", "city": "Wien"},
    {"record_key": "r_6", "first_name": "Carla", "last_name": "Weiß", "email": "carla@z.de"},
]


Decisions = list[tuple[str, str, str]]
_published: dict[str, tuple[Path, Mapping[str, str]]] = {}


@pytest.fixture
def people(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Decisions], Mapping[str, str]]:
    """Publish the people under decisions, and say who is which customer; made once, because explaining only reads."""

    def publish(decisions: Decisions) -> Mapping[str, str]:
        name, folder = str(decisions), settings.current.parent
        if name in _published:
            shutil.copytree(_published[name][0], folder)
        else:
            publish_rows: PublishRows = request.getfixturevalue("publish_rows")
            made = publish_rows(PEOPLE, decisions)
            kept = tmp_path_factory.mktemp("people") / "published"
            shutil.copytree(folder, kept)
            _published[name] = kept, made.customer_of
        return _published[name][1]

    return publish


def test_a_customer_is_told_with_records_links_refusals_and_values(people: Any, settings: Settings) -> None:
    anna = people([])["r_1"]
    told = "\n".join(tell_customer(explain_customer(settings, anna)))
    assert "3 records from 3 sources" in told
    assert "crm:contacts:A1  Anna Schmidt · 1980-01-02 · anna@x.de · Berlin" in told
    assert "the same e-mail address, and names that fit" in told
    assert "last name: a slip away" in told
    assert "first names that cannot be one person's" in told
    assert "created: records that no customer had" in told
    assert "email  anna@x.de  from 1: the most recent" in told


def test_the_parts_of_every_link_add_up_to_its_match_weight(people: Any, settings: Settings) -> None:
    anna = people([])["r_1"]
    weighed = [link for link in explain_customer(settings, anna).links if link.weight is not None]
    assert weighed
    for link in weighed:
        assert link.parts is not None
        assert link.parts.weight == pytest.approx(link.weight, abs=1e-3)


def test_parts_that_do_not_add_up_are_left_out(people: Any, settings: Settings) -> None:
    anna = people([])["r_1"]
    with duckdb.connect(str(settings.current / "warehouse.duckdb")) as connection:
        connection.execute("update audit.links set match_weight = match_weight + 0.01")
    explained = explain_customer(settings, anna)
    weighed = [link for link in explained.links if link.weight is not None]
    assert weighed
    assert {link.parts for link in weighed} == {None}
    assert "match weight" in "\n".join(tell_customer(explained))


def test_an_id_that_was_merged_away_leads_to_the_customer_it_became(
    publish_rows: PublishRows, settings: Settings
) -> None:
    before = publish_rows(PEOPLE)
    after = publish_rows(PEOPLE, [("must-link", "r_1", "r_6")])
    gone, kept = sorted([before.customer_of["r_1"], before.customer_of["r_6"]], key=after.customer_of["r_1"].__eq__)
    told = explain_customer(settings, gone)
    assert (told.customer_id, told.former_ids) == (kept, (gone,))
    text = "\n".join(tell_customer(told))
    assert f"{gone} was merged into it." in text
    assert f"{gone} merged ({kept})" in text
    assert "people decided it (must-link in overrides.csv)" in text
    assert "line 2  must-link" in text
    assert "in force; Petra" in text


@pytest.mark.parametrize(
    ("a", "b", "decisions", "answer"),
    [
        ("r_1", "r_4", [], "first names that cannot be one person's"),
        ("r_3", "r_6", [], "are two customers: no rule joins them, and"),
        ("crm:contacts:A1", "r_2", [], "They are one customer"),
        ("r_1", "r_2", [("cannot-link", "r_1", "r_2")], "people decided it (cannot-link in overrides.csv)"),
    ],
    ids=["refused", "too little in common", "one customer", "forbidden"],
)
def test_two_records_are_told_why_they_are_one_or_not(
    a: str, b: str, decisions: Decisions, answer: str, people: Any, settings: Settings
) -> None:
    people(decisions)
    assert answer in "\n".join(tell_pair(explain_pair(settings, a, b)))


def test_of_two_customers_the_records_that_fit_best_are_compared(people: Any, settings: Settings) -> None:
    customer_of = people([])
    told = explain_pair(settings, customer_of["r_1"], customer_of["r_5"])
    assert not told.are_one
    assert told.weighed is not None
    for record in ("r_1", "r_2", "r_3"):
        other = explain_pair(settings, record, "r_5").weighed
        assert other is not None
        assert told.weighed.weight >= other.weight


def test_the_page_is_private_needs_nothing_else_and_trusts_no_value(
    publish_rows: PublishRows, settings: Settings, tmp_path: Path
) -> None:
    people = [row | {"city": "<script>alert(1)</script>"} for row in PEOPLE]
    file = tmp_path / "anna.html"
    write_page(explain_customer(settings, publish_rows(people).customer_of["r_1"]), file)
    page = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "<svg" in page
    assert "<script" not in page
    assert "http" not in page
    assert "last name: a slip away" in page


@pytest.mark.parametrize(
    ("unknown", "sentence"),
    [
        ("c_aaaaaaaaaaaaaaaa", "never issued up to the published version .* mistyped, or of a version that was rolled"),
        ("r_9", "not in the published version"),
    ],
)
def test_who_asks_for_nobody_is_told_so(unknown: str, sentence: str, people: Any, settings: Settings) -> None:
    people([])
    with pytest.raises(UnknownError, match=sentence):
        explain_pair(settings, unknown, "r_1")


def test_an_id_is_found_as_a_mail_or_a_spreadsheet_gives_it_back(people: Any, settings: Settings) -> None:
    customer_of = people([])
    typed = f" {customer_of['r_1'].upper()} "
    told = CliRunner().invoke(app, ["explain", typed, "--data", str(settings.data_dir)])
    assert told.exit_code == 0
    assert told.stdout.startswith(f"{customer_of['r_1']}: 3 records")


def test_without_a_version_there_is_nothing_to_explain(settings: Settings) -> None:
    with pytest.raises(BuildError, match="Nothing is published"):
        explain_customer(settings, "c_aaaaaaaaaaaaaaaa")


def test_a_version_of_an_earlier_release_is_no_riddle(people: Any, settings: Settings) -> None:
    anna = people([])["r_1"]
    with duckdb.connect(str(settings.current / "restricted.duckdb")) as connection:
        connection.execute("drop table audit.silenced_values")
    with pytest.raises(BuildError, match="earlier release"):
        explain_customer(settings, anna)


def test_every_rule_has_words() -> None:
    assert {rule.name for rule in EXACT_RULES} <= RULES.keys()
