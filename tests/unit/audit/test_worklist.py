"""The work list names the record that is to be mended, whatever it is."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path

from pipelines.audit.findings import follow_findings
from pipelines.audit.worklist import write_worklists
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.audit.audits import history

LINES, CONTACTS = ("sho_007", "shop.order_lines"), ("crm_005", "crm.contacts")


def test_lines_of_orders_are_named_like_every_other_record(company: Settings, tmp_path: Path) -> None:
    with connect(company.build_warehouse, company) as connection:
        query = "select record_key from raw.{} where source_record_id = '{}'"
        keys = [
            connection.execute(query.format(table, number)).fetchall()[0][0]
            for table, number in (("shop_order_lines", "1-2"), ("crm_contacts", "2"))
        ]
    with connect(company.build_audit, company) as connection:
        connection.execute("create schema audit.audit")
        connection.execute(
            "create table audit.audit.rule_failures "
            "(rule_id text, object text, key text, customer_id text, fields text)"
        )
        for (rule, name), key in zip((LINES, CONTACTS), keys, strict=True):
            connection.execute(
                "insert into audit.audit.rule_failures values ($1, $2, $3, null, 'tax_rate, quantity')",
                [rule, name, key],
            )
    findings = follow_findings(history({LINES: 1, CONTACTS: 1}), [], datetime.fromisoformat("2026-11-02"))
    written = write_worklists(
        company, findings, fields={}, owners={}, default_owner="data engineering", folder=tmp_path / "lists"
    )
    rows = [row for file, _ in written.values() for row in csv.DictReader(file.open(encoding="utf-8-sig"))]
    named = {(row["source"], row["entity"], row["record"]) for row in rows if row["finding"]}
    assert named == {("shop", "order_lines", "1-2"), ("crm", "contacts", "2")}
    assert {row["field"] for row in rows if row["finding"]} == {"tax_rate, quantity"}
    assert all(re.fullmatch(r"[0-9]+\.[0-9]{2}", row["revenue"]) for row in rows)
