"""The page of an audit, as text: whole, in both languages, with nothing from elsewhere and no value of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import Catalogue, run_audit
from pipelines.audit.impact import Impact
from pipelines.audit.report import charts, words
from pipelines.audit.report.changes import differing_places, tell_drift
from pipelines.audit.report.facts import pattern_sql
from pipelines.audit.report.page import say, show_form, show_money, show_number, show_rich, show_score
from pipelines.audit.report.tasks import Task, rank_tasks
from pipelines.audit.report.words import Text
from pipelines.audit.results import Severity, Status, VerdictStatus
from pipelines.configuration import Configuration
from pipelines.entities import Type
from pipelines.extract.contract import value_class
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.audit.small_company import ANNA
from tests.unit.unify.world import BUILD


class Page(HTMLParser):
    """Texts and addresses of a page, and whether its elements are closed in order."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.texts: dict[str, list[str]] = {"en": [], "de": []}
        self._languages: list[str | None] = []
        self.feed(text)

    def said(self, language: str) -> str:
        return " ".join(" ".join(self.texts[language]).split())

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.ids += [str(given["id"])] if "id" in given else []
        if tag not in self.VOID:
            self.open.append(tag)
            self._languages.append(given.get("lang") if tag != "html" else None)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._languages.pop()

    def handle_data(self, data: str) -> None:
        said_in = next((language for language in reversed(self._languages) if language), None)
        for language, texts in self.texts.items():
            if said_in in (None, language):
                texts.append(data)


def page_of(company: Settings) -> Page:
    return Page((company.build_dir / "report" / "index.html").read_text(encoding="utf-8"))


def change(company: Settings, *statements: str) -> None:
    with connect(company.build_warehouse, company) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_refused_build_says_what_to_do_first_in_both_languages(
    company: Settings, configuration: Configuration
) -> None:
    change(
        company,
        "update raw.crm_contacts set email = 'ben(at)example.org' where source_record_id = '2'",
        "update raw.reconciliation set is_enabled = false where source_system = 'crm'",
        "insert into raw.rejects (source_system, reason) values ('crm', '<script>alert(1)</script>')",
    )
    verdict = run_audit(company, configuration, BUILD, suites=["sources", "persons"], keep_warm=True)
    assert verdict.status is VerdictStatus.REFUSED
    text = (company.build_dir / "report" / "index.html").read_text(encoding="utf-8")
    page = page_of(company)
    assert page.open == []
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert all(address.startswith("#") for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    for forbidden in ("http://", "https://", "url(", "@import", "<script>alert", "<img"):
        assert forbidden not in text
    english, german = page.said("en"), page.said("de")
    assert (
        english.index("Refused by CRM-004") < english.index("Worth doing first") < english.index("prevents publishing")
    )
    assert "owner: CRM team" in english.replace(" : ", ": ")
    assert "<script>alert(1)</script>" in english
    assert german.index("Zurückgewiesen") < german.index("Was sich zuerst lohnt")
    assert "Mindestens 95 % der E-Mail-Adressen" in german
    assert "At least 95 %" not in german
    assert "Protects: Who is recognized as one customer" in english
    assert "Schützt: Wer als ein Kunde erkannt wird" in german


def test_what_moved_since_the_published_version_is_told_by_figure_rule_and_cause(
    company: Settings, configuration: Configuration
) -> None:
    run_audit(company, configuration, BUILD, suites=["customers"], keep_warm=True)
    change(
        company,
        "update marts.customers set revenue_amount_base = revenue_amount_base + 1",
        "update raw.reconciliation set changed_count = 7 where source_system = 'shop' and entity = 'orders'",
    )
    later = replace(BUILD, build_id="later", version="later", base_version=BUILD.version)
    run_audit(company, configuration, later, suites=["customers"], keep_warm=True)
    said = page_of(company).said("en")
    assert "7 changed" in said
    assert "The same model weighs pairs." in said
    assert "+2 · before" in said


def test_a_finding_reaches_the_customers_behind_it(company: Settings, configuration: Configuration) -> None:
    change(
        company,
        "update raw.crm_contacts set email = 'ben(at)example.org'",
        f"update marts.customers set revenue_amount_base = 1234 where customer_id = '{ANNA}'",
    )
    run_audit(company, configuration, BUILD, suites=["persons"], keep_warm=True)
    with connect(company.build_audit, company, read_only=True) as connection:
        [(customers, revenue, state)] = connection.execute(
            "select customers_affected, revenue_affected_amount_base, state from audit.audit.findings "
            "where finding_id = 'CRM-004:crm.contacts'"
        ).fetchall()
    assert (customers, state) == (2, "open")
    assert revenue >= 1234
    assert "1,234 EUR" in page_of(company).said("en")


def test_what_is_known_of_some_rows_only_is_said_to_be_at_least_that(
    company: Settings, configuration: Configuration
) -> None:
    change(company, "update raw.crm_contacts set email = 'ben(at)example.org'")
    run_audit(replace(company, kept_failures=1), configuration, BUILD, suites=["persons"], keep_warm=True)
    assert "≥ 1" in page_of(company).said("en")
    run_audit(company, configuration, BUILD, suites=["persons"], keep_warm=True)
    assert "≥ 1" not in page_of(company).said("en")


def task(label: str, revenue: float | None, *, refuses: bool = False, failed: int = 1) -> Task:
    impact = None if revenue is None else Impact(1, revenue)
    text = Text("", "")
    return Task(label, text, text, text, refuses=refuses, failed=failed, of=None, impact=impact)


def test_what_prevents_publishing_comes_first_then_what_reaches_most_revenue() -> None:
    tasks = [task("b", None, failed=9), task("a", 5.0), task("d", 7.0), task("c", None, refuses=True)]
    assert [t.label for t in rank_tasks(tasks)] == ["c", "d", "a", "b"]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("Jürgen Öz-Müller 12b", "Aaaa Aa-Aaaa 99a"),
        ("erika.beispiel@web.de", "aaa.aaa@aaa.aa"),
        ("0221/4710815", "999/999"),
        ("ΑβΓ 中文 ٣٤", "AaA aa 99"),
        ("\t\x00✓", "???"),
        (None, ""),
    ],
)
def test_a_form_keeps_neither_letters_nor_their_number(settings: Settings, value: str | None, form: str) -> None:
    with connect(None, settings) as connection:
        assert connection.execute(
            f"select {pattern_sql('value')} from (select ?::text as value)", [value]
        ).fetchone() == (form,)


def test_where_configurations_differ_is_told_by_place_and_never_by_value() -> None:
    before = {"a": {"b": 1, "c": [{"name": "x", "d": "secret"}, {"name": "y"}]}, "e": [1, 2]}
    now = {"a": {"b": 1, "c": [{"name": "y"}, {"name": "x", "d": "other"}]}, "e": [1, 3], "f": {"g": 1}}
    assert list(differing_places(before, now)) == ["a.c.x.d", "e.1", "f"]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (say("a < b"), "a &lt; b"),
        (say("yes", "ja"), '<span lang="en">yes</span><span lang="de">ja</span>'),
        (show_number(999), "999"),
        (show_number(1234567), '<span lang="en">1,234,567</span><span lang="de">1.234.567</span>'),
        (show_number(None), ""),
        (show_money(1234.56, "EUR"), '<span lang="en">1,235 EUR</span><span lang="de">1.235 EUR</span>'),
        (show_score(0.9999), '<span lang="en">99.9</span><span lang="de">99,9</span>'),
        (show_score(1.0), '<span lang="en">100.0</span><span lang="de">100,0</span>'),
        (show_form("aaa@<aa>"), "<code>aaa&#64;&lt;aa&gt;</code>"),
        (show_rich(Text("see `x <y>`", "see `x <y>`")), "see <code>x &lt;y&gt;</code>"),
    ],
)
def test_numbers_and_texts_are_shown_in_both_languages(shown: Any, expected: str) -> None:
    assert str(shown) == expected


def test_a_chart_takes_its_colors_from_the_page_and_brings_nothing_along() -> None:
    for svg in (
        charts.bars([("1", 1200), ("2", 30)]),
        charts.trend([("11-01", 0.9), ("11-02", 0.95)], share=True),
        charts.spark([1, 3, 2]),
    ):
        assert svg is not None
        assert "var(--accent)" in svg
        for forbidden in ("http", "<script", " id=", "#01", "#02", "#03", "#04"):
            assert forbidden not in svg
    assert "1\u202f200" in (charts.bars([("1", 1200)]) or "")


def test_every_status_severity_and_dimension_has_a_word_in_both_languages() -> None:
    from typing import get_args

    from pipelines.audit.findings import State, Trend
    from pipelines.audit.suites import Dimension

    for names, members in (
        (words.STATUSES, [s.value for s in Status]),
        (words.VERDICTS, [s.value for s in VerdictStatus]),
        (words.SEVERITIES, [s.value for s in Severity]),
        (words.STATES, [s.value for s in State]),
        (words.TRENDS, [t.value for t in Trend]),
        (words.DIMENSIONS, list(get_args(Dimension))),
    ):
        assert set(names) == set(members)


def test_every_team_that_owns_a_rule_has_a_name_in_both_languages(catalogue: Catalogue) -> None:
    assert {rule.owner for rule in catalogue.rules} == words.OWNERS.keys()


def test_everything_that_joins_refuses_or_corrects_has_a_german_name(configuration: Configuration) -> None:
    from pipelines.clean import addresses, attributes, emails, names, phones
    from pipelines.clean.blocks import build_rules
    from pipelines.explain.words import REASONS, RULES

    cleaning = configuration.cleaning
    lists = (
        (cleaning.name, names.BLOCKS),
        (cleaning.address, addresses.BLOCKS),
        (cleaning.attributes, attributes.BLOCKS),
        (cleaning.email, emails.BLOCKS),
        (cleaning.phone, phones.BLOCKS),
    )
    corrections = {rule.name for entries, blocks in lists for rule in build_rules(entries, blocks)}
    assert len(corrections) > 60
    assert corrections <= words.CORRECTIONS.keys()
    assert {*RULES, *REASONS} <= words.LINKS.keys()


def test_what_is_missing_of_the_history_is_told_in_german_too() -> None:
    assert words.note("2 of 5 versions of this weekday").de == "2 von 5 Versionen dieses Wochentags"


def test_every_rule_says_in_both_languages_what_it_says_protects_and_asks_for(catalogue: Catalogue) -> None:
    for rule in catalogue.rules:
        texts = (
            (rule.description, rule.description_de),
            (rule.protects, rule.protects_de),
            (rule.remedy, rule.remedy_de),
        )
        for english, german in texts:
            assert english, rule.id
            assert german not in ("", english), rule.id


@pytest.mark.parametrize("type_", [Type.INTEGER, Type.DECIMAL, Type.BOOLEAN, Type.DATE, Type.TIMESTAMP, Type.JSON])
def test_whatever_landing_rejects_is_told_in_german_too(settings: Settings, type_: Type) -> None:
    with connect(None, settings) as connection:
        found = connection.execute(
            f"select distinct {value_class('value', type_)} "
            "from (values ('1,5'), ('31.02.2026'), ('none of them'), ('1e99')) as t (value)"
        ).fetchall()
    assert len(found) >= 3
    for (reason,) in found:
        told = words.rejection(f"birth_date: {reason}")
        assert told.en == f"birth_date: {reason}"
        assert told.de.startswith("birth_date: ")
        assert told.de != told.en


def test_data_docs_show_what_was_found_and_no_value(
    company: Settings, configuration: Configuration, tmp_path: Path
) -> None:
    from pipelines.audit import write_data_docs

    change(company, "update raw.crm_contacts set email = 'ben(at)example.org' where source_record_id = '2'")
    run_audit(company, configuration, BUILD, suites=["persons", "dbt"], keep_warm=True)
    files = write_data_docs(company, configuration, tmp_path / "docs")
    assert [file.name for file in files] == ["dbt.html", "persons.html"]
    text = files[1].read_text(encoding="utf-8")
    assert "CRM-004" in text
    assert "ben(at)" not in text


def test_what_made_the_model_learn_anew_is_told_in_both_languages() -> None:
    known = {"figure": "share of profiles that have it", "field": "email", "learned": 0.91, "observed": 0.4}
    told = tell_drift([known, {"figure": "profiles", "field": None, "learned": 1000, "observed": 5200.0}])
    known_en, profiles_en = "share of profiles that have it (e-mail)", "the number of profiles"
    assert told.en == f"{known_en} went from 0.91 to 0.40; {profiles_en} went from 1,000 to 5,200"
    known_de, profiles_de = "Anteil der Profile, die es haben (E-Mail)", "Profile"
    assert told.de == f"{known_de} war 0.91 und ist 0.40; {profiles_de} waren 1.000 und sind 5.200"
    assert tell_drift([]) == Text("", "")
