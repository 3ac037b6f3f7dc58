"""What fails more often than in the published version, also where so many are still tolerated.

Add here how results of a rule are compared with those of the published version. Bands over many versions are in
`bands`; what is unlike the published version in the data itself is compared in `baseline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING

from pipelines.audit.bands import Band, Kind
from pipelines.audit.metrics import FAILURES, FAMILIES, Metric
from pipelines.audit.results import RuleResult, Status
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.build import Build
    from pipelines.settings import Settings

# More failing elements than this are no coincidence of one night: so many, that share of the elements, and half of the
# root of those that failed before. On clean nights of sample companies at most three are added, where 37 failed before.
NOTICED, NOTICED_SHARE, NOTICED_ROOT = 2, 0.0005, 0.5

Counts = Mapping[tuple[str, str, str | None], int]


def compare_failures(results: Sequence[RuleResult], published: Counts) -> list[Metric]:
    """The failing elements of each rule that is met, with the band that they had to stay in.

    A rule that is not met says so itself. One that is another rule than in the published version is not compared.
    """
    found = []
    for result in results:
        before = published.get((result.rule_id, result.object, result.rule_digest))
        if before is None or result.status is not Status.PASSED or not result.threshold:
            continue
        failed = result.failed_count or 0
        usual = NOTICED + NOTICED_SHARE * (result.element_count or 0) + NOTICED_ROOT * sqrt(before)
        band = Band(0, before + usual)
        part = f"{result.rule_id} {result.object}"
        unusual = not band.holds(failed)
        found.append(Metric(FAILURES, FAMILIES[FAILURES], part, Kind.FLOW, failed, band, known=1, is_unusual=unusual))
    return found


def read_published_failures(settings: Settings, build: Build) -> Counts:
    """Failing elements by rule, object and digest of the rule, of the version that was published; none without one."""
    file = settings.versions_dir / (build.base_version or "") / "warehouse.duckdb"
    if build.base_version is None or not file.exists():
        return {}
    with connect(file, settings, read_only=True) as connection:
        known = connection.execute(
            "select 1 from duckdb_columns() where schema_name = 'audit' and table_name = 'rule_results' "
            "and column_name = 'rule_digest'"  # an older version does not say which rule it was
        ).fetchone()
        if not known:
            return {}
        rows = connection.execute(
            "select rule_id, object, rule_digest, failed_count from audit.rule_results where failed_count is not null"
        ).fetchall()
    return {(rule, name, digest): failed for rule, name, digest, failed in rows}
