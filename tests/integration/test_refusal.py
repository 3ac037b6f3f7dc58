"""A broken source ends refused or stopped, with a sentence, and the published version stays what it was."""

from __future__ import annotations

import pytest

from pipelines.sample import break_sample
from pipelines.warehouse import connect
from tests.integration.company import Company, said

pytestmark = pytest.mark.slow


def _add_one_cent_to_one_order(company: Company) -> None:
    file = company.sample / "shop" / "orders.parquet"
    with connect(None, company.settings) as connection:
        connection.execute(f"create table orders as from read_parquet('{file}')")
        names = [row[0] for row in connection.execute("describe orders").fetchall()]
        amount = next(name for name in names if "items" in name)
        connection.execute(f"update orders set {amount} = {amount} + 0.01 where rowid = 3")
        connection.execute(f"copy orders to '{file}' (format parquet)")


def test_a_third_of_invalid_emails_is_refused_and_nothing_changes(published: Company) -> None:
    version, customers = published.version, published.query("select * from marts.customers order by customer_id")
    break_sample(published.sample, "invalid_emails", 0.3)
    refused = published.run()
    assert refused.returncode == 2, said(refused)
    assert "e-mail" in said(refused)
    assert "CRM-" in said(refused)
    assert published.version == version
    assert published.query("select * from marts.customers order by customer_id") == customers
    assert "refused" in published.call("status").stdout


def test_shop_revenue_off_by_one_cent_is_refused(published: Company) -> None:
    version = published.version
    _add_one_cent_to_one_order(published)
    refused = published.run()
    assert refused.returncode == 2, said(refused)
    assert "REV-" in said(refused)
    assert published.version == version


def test_a_missing_file_fails_with_a_sentence(published: Company) -> None:
    version = published.version
    file = published.sample / "support" / "tickets.jsonl"
    file.unlink()
    failed = published.run()
    assert failed.returncode == 1, said(failed)
    assert "tickets.jsonl" in said(failed)
    assert "Traceback" not in said(failed)
    assert published.version == version


def test_a_source_that_is_switched_off_keeps_its_rows_and_says_so(published: Company) -> None:
    before = published.query("select count(*) from marts.tickets")
    sources = published.config / "sources.yml"
    text = sources.read_text()
    assert "  - name: support\n" in text
    sources.write_text(text.replace("  - name: support\n", "  - name: support\n    enabled: false\n"))
    done = published.run()
    assert done.returncode == 0, said(done)
    assert published.query("select count(*) from marts.tickets") == before
    assert "off" in said(done)


def test_another_companys_data_folder_is_refused(published: Company) -> None:
    version = published.version
    company = published.config / "company.yml"
    company.write_text(company.read_text().replace("Beispiel Handels GmbH (sample)", "Andere GmbH"))
    refused = published.run()
    assert refused.returncode == 1, said(refused)
    assert "Andere GmbH" in said(refused)
    assert published.version == version


def test_an_invalid_configuration_names_every_problem_at_once(fresh: Company) -> None:
    (fresh.config / "value.yml").write_text("top_share: 2\nwindow: 3\n")
    (fresh.config / "company.yml").write_text("name: [\n")
    done = fresh.run()
    assert done.returncode == 4, said(done)
    for expected in ("value.yml, line 1", "top_share", "value.yml, line 2", "'window'", "company.yml"):
        assert expected in said(done)
    assert not (fresh.data / "build").exists()


def test_the_code_location_loads_with_an_invalid_configuration(fresh: Company) -> None:
    (fresh.config / "value.yml").write_text("top_share: 2\n")
    from pipelines.definitions import build_defs

    definitions = build_defs(fresh.settings)
    [spec] = definitions.resolve_all_asset_specs()
    assert "value.yml, line 1" in (spec.description or "")


def test_a_data_folder_that_cannot_be_written_is_one_sentence(fresh: Company) -> None:
    fresh.data.write_text("a file where the folder should be")
    failed = fresh.run()
    assert failed.returncode == 1, said(failed)
    assert "data folder" in said(failed)
    assert "Traceback" not in said(failed)
