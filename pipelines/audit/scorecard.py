"""How good the data is, as scores from 0 to 1: per source, entity, field and dimension, and over all.

Add a measure here when an owner wants a score that no rule gives. A score is the share of elements that are as they
should be; a score over several is the mean of their shares, weighted. Nothing here decides about publishing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.audit.results import RuleResult, Severity, Status
from pipelines.audit.rules import field_of
from pipelines.entities import ENTITIES, SYSTEM_COLUMNS
from pipelines.warehouse import names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.rules import Rule

# A rule that refuses says more about the data than one that informs.
WEIGHTS = {Severity.CRITICAL: 3.0, Severity.WARNING: 2.0, Severity.INFO: 1.0}
# What identity, contact and segments rest on. That another field of a person, or a field of a fact, is empty is no
# defect: it is shown and not counted.
KEY_FIELDS = frozenset(
    {"first_name", "last_name", "email", "phone", "mobile", "street", "postal_code", "city", "country", "birth_date"}
)
LEVELS = ("field", "entity", "scope", "dimension", "total")


@dataclass(frozen=True)
class Measure:
    """One share: of `element_count` elements `good_count` are as they should be.

    Attributes:
        scope: the source, or the schema of a table that is not one source's.
        entity: the entity of the source, or the name of the table.
        field: the field it is about, None when it is about whole records.
        weight: how much it counts in scores over several; 0 when it is only shown.
    """

    scope: str
    entity: str
    field: str | None
    dimension: str
    element_count: int
    good_count: int
    weight: float

    @property
    def share(self) -> float:
        return self.good_count / self.element_count


@dataclass(frozen=True)
class Score:
    """One line of the scorecard. What a level is over is None: the total has neither scope nor dimension.

    `score` is None where nothing counts; then only single fields are shown.
    """

    level: str
    scope: str | None
    entity: str | None
    field: str | None
    dimension: str | None
    element_count: int
    good_count: int
    measure_count: int
    weight: float
    score: float | None

    @property
    def place(self) -> tuple[str, str | None, str | None, str | None]:
        return (self.level, self.scope, self.entity, self.dimension)


def score_build(measures: Iterable[Measure]) -> list[Score]:
    """Every level of the scorecard, from total to field, in the order of their names."""
    groups: dict[tuple[str, str | None, str | None, str | None, str | None], list[Measure]] = {}
    for m in measures:
        for key in (
            ("field", m.scope, m.entity, m.field, m.dimension),
            ("entity", m.scope, m.entity, None, m.dimension),
            ("entity", m.scope, m.entity, None, None),
            ("scope", m.scope, None, None, m.dimension),
            ("scope", m.scope, None, None, None),
            ("dimension", None, None, None, m.dimension),
            ("total", None, None, None, None),
        ):
            groups.setdefault(key, []).append(m)
    ordered = sorted(groups.items(), key=lambda item: (-LEVELS.index(item[0][0]), *(part or "" for part in item[0])))
    return [_score(key, found) for key, found in ordered]


def _score(key: tuple[str, str | None, str | None, str | None, str | None], measures: Sequence[Measure]) -> Score:
    weight = sum(m.weight for m in measures)
    counted = measures if weight else [m for m in measures if key[0] == "field"]
    weights = [m.weight if weight else 1.0 for m in counted]
    score = sum(m.share * w for m, w in zip(counted, weights, strict=True)) / sum(weights) if counted else None
    return Score(
        *key,
        element_count=sum(m.element_count for m in counted),
        good_count=sum(m.good_count for m in counted),
        measure_count=len(counted),
        weight=weight,
        score=None if score is None else round(score, 6),
    )


def measure_results(results: Iterable[RuleResult], rules: Mapping[str, Rule]) -> list[Measure]:
    """One measure per result that judged something; a rule that could not run is one element that is not good."""
    measures = []
    for r in results:
        if r.status is Status.NOT_APPLICABLE:
            continue
        scope, _, entity = r.object.partition(".")
        elements, failed = (r.element_count or 0, r.failed_count or 0)
        if r.status is Status.NOT_RUN or not elements:
            elements, failed = 1, int(r.status is not Status.PASSED)
        good = max(0, elements - failed)
        field = field_of(rules.get(r.rule_id))
        measures.append(Measure(scope, entity, field, r.dimension, elements, good, WEIGHTS[r.severity]))
    return measures


def measure_fields(connection: DuckDBPyConnection) -> list[Measure]:
    """What every source delivers in every field: how much of it is filled, valid, and not in doubt.

    Valid is a value that cleaning did not have to take away, in doubt one that it only proposes to change.
    """
    there = names_of_tables(connection)
    filled: dict[tuple[str, str, str], tuple[int, int, bool]] = {}
    if "meta.source_profile" in there:
        persons = {entity.name for entity in ENTITIES.values() if entity.is_person}
        system = {column.name for column in SYSTEM_COLUMNS}
        for source, name, column, records, count in connection.execute(
            "select source_system, entity, column_name, record_count, filled_count from meta.source_profile "
            "where filled_count > 0 order by source_system, entity, column_name"
        ).fetchall():
            if column not in system:  # nor is a field that a source does not have empty
                filled[source, name, column] = (records, count, name in persons)
    taken: dict[tuple[str, str, str], tuple[int, int]] = {}
    if "clean.corrections" in there:
        for source, name, field, invalid, doubtful in connection.execute(
            "select source_system, entity, field, count(*) filter (status = 'applied' and after is null), "
            "count(*) filter (status = 'proposed') from clean.corrections group by all"
        ).fetchall():
            taken[source, name, field] = (invalid, doubtful)
    measures = []
    for place, (records, count, is_of_person) in filled.items():
        counts_for = float(is_of_person and place[2] in KEY_FIELDS)
        invalid, doubtful = taken.get(place, (0, 0))
        measures.append(Measure(*place, "completeness", records, count, counts_for))
        if place[2] in KEY_FIELDS:
            measures.append(Measure(*place, "validity", count, max(0, count - invalid), 1.0))
            measures.append(Measure(*place, "accuracy", count, max(0, count - doubtful), 1.0))
    return measures
