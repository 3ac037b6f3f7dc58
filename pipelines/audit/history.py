"""`state/audits.duckdb`: what every audit found, also those that refused; it outlives versions, builds and rollback.

Add a column here when findings, trends or the report need it of audits whose builds are gone. Rows are only ever added:
a build that is audited again adds an audit, and readers take the last one of a build. Counts only, never a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.results import UNMET, RuleResult, Status, Verdict
from pipelines.warehouse import connect, insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.impact import Impact
    from pipelines.audit.scorecard import Score
    from pipelines.build import Build
    from pipelines.settings import Settings

_TABLES = {
    "audits": """
        build_id text, audited_at timestamp, version text, status text, as_of timestamp, base_version text,
        config_digest text, model_version text, is_complete boolean, figures json
    """,
    "results": """
        build_id text, audited_at timestamp, rule_id text, object text, status text, element_count bigint,
        failed_count bigint, customers_affected bigint, revenue_affected double
    """,
    # What a finding is called by, kept for the day on which its rule is gone.
    "texts": """
        build_id text, audited_at timestamp, rule_id text, object text, suite text, dimension text, severity text,
        owner text, description text, description_de text, remedy text, remedy_de text
    """,
    "scores": """
        build_id text, audited_at timestamp, level text, scope text, entity text, dimension text, score double
    """,
}
FULL_AUDITS = 60  # a year of nights is a hundred thousand results; nobody looks at those that were always met
KEPT_LEVELS = ("entity", "scope", "dimension", "total")  # scores of single fields are kept with their version only


@dataclass(frozen=True)
class Audit:
    """One audit of the past.

    Attributes:
        version: the version that may be published from the build, None when it refused.
        model_version: the version in which the model was learned that linked records, None when none was used.
        is_complete: every rule of the catalogue was run.
        figures: key figures of the build by name.
    """

    build_id: str
    audited_at: datetime
    version: str | None
    status: str
    as_of: datetime
    base_version: str | None
    config_digest: str
    model_version: str | None
    is_complete: bool
    figures: Mapping[str, float]


@dataclass(frozen=True)
class PastResult:
    """What one rule found on one object in one audit."""

    rule_id: str
    object: str
    status: Status
    element_count: int | None
    failed_count: int | None
    customers_affected: int | None = None
    revenue_affected: float | None = None

    @property
    def is_unmet(self) -> bool:
        return self.status in UNMET


@dataclass(frozen=True)
class RuleText:
    """How a rule described itself when it was last not met on an object."""

    suite: str
    dimension: str
    severity: str
    owner: str
    description: str
    description_de: str
    remedy: str
    remedy_de: str


@dataclass(frozen=True)
class History:
    """All audits, oldest first, the last one of each build; results by build; the last texts by rule and object.

    Results and scores are there of the last `FULL_AUDITS` audits; of older ones only results of what was ever not met.
    """

    audits: tuple[Audit, ...]
    results: Mapping[str, Sequence[PastResult]]
    texts: Mapping[tuple[str, str], RuleText]
    scores: Mapping[str, Mapping[tuple[str, str | None, str | None, str | None], float]]


EMPTY = History((), {}, {}, {})


def keep_audit(
    settings: Settings,
    build: Build,
    verdict: Verdict,
    *,
    is_complete: bool,
    model_version: str | None,
    figures: Mapping[str, float],
    impacts: Mapping[tuple[str, str], Impact],
    scores: Sequence[Score],
) -> None:
    """Add one audit, as a whole or not at all.

    Args:
        is_complete: every rule of the catalogue was run.
        figures: key figures of the build.
        impacts: by rule and object, where failing keys are known.
    """
    key = (build.build_id, verdict.ran_at)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with connect(_file(settings), settings) as connection:
        connection.execute("begin")
        for name, columns in _TABLES.items():
            connection.execute(f"create table if not exists {name} ({columns})")
        audit = (verdict.version, verdict.status.value, build.as_of, build.base_version, build.config_digest)
        insert_rows(connection, "audits", [(*key, *audit, model_version, is_complete, json.dumps(dict(figures)))])
        insert_rows(connection, "results", [(*key, *_result_row(r, impacts)) for r in verdict.results])
        insert_rows(connection, "texts", [(*key, *_text_row(r)) for r in verdict.results if r.status in UNMET])
        kept = [s for s in scores if s.level in KEPT_LEVELS and s.score is not None]
        insert_rows(connection, "scores", [(*key, s.level, s.scope, s.entity, s.dimension, s.score) for s in kept])
        connection.execute("commit")
    _file(settings).chmod(0o600)


def was_audited(settings: Settings) -> bool:
    """Whether this data folder saw an audit."""
    return _file(settings).exists()


def read_history(settings: Settings) -> History:
    """Everything that was kept; `EMPTY` when nothing was."""
    if not _file(settings).exists():
        return EMPTY
    with connect(_file(settings), settings, read_only=True) as connection:
        audits = [
            Audit(**{**row, "figures": json.loads(row["figures"])})
            for row in _rows(
                connection,
                "from audits qualify row_number() over (partition by build_id order by audited_at desc) = 1 "
                "order by audited_at, build_id",
            )
        ]
        results: dict[str, list[PastResult]] = {audit.build_id: [] for audit in audits}
        last = (
            "inner join (select build_id, max(audited_at) as audited_at from audits group by build_id) "
            "using (build_id, audited_at)"
        )
        in_full = (
            f"audited_at >= (select coalesce(min(audited_at), '-infinity') from "
            f"(select audited_at from audits order by audited_at desc limit {FULL_AUDITS}))"
        )
        of_findings = "(rule_id, object) in (select (rule_id, object) from texts)"
        for row in _rows(
            connection,
            f"select results.* from results {last} where {in_full} or {of_findings} order by rule_id, object",
        ):
            build_id = row.pop("build_id")
            del row["audited_at"]
            results[build_id].append(PastResult(**{**row, "status": Status(row["status"])}))
        texts = {
            (row["rule_id"], row["object"]): RuleText(**{name: row[name] for name in RuleText.__dataclass_fields__})
            for row in _rows(connection, "from texts order by audited_at, rule_id, object")
        }
        scores: dict[str, dict[tuple[str, str | None, str | None, str | None], float]] = {}
        for row in _rows(connection, f"select scores.* from scores {last} where {in_full}"):
            place = (row["level"], row["scope"], row["entity"], row["dimension"])
            scores.setdefault(row["build_id"], {})[place] = row["score"]
    return History(tuple(audits), results, texts, scores)


def _rows(connection: DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _result_row(r: RuleResult, impacts: Mapping[tuple[str, str], Impact]) -> tuple[Any, ...]:
    impact = impacts.get((r.rule_id, r.object))
    reach = (impact.customers, impact.revenue) if impact else (None, None)
    return (r.rule_id, r.object, r.status.value, r.element_count, r.failed_count, *reach)


def _text_row(r: RuleResult) -> tuple[Any, ...]:
    return (
        r.rule_id,
        r.object,
        r.suite,
        r.dimension,
        r.severity.value,
        r.owner,
        r.description,
        r.description_de,
        r.remedy,
        r.remedy_de,
    )


def _file(settings: Settings) -> Path:
    return settings.state_dir / "audits.duckdb"
