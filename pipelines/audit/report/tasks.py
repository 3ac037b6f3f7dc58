"""What is worth doing next: findings, failures that are tolerated, values that wait at their source, pairs to decide.

Add here another kind of work an owner can do. What refuses publishing comes first, then what reaches most revenue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.audit.impact import Impact, measure_impacts
from pipelines.audit.report.words import FIELDS, OWNERS, Text, word
from pipelines.audit.results import Status, Verdict, display_rule_id
from pipelines.warehouse import names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.details import Details

SHOWN = 3


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Attributes:
        label: short name, such as CRM-004 on crm.contacts.
        refuses: nothing is published before it is done.
        is_tolerated: a rule that is met, as fewer fail than may.
        is_lower_bound: the impact is that of some of the failing rows, as no more are known by their keys.
        failed, of: how many elements it is about; None when unknown.
        impact: customers and revenue it reaches, None when unknown.
    """

    label: str
    what: Text
    remedy: Text
    owner: Text
    refuses: bool
    failed: int | None
    of: int | None
    impact: Impact | None
    is_tolerated: bool = False
    is_lower_bound: bool = False


@dataclass(frozen=True)
class Waiting:
    """Values of one field that wait at their source: taken away, or with a correction that is proposed.

    Attributes:
        place: `<source>.<entity>.<field>`.
    """

    place: str
    is_proposed: bool
    count: int
    impact: Impact | None


def rank_tasks(tasks: Iterable[Task]) -> list[Task]:
    """The most worthwhile first."""
    return sorted(
        tasks,
        key=lambda t: (not t.refuses, -(t.impact.revenue if t.impact else 0), -(t.failed or 0), t.label),
    )


def tasks_of_results(verdict: Verdict, details: Details, kept_failures: int) -> list[Task]:
    """Findings that need work, and rules that are met although something fails."""
    idle = {(f.rule_id, f.object) for f in details.findings if not f.needs_work}
    tasks = []
    for r in verdict.results:
        key = (r.rule_id, r.object)
        is_tolerated = r.status is Status.PASSED and r.failed_count and key in details.impacts
        is_open = r.status in (Status.FAILED, Status.WARNED, Status.NOT_RUN) and (key not in idle or r.refuses)
        if is_open or is_tolerated:
            tasks.append(
                Task(
                    label=f"{display_rule_id(r.rule_id)} · {r.object}",
                    what=Text(r.description, r.description_de),
                    remedy=Text(r.remedy, r.remedy_de),
                    owner=word(OWNERS, r.owner),
                    refuses=r.refuses,
                    failed=r.failed_count,
                    of=r.element_count,
                    impact=details.impacts.get(key),
                    is_tolerated=bool(is_tolerated),
                    is_lower_bound=(r.failed_count or 0) > kept_failures,
                )
            )
    return tasks


def read_waiting(connection: DuckDBPyConnection) -> list[Waiting]:
    """Values that cleaning took away, or proposes to change, by source, entity and field."""
    there = names_of_tables(connection)
    if not there.issuperset({"clean.corrections", "identity.members", "marts.customers"}):
        return []
    connection.execute(
        """
        create or replace temp table waiting as
        select corrections.status as rule_id, customer_id,
            corrections.source_system || '.' || corrections.entity || '.' || corrections.field as object
        from clean.corrections as corrections
        left join identity.members using (record_key)
        where corrections.status = 'proposed' or corrections.after is null
        """
    )
    counts = connection.execute("select rule_id, object, count(*) from waiting group by all order by all").fetchall()
    impacts = measure_impacts(connection, "waiting")
    return [Waiting(name, status == "proposed", count, impacts.get((status, name))) for status, name, count in counts]


def tasks_of_corrections(waiting: Iterable[Waiting], owners: Mapping[str, str], seen: set[str]) -> list[Task]:
    """What there is to do about the values that wait.

    Args:
        owners: who answers for `<source>.<entity>`.
        seen: `<source>.<entity>.<field>` that a rule speaks about already.
    """
    tasks = []
    for found in waiting:
        if not found.is_proposed and found.place in seen:
            continue
        source, field = found.place.rsplit(".", 1)
        owner = owners.get(source, "data engineering")
        (english, german), remedy = _PROPOSED if found.is_proposed else _TAKEN
        named = word(FIELDS, field)
        tasks.append(
            Task(
                label=found.place,
                what=Text(english.format(field=named.en, source=source), german.format(field=named.de, source=source)),
                remedy=Text(*remedy),
                owner=word(OWNERS, owner),
                refuses=False,
                failed=found.count,
                of=None,
                impact=found.impact,
            )
        )
    return tasks


_TAKEN = (
    (
        "Values of {field} in {source} cannot be used and are left out.",
        "Werte des Feldes {field} in {source} sind unbrauchbar und bleiben weg.",
    ),
    (
        "Mend them at the source; `kundenstamm findings --worklist FOLDER` lists the records.",
        "An der Quelle berichtigen; `kundenstamm findings --worklist ORDNER` führt die Datensätze auf.",
    ),
)
_PROPOSED = (
    (
        "Corrections of {field} in {source} are proposed and wait for a decision.",
        "Berichtigungen des Feldes {field} in {source} sind vorgeschlagen und warten auf eine Entscheidung.",
    ),
    (
        "Look at them (`kundenstamm findings --worklist FOLDER`), and mend what is right at the source.",
        "Durchsehen (`kundenstamm findings --worklist ORDNER`) und Richtiges an der Quelle berichtigen.",
    ),
)
