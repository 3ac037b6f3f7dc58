"""How well company records are put into accounts, against the truth of the sample company.

Add a figure of accounts here. Pairs are counted as for persons: a company is to an account what a person is to a
customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.identity.measures import Quality, measure
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

ACCOUNTS = "(select record_key, account_id as customer_id from identity.account_records)"


def measure_companies(connection: DuckDBPyConnection, truth: Path) -> Quality:
    """Compare `identity.account_records` with `accounts.parquet` of the truth."""
    connection.execute(
        f"""
        create or replace temp table company_truth as
        select record_key, company as person
        from {literal(truth)} join clean.companies using (source_system, source_record_id)
        """
    )
    return measure(connection, ACCOUNTS, "company_truth")
