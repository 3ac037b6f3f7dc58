"""A broken source ends refused or stopped, with a sentence, and the published version stays what it was."""

from __future__ import annotations

import re

import pytest

from pipelines.audit import load_catalogue
from pipelines.configuration import load_configuration
from pipelines.sample import break_sample
from pipelines.warehouse import connect
from tests.integration.canary import CANARY, assert_nothing_leaked, plant
from tests.integration.company import Company, said
from tests.unit.alerting import webhook

pytestmark = pytest.mark.slow


def invalidate_a_third_of_the_emails(company: Company) -> None:
    plant(company, f"{CANARY} 1980")  # a date that is none: the record is rejected
    break_sample(company.sample, "invalid_emails", 0.3)


def add_one_cent_to_some_orders(company: Company) -> None:
    file = company.sample / "shop" / "orders.parquet"
    with connect(None, company.settings) as connection:
        connection.execute(f"create table orders as from read_parquet('{file}')")
        names = [row[0] for row in connection.execute("describe orders").fetchall()]
        amount = next(name for name in names if "items" in name)
        connection.execute(f"update orders set {amount} = {amount} + 0.01 where rowid % 20 = 3")
        connection.execute(f"copy orders to '{file}' (format parquet)")


def test_broken_sources_are_refused_by_rule_and_remedy_and_the_published_version_stays(published: Company) -> None:
    """The support desk is switched off meanwhile, which refuses nothing. Who is to be alerted is, once."""
    version, customers = published.version, published.query("select * from marts.customers order by customer_id")
    invalidate_a_third_of_the_emails(published)
    add_one_cent_to_some_orders(published)
    published.switch_off("support")
    alerts: list[dict[str, str]] = []
    with webhook(alerts) as url:
        published.alert(url)
        refused = published.run()
    assert refused.returncode == 2, said(refused)
    assert "switched off; the last landed rows are kept" in said(refused)
    assert published.version == version
    assert published.query("select * from marts.customers order by customer_id") == customers

    [alert] = [message["text"] for message in alerts]
    assert alert.startswith("Kundenstamm: nightly refused")
    status = said(published.call("status"))
    assert "The latest run was refused" in status
    catalogue = load_catalogue(load_configuration(published.settings, published.environment))
    for rule in (catalogue.rule(name) for name in ("crm_004", "rev_002")):
        for told in (said(refused), status, " ".join(alert.split())):
            assert f"{rule.display_id} {rule.description} Found:" in told
            assert f"Owner: {rule.owner}. {rule.remedy}" in told
    assert_nothing_leaked(published, said(refused) + status + alert)
    assert set(re.findall(r"\b([A-Z]{3}-\d{3}) ", status)) == {"CRM-004", "REV-002"}


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
