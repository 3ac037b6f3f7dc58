"""The nightly job from files to a published version, as a scheduler runs it."""

from __future__ import annotations

import re
import stat

import pytest

from tests.integration.company import Company, said

pytestmark = pytest.mark.slow


def test_the_run_ends_with_what_was_read_published_and_how_to_query_it(published_company: Company) -> None:
    output = (published_company.root / "output.txt").read_text()
    for label in (
        "read from crm",
        "read from shop",
        "read from support",
        "corrected values",
        "customers",
        "merged records",
        "refused links",
        "audit of revenue",
        "Query it:",
    ):
        assert label in output
    for stage in ("extract", "clean", "resolve", "unify", "activate", "audit", "publish"):
        assert re.search(rf"^  {stage} ", output, re.MULTILINE), stage


def test_every_person_record_is_exactly_one_customers(published_company: Company) -> None:
    [(records, keys, customers)] = published_company.query(
        "select count(*), count(distinct record_key), count(distinct customer_id) from marts.customer_source_records"
    )
    assert records == keys > customers > 0
    [(published,)] = published_company.query("select count(*) from marts.customers")
    assert published == customers


def test_nobody_in_the_audience_is_excluded(published_company: Company) -> None:
    [(members,)] = published_company.query("select count(*) from activation.audience_members")
    assert members > 0
    [(excluded,)] = published_company.query(
        "select count(*) from activation.audience_members m join activation.exclusions e "
        "on e.customer_id = m.customer_id or e.contact_point_key = m.contact_point_key "
        "where e.reason in ('open_critical_ticket', 'just_bought')"
    )
    assert excluded == 0


def test_the_published_files_cannot_be_written_and_the_restricted_one_is_not_for_everybody(
    published_company: Company,
) -> None:
    folder = published_company.data / "published" / "current"
    assert stat.S_IMODE((folder / "warehouse.duckdb").stat().st_mode) == 0o444
    assert stat.S_IMODE((folder / "restricted.duckdb").stat().st_mode) == 0o440
    assert stat.S_IMODE(folder.stat().st_mode) == 0o555


def test_an_analyst_queries_the_published_version_with_the_command_that_the_run_prints(
    published_company: Company,
) -> None:
    answer = published_company.call("sql", "select count(*) as customers from marts.customers")
    assert answer.returncode == 0, said(answer)
    assert str(published_company.query("select count(*) from marts.customers")[0][0]) in answer.stdout.replace(",", "")
    refused = published_company.call("sql", "delete from marts.customers")
    assert refused.returncode == 1, said(refused)
    assert "Traceback" not in said(refused)
