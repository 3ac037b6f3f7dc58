"""The log of the rules as tables: `clean.corrections` by record, and `clean.correction_plan`, the same counted.

Add a column here when the people who mend the sources need to know more about a correction. What is corrected is
decided by the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.clean.drafts import VALUE_DRAFTS, id_column
from pipelines.tables import write_into_part, write_published_table, write_table
from pipelines.warehouse import RESTRICTED, SHARED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CHANGE = "changes.field, rule, confidence, status, before, after"
_RECORD = "record_key, source_system, entity, source_record_id"
# What everybody may read of a correction.
_WITHOUT_VALUES = "* exclude (source_record_id, before, after)"


def write_corrections(connection: DuckDBPyConnection) -> None:
    """Write the tables from the log; a changed value counts for every record that carries it.

    Records of bulk entities are left out: one mistyped address would be as many corrections as it got messages. So are
    records that were not delivered: what they hold is mended where it comes from, at the order.
    """
    persons = [
        f"""
        select {_RECORD}, {_CHANGE}
        from changes
        inner join person_drafts on person_drafts.{id_column(draft)} = changes.id
        where changes.draft = '{draft}' and not is_inferred
        """
        for draft in VALUE_DRAFTS
    ]
    contacts = [
        f"""
        select {_RECORD}, uses.field, rule, confidence, status, before, after
        from changes
        inner join contact_uses as uses on uses.kind = '{kind}' and uses.value_id = changes.id
        where changes.draft = '{kind}_drafts' and uses.record_key is not null
            and uses.record_key not in (select record_key from person_drafts where is_inferred)
        """
        for kind in ("email", "phone")
    ]
    write_published_table(
        connection,
        "clean.corrections",
        f"""
        {" union all ".join([*persons, *contacts])}
        union all
        select {_RECORD}, {_CHANGE}
        from changes inner join person_drafts using (id) where changes.draft = 'person_drafts'
        union all
        select {_RECORD}, {_CHANGE}
        from changes inner join company_drafts using (id) where changes.draft = 'company_drafts'
        union all
        select {_RECORD}, {_CHANGE}
        from changes
        inner join address_uses on address_uses.address_id = changes.id
        where changes.draft = 'address_drafts' and address_uses.record_key is not null
        """,
        part=RESTRICTED,
        published="corrections_values",
    )
    write_into_part(
        connection, f"select {_WITHOUT_VALUES} from clean.corrections", part=SHARED, published="corrections"
    )
    write_table(
        connection,
        "clean.correction_plan",
        """
        select source_system, entity, field, rule, status,
            count(*) as correction_count, count(distinct record_key) as record_count,
            min(confidence) as lowest_confidence
        from clean.corrections
        group by all
        order by all
        """,
    )
