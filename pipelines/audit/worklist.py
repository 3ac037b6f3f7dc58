"""What there is to mend, record by record, as one CSV file per owner: findings, and the corrections that wait.

Add a column here when whoever mends a record must see it. The files are personal data: they are made when somebody
asks, for nobody else to read, and never published.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.audit.catalogue import load_catalogue
from pipelines.audit.rules import owners_of_objects
from pipelines.errors import BuildError
from pipelines.spreadsheets import guard_cell
from pipelines.warehouse import connect, insert_rows

if TYPE_CHECKING:
    from pipelines.audit.findings import Finding
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

COLUMNS = (
    *("finding", "what", "severity", "source", "entity", "record", "record_key", "customer_id"),
    *("field", "value", "proposal", "why", "sure", "revenue", "remedy"),
)
_AUDIT = "audit_file"


def write_worklists_of(
    settings: Settings, configuration: Configuration, findings: Iterable[Finding], folder: Path
) -> dict[str, tuple[Path, int]]:
    """The work lists of the open build: what rules are about and who answers for it is taken from the catalogue."""
    catalogue = load_catalogue(configuration)
    rules = catalogue.rules
    fields = {rule_id: fields[0] for rule_id, fields in catalogue.fields.items() if len(fields) == 1}
    return write_worklists(
        settings,
        findings,
        fields=fields,
        owners=owners_of_objects(rules),
        default_owner="data engineering",
        folder=folder,
    )


def write_worklists(
    settings: Settings,
    findings: Iterable[Finding],
    *,
    fields: Mapping[str, str],
    owners: Mapping[str, str],
    default_owner: str,
    folder: Path,
) -> dict[str, tuple[Path, int]]:
    """Write `<owner>.csv` for every owner who has something to mend in the open build, most revenue first.

    Args:
        findings: those that need work are listed with their failing records, as far as these are known.
        fields: the field a rule is about, where it is about one, by rule; a correction of it is shown with its value.
        owners: who answers for `<source>.<entity>`.
        default_owner: who answers for everything else.
        folder: made when it is missing.

    Returns:
        File and number of rows by owner.

    Raises:
        BuildError: no audited build is there to list records of.
    """
    if not settings.build_audit.exists():
        raise BuildError("There is no audited build to list records of. Start the nightly run, or wait for its audit.")
    rows = _read_rows(settings, [f for f in findings if f.needs_work], fields, owners, default_owner)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    by_owner: dict[str, list[Sequence[object]]] = {}
    for owner, *row in rows:
        by_owner.setdefault(str(owner), []).append(row)
    written = {}
    for owner, listed in sorted(by_owner.items()):
        file = folder / f"{re.sub(r'[^a-z0-9]+', '-', owner.lower()).strip('-') or 'nobody'}.csv"
        _write(file, listed)
        written[owner] = (file, len(listed))
    return written


def _write(file: Path, rows: Sequence[Sequence[object]]) -> None:
    file.unlink(missing_ok=True)  # its mode would stay what it was
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as handle:  # Excel takes it for Latin otherwise
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([guard_cell(cell) for cell in row] for row in rows)


def _read_rows(
    settings: Settings,
    findings: Sequence[Finding],
    fields: Mapping[str, str],
    owners: Mapping[str, str],
    default_owner: str,
) -> list[tuple[object, ...]]:
    with connect(
        settings.build_warehouse, settings, read_only=True, attach={_AUDIT: settings.build_audit}
    ) as connection:
        connection.execute(
            "create temp table wanted (rule_id text, object text, finding text, what text, severity text, owner text, "
            "remedy text, field text)"
        )
        insert_rows(
            connection,
            "wanted",
            [
                (
                    *(f.rule_id, f.object, f.id, _sentence(f.text.description)),
                    *(f.severity.value, f.text.owner, _sentence(f.text.remedy)),
                    fields.get(f.rule_id),
                )
                for f in findings
            ],
        )
        connection.execute("create temp table owners (place text, owner text)")
        insert_rows(connection, "owners", list(owners.items()))
        return connection.execute(_ROWS, {"default_owner": default_owner}).fetchall()


def _sentence(text: str) -> str:
    """A cell may hold no semicolon."""
    return text.replace(";", " -")


_ROWS = f"""
    with failing as (
        select wanted.*, failures.key as record_key, failures.customer_id, failures.fields
        from wanted inner join {_AUDIT}.audit.rule_failures as failures using (rule_id, object)
    ),

    records as (
        select record_key, source_system, entity, source_record_id, customer_id
        from marts.source_record_keys
        union all
        select record_key, source_system, 'order_lines', source_record_id, null
        from raw.shop_order_lines  -- too many to be published by their numbers
        where record_key in (select record_key from failing)
    ),

    corrections as (
        select record_key, field, before, after, rule, status, confidence
        from clean.corrections
        qualify row_number() over (partition by record_key, field order by confidence desc, rule) = 1
    ),

    found as (
        select failing.owner, failing.finding, failing.what, failing.severity, records.source_system, records.entity,
            records.source_record_id, failing.record_key,
            coalesce(failing.customer_id, records.customer_id) as customer_id,
            coalesce(failing.field, failing.fields) as field,
            corrections.before, corrections.after, corrections.rule, corrections.confidence, failing.remedy
        from failing
        left join records using (record_key)
        left join corrections on corrections.record_key = failing.record_key and corrections.field = failing.field
    ),

    waiting as (
        select coalesce(owners.owner, $default_owner), null,
            case when corrections.status = 'proposed' then 'A correction is proposed.'
                else 'The value cannot be used and is left out.' end,
            'info', records.source_system, records.entity, records.source_record_id, corrections.record_key,
            coalesce(records.customer_id, members.customer_id), corrections.field, corrections.before,
            corrections.after, corrections.rule, corrections.confidence, 'Mend the value at the source.'
        from corrections
        inner join records using (record_key)
        left join identity.members as members using (record_key)
        left join owners on owners.place = records.source_system || '.' || records.entity
        left join found on found.record_key = corrections.record_key and found.field = corrections.field
        where (corrections.status = 'proposed' or corrections.after is null) and found.record_key is null
    )

    select listed.* exclude (remedy), coalesce(customers.revenue_amount_base, 0)::decimal(18, 2) as revenue,
        listed.remedy
    from (from found union all from waiting) as listed
    left join marts.customers as customers using (customer_id)
    order by owner, revenue desc, finding nulls last, record_key, field
"""
