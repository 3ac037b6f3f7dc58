"""Read `expectations/*.yml`: suites in Great Expectations' own form, with our `meta`, every problem at once.

Add here what a rule's entry in YAML may say. What a rule is checked on follows in `catalogue`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from pipelines.audit.expectation_types import ONLY_KNOWN, OWN, SUPPORTED, UNEXPECTED_ROWS, UNSUPPORTED, USUAL_METRICS
from pipelines.audit.metrics import FAMILIES
from pipelines.audit.results import Severity
from pipelines.configuration.base import Model
from pipelines.configuration.documents import parse

CHECK_NAME = r"^[A-Za-z0-9_]{1,25}$"  # longer names are cut in Dagster's UI
Dimension = Literal[
    "completeness",
    "validity",
    "uniqueness",
    "consistency",
    "timeliness",
    "accuracy",
    "integrity",
    "permission",
]
Text = Annotated[str, Field(min_length=1)]
ObjectName = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")]


class RuleMeta(Model):
    """What an owner signs.

    Attributes:
        object: `<role>.<entity>`, checked for every source that delivers it; a list of entities for which the same
            holds; `<schema>.<table>`; or `published.warehouse`, every table of the pseudonymous file, the texts of a
            row as one in `row_text` (null in rows without any of `catalogue.MARKS`). For metrics what
            `metrics.FAMILIES` names, of which `sources.entities` is every entity of every source.
        rows: SQL condition that says which rows the rule is about.
        tolerated_share: for an SQL rule, the share of rows that may fail; other expectations have `mostly`.
        applies_when_empty: the rule is also checked on an object without rows.
        approvable: what it finds may be intended, so one run may be published against it when somebody says why.
        quarantine: records that fail are set aside, and used again when they are mended at the source.
        reason: why the threshold is what it is.
        protects: the decision that goes wrong without the rule.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]{3}_[0-9]{3}$")]
    name: Annotated[str, Field(pattern=CHECK_NAME)]
    object: ObjectName | Annotated[list[ObjectName], Field(min_length=2)]
    dimension: Dimension
    owner: Text | None = None
    description: Text
    description_de: Text
    remedy: Text
    remedy_de: Text
    reason: Text
    protects: Text
    protects_de: Text
    rows: Text | None = None
    tolerated_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    applies_when_empty: bool = False
    approvable: bool = False
    quarantine: bool = False

    @property
    def objects(self) -> list[str]:
        return [self.object] if isinstance(self.object, str) else self.object


class Expectation(Model):
    """One rule: `type`, `kwargs` and `severity` are Great Expectations' own."""

    type: str
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity
    meta: RuleMeta


class SuiteMeta(Model):
    """What holds for every rule of the suite that does not say otherwise."""

    description: Text
    owner: Text


class Suite(Model):
    name: Annotated[str, Field(pattern=r"^[a-z]+$")]
    meta: SuiteMeta
    expectations: Annotated[list[Expectation], Field(min_length=1)]


@dataclass(frozen=True)
class SuiteFiles:
    """All suites that could be read, and one sentence for every problem in any file."""

    suites: list[Suite]
    problems: list[str]


def read_suites(directory: Path) -> SuiteFiles:
    """Read every `*.yml` of the directory, in the order of file names."""
    suites: list[Suite] = []
    problems: list[str] = []
    files = sorted(directory.glob("*.yml"))
    if not files:
        problems.append(f"{directory}: there is no suite; the audit needs at least one file such as sources.yml.")
    for file in files:
        try:
            suite = _parse_suite(file.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            problems.append(f"expectations/{file.name}{where}: not valid YAML; check indentation and colons there.")
        except ValidationError as error:
            problems += [f"expectations/{file.name}: {_sentence(problem)}" for problem in error.errors()]
        else:
            suites.append(suite)
            for expectation in suite.expectations:
                rule = expectation.meta.id
                problems += [f"expectations/{file.name}: rule {rule}: {p}" for p in _misused(expectation)]
            if suite.name != file.stem:
                problems.append(f"expectations/{file.name}: the suite is named '{suite.name}'; name it '{file.stem}'.")
    return SuiteFiles(suites, problems)


@lru_cache(maxsize=64)
def _parse_suite(text: str) -> Suite:
    """The same text is parsed once a process: a run reads the suites five times. Nobody changes a suite."""
    return Suite.model_validate(parse(text))


def _sentence(problem: Any) -> str:
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"]).lstrip(".") or "the file"
    if problem["type"] == "extra_forbidden":
        return f"'{key}' is not a known key; remove it or correct its spelling."
    if problem["type"] == "missing":
        return f"'{key}' is missing; add it."
    found = problem.get("input")
    shown = f", found {found!r}" if isinstance(found, str | int | float | bool) else ""
    return f"'{key}': {problem['msg']}{shown}."


def _misused(expectation: Expectation) -> Iterator[str]:
    """What is wrong with the use of an expectation type, one sentence each."""
    type_, kwargs, meta = expectation.type, expectation.kwargs, expectation.meta
    if type_ in UNSUPPORTED:
        yield f"{type_} does not work on DuckDB: {UNSUPPORTED[type_]}."
        return
    if type_ not in SUPPORTED | OWN:
        close = ", ".join(sorted(t for t in SUPPORTED if _words(t) >= _words(type_) - {"expect"})[:3])
        hint = f"; did you mean {close}" if close else "; see pipelines/audit/expectation_types.py for those there are"
        yield f"'{type_}' is not an expectation of Great Expectations{hint}."
        return
    required, options = (SUPPORTED | OWN)[type_]
    for name in sorted(required - kwargs.keys()):
        yield f"{type_} needs the argument '{name}'; add it under kwargs."
    for name in sorted(kwargs.keys() - required - options):
        hint = "; write the condition into meta.rows" if name == "row_condition" else ""
        yield f"{type_} has no argument '{name}'{hint}; allowed: {', '.join(sorted(required | options))}."
    if type_ in ONLY_KNOWN and kwargs.get("ignore_row_if") != ONLY_KNOWN[type_]:
        yield (
            f"{type_} cannot judge a row with a missing value on DuckDB; write ignore_row_if: {ONLY_KNOWN[type_]}, "
            f"and a rule of its own about missing values."
        )
    if type_ == USUAL_METRICS:
        yield from _unknown_metrics(kwargs.get("metrics"), meta.objects[0])
    if meta.tolerated_share and type_ != UNEXPECTED_ROWS:
        yield "tolerated_share belongs to SQL rules; use the argument 'mostly' here."
    mostly = kwargs.get("mostly", 1)
    if not isinstance(mostly, int | float) or not 0 < mostly <= 1:
        yield f"'mostly' is {mostly!r}; it is a share above 0 and at most 1."
    for name in ("regex", "regex_list"):
        patterns = kwargs.get(name, [])
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                yield f"the regular expression {pattern!r} is not valid ({error})."
    if type_ == UNEXPECTED_ROWS and (problem := _query_problem(kwargs.get("unexpected_rows_query"))):
        yield problem


def _unknown_metrics(family: object, name: str) -> Iterator[str]:
    if family is not None and FAMILIES.get(str(family)) != name:
        allowed = ", ".join(f"{metrics} of {about}" for metrics, about in FAMILIES.items())
        yield f"'{family}' are no metrics of {name}; allowed: {allowed}."


def _query_problem(query: object) -> str | None:
    if not isinstance(query, str):
        return "'unexpected_rows_query' must be SQL."
    try:
        fields = {field for _, field, _, _ in Formatter().parse(query) if field is not None}
    except ValueError:
        fields = {""}
    if fields != {"batch"}:
        return "the SQL must select from {batch} and use no other braces; double the braces of a regular expression."
    return None


def _words(type_: str) -> set[str]:
    return set(type_.split("_"))
