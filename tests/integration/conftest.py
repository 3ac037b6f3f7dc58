"""Companies to run: made once for all tests of a session, copied for each test that changes something."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipelines.sample import generate_sample
from tests.integration.canary import plant
from tests.integration.company import Company, copy_configuration, said
from tests.sharing import make_once

AS_OF = datetime.fromisoformat("2026-11-01")
CUSTOMERS = 400
# So many of each that even among few customers every kind of noise happens.
RARE = {
    **dict.fromkeys(("name_son_after_father", "bear_twins", "let_minors_in", "report_deaths", "employ_staff"), 0.02),
    **dict.fromkeys(("restore_in_crm", "delete_in_crm", "put_company_in_name", "fill_in_placeholders"), 0.02),
    **dict.fromkeys(("inject_hostile_latin_text", "inject_hostile_text", "invalidate_emails", "complain"), 0.02),
    **dict.fromkeys(("spoil_dates", "pay_in_foreign_currency", "opt_in_after_objection"), 0.05),
    **dict.fromkeys(("use_role_mailbox", "change_employer", "withdraw_one_address"), 0.3),
    **dict.fromkeys(("merge_in_crm", "unmerge_in_crm"), 0.3),
    **dict.fromkeys(("found_sisters", "duplicate_companies"), 0.6),  # of eight companies
    "ask_from_unknown_address": 0.05,
}


@pytest.fixture(scope="session")
def new_company(shared_folder: Path) -> Company:
    """A company in which every kind of noise happens, and a canary, with nothing run yet; do not change it."""

    def make(folder: Path) -> None:
        generate_sample(folder / "sample", customers=CUSTOMERS, seed=7, as_of=AS_OF, rates=RARE)
        copy_configuration(folder / "config")
        plant(Company(folder), "12.03.1980")

    return Company(make_once(shared_folder / "new-company", make))


@pytest.fixture(scope="session")
def published_company(shared_folder: Path, new_company: Company) -> Company:
    """That company after one published run; do not change it."""

    def make(folder: Path) -> None:
        company = new_company.copy_to(folder)
        company.extra["KUNDENSTAMM_THREADS"] = "2"
        done = company.run()
        assert done.returncode == 0, said(done)
        (folder / "output.txt").write_text(done.stdout + done.stderr)

    return Company(make_once(shared_folder / "published-company", make))


@pytest.fixture
def fresh(new_company: Company, tmp_path: Path) -> Company:
    return new_company.copy_to(tmp_path / "company")


@pytest.fixture
def published(published_company: Company, tmp_path: Path) -> Company:
    return published_company.copy_to(tmp_path / "company")
