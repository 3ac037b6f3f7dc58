"""What a person sees of deliveries in the UI: counts and reasons, and nobody's values."""

from __future__ import annotations

from pipelines.defs.tables import as_markdown
from pipelines.extract import summarize_reconciliation, summarize_rejects
from pipelines.warehouse import connect
from tests.unit.extract.conftest import Source

CANARY = "kanarienvogel"


def test_counts_and_reasons_are_shown_and_no_value_is(source: Source) -> None:
    source.write(["id,email,birth_date", f"1,a@x.de,{CANARY}", "2,b@x.de,1980-01-01", "2,c@x.de,1980-01-01"])
    source.load()
    source.raw("select 1")
    with connect(source.settings.build_warehouse, source.settings, read_only=True) as connection:
        reconciliation = as_markdown(*summarize_reconciliation(connection))
        rejects = as_markdown(*summarize_rejects(connection))
    assert "| crm | contacts | 2026-01-01 02:00 | 1 | 3 | 1 | 0 | 0 | 0 | 1 | 1 | 0 | 0 |  |" in reconciliation
    assert "| crm | contacts | birth_date | text instead of a date | 1 | 2026-01-01 02:00 |" in rejects
    assert CANARY not in reconciliation + rejects


def test_a_table_without_rows_says_so() -> None:
    assert as_markdown(("a", "b"), []) == "Nothing."
