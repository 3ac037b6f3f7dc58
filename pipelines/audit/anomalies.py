"""Rules that need no threshold: what leaves the band in which it was in earlier versions.

Add here what concerns judging the figures of a build as results of rules. Which figures there are is in `metrics`,
what is usual in `bands`, the rules themselves in `expectations/anomalies.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pipelines.audit.bands import KNOWN_AFTER, Point, judge_figure
from pipelines.audit.failures import RuleFailure
from pipelines.audit.metrics import FAILURES, Metric

if TYPE_CHECKING:
    from pipelines.audit.rules import Rule

SHOWN = 3  # unusual figures that a result names


@dataclass(frozen=True)
class Finding:
    """What a rule found on an object: figures that could be judged, the unusual ones among them, and that in words."""

    judged: int
    unusual: tuple[Metric, ...]
    note: str


def judge_metrics(
    metrics: Sequence[Metric], history: Mapping[tuple[str, str, str], Sequence[Point]], day: date
) -> list[Metric]:
    """The figures with the band that each is expected in."""
    judged = []
    for metric in metrics:
        found = judge_figure(history.get(metric.key, ()), Point(day, metric.value), metric.kind)
        judged.append(replace(metric, band=found.band, known=found.known, is_unusual=found.is_unusual))
    return judged


def find_anomalies(metrics: Sequence[Metric], family: str, object_: str) -> Finding:
    """What is unusual among the figures of a family that are about an object."""
    about = [metric for metric in metrics if (metric.family, metric.object) == (family, object_)]
    judged = [metric for metric in about if metric.band is not None]
    unusual = tuple(metric for metric in judged if metric.is_unusual)
    if not judged and family == FAILURES:
        return Finding(0, (), "no published version with the same rules")
    if not judged:
        known = max((metric.known for metric in about), default=0)
        return Finding(0, (), f"{min(known, KNOWN_AFTER)} of {KNOWN_AFTER} versions of this weekday")
    return Finding(len(judged), unusual, "; ".join(_in_words(unusual)))


def list_anomalies(rules: Sequence[Rule], metrics: Sequence[Metric]) -> Iterator[RuleFailure]:
    """The unusual figures as failing rows of their rule."""
    for rule in rules:
        for checked in rule.objects if rule.metrics else ():
            for metric in find_anomalies(metrics, rule.metrics or "", checked.name).unusual:
                yield RuleFailure(rule.id, checked.name, "metric", metric.part, None)


def _in_words(unusual: Sequence[Metric]) -> Iterator[str]:
    for metric in unusual[:SHOWN]:
        assert metric.band  # noqa: S101  an unusual figure has left one
        lower, upper = _number(metric.band.lower), _number(metric.band.upper)
        yield f"{metric.part} {_number(metric.value)}, usually {lower} to {upper}"
    if len(unusual) > SHOWN:
        yield f"and {len(unusual) - SHOWN} more"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
