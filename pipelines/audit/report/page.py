"""Put what is known of a build onto one page, as text.

Add here what a section of the template needs. Figures come from `facts`, `changes`, `tasks` and the audit's own tables;
words from `words`; nothing here reads a file of the data folder.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.report import charts, words
from pipelines.audit.report.words import Text, word
from pipelines.audit.results import UNMET, RuleResult, Verdict
from pipelines.audit.scorecard import KEY_FIELDS, Score
from pipelines.entities import ENTITIES
from pipelines.pages import open_templates
from pipelines.warehouse import SCHEMAS

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from pipelines.audit.details import Details
    from pipelines.audit.history import Audit
    from pipelines.audit.report.changes import Changes
    from pipelines.audit.report.facts import Facts
    from pipelines.audit.report.tasks import Task
    from pipelines.audit.rules import Rule
    from pipelines.build import Build

TEMPLATES = Path(__file__).with_name("templates")
SHOWN_AUDITS = 14  # two weeks of nights
SHOWN_FINDINGS = 60
SECTIONS = (
    ("todo", "Worth doing", "Lohnt sich"),
    ("changes", "Changes", "Änderungen"),
    ("scores", "Scorecard", "Qualitätswerte"),
    ("findings", "Findings", "Befunde"),
    ("sources", "Sources", "Quellen"),
    ("identity", "Who is who", "Wer ist wer"),
    ("corrections", "Corrections", "Berichtigungen"),
    ("permissions", "Permission", "Erlaubnis"),
    ("rules", "Rules", "Regeln"),
)


@dataclass(frozen=True)
class Content:
    """Everything the page shows.

    Attributes:
        base: the audit of the version it is compared with.
        currency: of all amounts.
        kept_failures: how many failing rows of a rule and object are known at most; of more, whom they concern is
            known of these alone.
    """

    build: Build
    verdict: Verdict
    rules: Sequence[Rule]
    details: Details
    facts: Facts
    changes: Changes
    tasks: Sequence[Task]
    base: Audit | None
    currency: str
    kept_failures: int


@dataclass(frozen=True)
class _RuleRows:
    """One rule with its results, and what the last audits said of each."""

    results: Sequence[RuleResult]
    past: Sequence[Sequence[str]]
    protects: Text | None


@dataclass(frozen=True)
class _Suite:
    groups: Sequence[_RuleRows]
    counts: Mapping[str, int]
    unmet: int


def prepare_page() -> None:
    """Compile the templates and start the library that draws."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)
    charts.draw({"mark": "point"})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """What is the same on every page."""
    environment = open_templates(TEMPLATES)
    environment.globals.update(
        say=say,
        same=words.same,
        say_word=lambda names, name: say(word(names, name)),
        rejection=words.rejection,
        note=words.note,
        num=show_number,
        score=show_score,
        rich=show_rich,
        form=show_form,
        share=show_share,
        moment=lambda at: f"{at:%Y-%m-%d %H:%M} UTC",
        **{name: getattr(words, name) for name in dir(words) if name.isupper()},
    )
    return environment


def render_page(content: Content) -> str:
    """The page as text."""
    environment = _environment()
    environment.globals.update(
        money=lambda amount: show_money(amount, content.currency),
        at_least=lambda failed: "≥ " if (failed or 0) > content.kept_failures else "",
        age_hours=lambda at: (content.verdict.ran_at - at).total_seconds() / 3600,
    )
    verdict, details = content.verdict, content.details
    scores = {s.place: s for s in details.scores if s.field is None}
    total = scores.get(("total", None, None, None))
    before = details.history.scores.get(content.base.build_id, {}) if content.base else {}
    was = before.get(("total", None, None, None))
    customers = int(details.figures.get("customers", 0))
    contactable = [r for r in content.facts.rows["contactable"] if r["customers"]]
    return environment.get_template("page.html.j2").render(
        build=content.build,
        verdict=verdict,
        refusing=sorted({r.display_id for r in verdict.results if r.refuses}),
        sections=SECTIONS,
        tasks=content.tasks,
        changes=content.changes,
        facts=content.facts,
        total=total if total and total.score is not None else None,
        total_change=total.score - was if total and total.score is not None and was is not None else None,
        open_count=sum(f.needs_work for f in details.findings),
        findings=list(details.findings)[:SHOWN_FINDINGS],
        dimensions=[d for d in words.DIMENSIONS if ("dimension", None, None, d) in scores],
        by_dimension={d: scores.get(("dimension", None, None, d)) for d in words.DIMENSIONS},
        heat=_heat(scores),
        score_trend=_score_trend(details),
        sparks=_sparks(details),
        fields=[f for f in _FIELDS if any(s.field == f for s in details.scores)],
        fill=_fill(details.scores),
        sizes=_sizes(content.facts),
        customers=customers,
        contactable_chart=_contactable_chart(contactable),
        suites=_suites(verdict, content.rules, details),
    )


def say(text: str | Text, german: str | None = None) -> Markup:
    """Both languages; the page shows one of them."""
    from markupsafe import Markup, escape

    en, de = (text.en, text.de) if isinstance(text, Text) else (text, german or text)
    if en == de:
        return Markup(escape(en))  # noqa: S704  escaped
    return Markup('<span lang="en">{}</span><span lang="de">{}</span>').format(en, de)


def show_number(value: float | None, digits: int = 0) -> Markup | str:
    """1,234 in English, 1.234 in German."""
    return "" if value is None else say(*_numerals(f"{value:,.{digits}f}"))


def show_score(share: float, digits: int = 1) -> Markup:
    """In percent, rounded down: 100 is said only of what is perfect."""
    whole = 10**digits
    return say(*_numerals(f"{math.floor(share * 100 * whole + 1e-9) / whole:,.{digits}f}"))


def show_rich(text: Text) -> Markup:
    """Both languages, what stands between backticks as code."""
    from markupsafe import Markup

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(say(text))))  # noqa: S704  escaped by `say`


def show_form(form: str) -> Markup:
    """A form as code; its @ is written so that a search of the file for addresses finds none."""
    from markupsafe import Markup, escape

    return Markup(f"<code>{str(escape(form)).replace('@', '&#64;')}</code>")  # noqa: S704  escaped


def show_share(value: float | None, digits: int = 1) -> Markup | str:
    return "" if value is None else say(*(f"{n} %" for n in _numerals(f"{value * 100:,.{digits}f}")))


def show_money(value: float | None, currency: str) -> Markup | str:
    return "" if value is None else say(*(f"{n} {currency}" for n in _numerals(f"{value:,.0f}")))


def _numerals(english: str) -> tuple[str, str]:
    return english, english.translate(str.maketrans(",.", ".,"))


# In the order of people's thoughts: who, how to reach, where.
_FIELDS = [
    f
    for f in (
        *("first_name", "last_name", "birth_date", "email", "phone", "mobile"),
        *("street", "postal_code", "city", "country"),
    )
    if f in KEY_FIELDS
]


def _heat(scores: Mapping[Any, Score]) -> list[tuple[str, list[Score | None], Score | None]]:
    """Per scope its scores by dimension, and over all: sources first, then the stages."""
    dimensions = [d for d in words.DIMENSIONS if ("dimension", None, None, d) in scores]
    names = sorted({scope for level, scope, _, _ in scores if level == "scope" and scope})
    names.sort(key=lambda name: SCHEMAS.index(name) + 1 if name in SCHEMAS else 0)
    return [
        (name, [scores.get(("scope", name, None, d)) for d in dimensions], scores.get(("scope", name, None, None)))
        for name in names
    ]


def _fill(scores: Sequence[Score]) -> list[tuple[str, list[tuple[float | None, float | None]]]]:
    """Per source and entity of persons: the share filled and the share valid of every key field."""
    persons = {name for (_, name), entity in ENTITIES.items() if entity.is_person}
    schemas = set(SCHEMAS)
    found = {
        (s.scope, s.entity, s.field, s.dimension): s.score
        for s in scores
        if s.level == "field" and s.entity in persons and s.scope not in schemas
    }
    fields = [f for f in _FIELDS if any(s.field == f for s in scores)]
    places = sorted({(scope, entity) for scope, entity, field, _ in found if field in KEY_FIELDS})
    return [
        (
            f"{scope}.{entity}",
            [
                (found.get((scope, entity, f, "completeness")), found.get((scope, entity, f, "validity")))
                for f in fields
            ],
        )
        for scope, entity in places
    ]


@dataclass(frozen=True)
class _Trend:
    svg: str | None
    values: Sequence[tuple[str, float]]


def _score_trend(details: Details) -> _Trend | None:
    place = ("total", None, None, None)
    values = [
        (f"{audit.audited_at:%m-%d %H:%M}", details.history.scores[audit.build_id][place])
        for audit in details.history.audits[-SHOWN_AUDITS:]
        if place in details.history.scores.get(audit.build_id, {})
    ]
    return _Trend(charts.trend(values, share=True), values) if len(values) > 1 else None


def _sparks(details: Details) -> dict[str, str]:
    """A small line for each key figure that was kept by more than one audit and moved."""
    sparks = {}
    for name in details.figures:
        values = [a.figures[name] for a in details.history.audits[-SHOWN_AUDITS:] if name in a.figures]
        if len(set(values)) > 1 and (svg := charts.spark(values)):
            sparks[name] = svg
    return sparks


def _sizes(facts: Facts) -> str | None:
    rows = facts.rows["cluster_sizes"]
    values = [(f"{r['records']}{'+' if r['records'] == 6 else ''}", r["customers"]) for r in rows]
    return charts.bars(values) if rows else None


def _contactable_chart(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Drawn with the longer of the two names, so that there is room for either."""
    names = [word(words.CHANNELS, r["channel"]) for r in rows]
    longest = [max(name.en, name.de, key=len) for name in names]
    svg = charts.bars([(label, r["customers"]) for label, r in zip(longest, rows, strict=True)]) if rows else None
    for label, name in zip(longest, names, strict=True):
        both = f'<tspan lang="en">{name.en}</tspan><tspan lang="de">{name.de}</tspan>'
        svg = svg and svg.replace(f">{label}<", f">{both}<")
    return svg


def _suites(verdict: Verdict, rules: Sequence[Rule], details: Details) -> dict[str, _Suite]:
    by_id = {rule.id: rule for rule in rules}
    past: dict[tuple[str, str], list[str]] = {}
    for audit in details.history.audits[-SHOWN_AUDITS:]:
        for found in details.history.results.get(audit.build_id, ()):
            past.setdefault((found.rule_id, found.object), []).append(found.status.value)
    suites: dict[str, dict[str, list[RuleResult]]] = {}
    for r in verdict.results:
        suites.setdefault(r.suite, {}).setdefault(r.rule_id, []).append(r)
    return {
        suite: _Suite(
            groups=[
                _RuleRows(
                    results,
                    [past.get((rule_id, r.object), []) for r in results],
                    Text(by_id[rule_id].protects, by_id[rule_id].protects_de) if rule_id in by_id else None,
                )
                for rule_id, results in groups.items()
            ],
            counts=Counter(r.status.value for results in groups.values() for r in results),
            unmet=sum(r.status in UNMET for results in groups.values() for r in results),
        )
        for suite, groups in suites.items()
    }
