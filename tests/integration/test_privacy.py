"""What is readable of a person after success, and after an error of the engine that names them."""

from __future__ import annotations

import pytest

from pipelines.configuration import load_configuration
from tests.integration.canary import CANARY, assert_nothing_leaked
from tests.integration.company import Company, said

pytestmark = pytest.mark.slow


def test_a_person_is_readable_only_where_the_architecture_allows_it(published_company: Company) -> None:
    found = assert_nothing_leaked(published_company, (published_company.root / "output.txt").read_text())
    assert "landing/crm.duckdb" in found, "the search must be able to find the canary"
    assert any(path.endswith("restricted.duckdb") for path in found)


@pytest.mark.parametrize(
    ("materialized", "sentence"),
    [
        pytest.param("table", "dbt could not build stg_crm__contacts", id="in a step of dbt"),
        pytest.param("view", "a value does not fit the type of its column", id="in a step of Python"),
    ],
)
def test_an_error_of_the_engine_that_names_a_person_is_in_the_private_log_only(
    fresh: Company, materialized: str, sentence: str
) -> None:
    """A model that casts without mercy, so that DuckDB's message repeats the canary's name. The CRM alone delivers."""
    sources = load_configuration(fresh.settings, fresh.environment).sources
    fresh.switch_off(*(source.name for source in sources if source.name != "crm"))
    model = fresh.check_out() / "dbt_project" / "models" / "staging" / "stg_crm__contacts.sql"
    merciful = "select * from cast_and_trimmed"
    text = model.read_text()
    assert merciful in text
    cast = "(case when last_name like 'Zzyzx%' then last_name::integer end)::text"
    merciless = f"select * replace ({cast} as job_title) from cast_and_trimmed"
    model.write_text(f"{{{{ config(materialized='{materialized}') }}}}\n{text.replace(merciful, merciless)}")

    failed = fresh.run()

    assert failed.returncode == 1, said(failed)
    assert sentence in said(failed)
    assert "Traceback" not in said(failed)
    found = assert_nothing_leaked(fresh, said(failed))
    assert "build/errors.log" in found, "the engine's own words must name the canary"
    assert not any(path.startswith("published") for path in found)
    told = fresh.call("status")
    assert sentence in said(told)
    assert CANARY not in said(told)
