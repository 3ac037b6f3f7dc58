"""The pipeline on public data of real shops and of persons with known truth; only mapping YAML knows these files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR
from pipelines.warehouse import connect
from tests.conftest import SHARED_DATA
from tests.integration.company import Company, copy_configuration, said
from tests.sharing import make_once

pytestmark = pytest.mark.slow

CONFIG = PROJECT_DIR / "tests" / "fixtures" / "real" / "config"


@pytest.fixture(scope="module")
def company(shared_folder: Path) -> Company:
    """One company of all public files, after one published run; do not change it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets are not beside this checkout")
    public_data = {"KUNDENSTAMM_PUBLIC_DATA": str(SHARED_DATA)}

    def make(folder: Path) -> None:
        company = Company(folder, public_data)
        copy_configuration(company.config, CONFIG)
        done = company.run()
        assert done.returncode == 0, said(done)

    return Company(make_once(shared_folder / "public-company", make), public_data)


def test_revenue_of_a_real_shop_equals_the_sum_over_its_file_to_the_last_digit(company: Company) -> None:
    file = SHARED_DATA / "shop" / "online_retail_2009_2010.parquet"
    with connect(None, company.settings) as connection:
        [(lines, distinct_lines, orders, expected)] = connection.execute(
            f"""
            select
                count(*), (select count(*) from (select distinct * from '{file}')), count(distinct Invoice),
                sum(Quantity * Price::decimal(18, 4))
            from '{file}'
            """
        ).fetchall()
    assert lines - distinct_lines == 6865, "exact duplicates are real lines and are kept"
    assert company.query("select count(*) from marts.order_lines") == [(lines,)]
    assert company.query(
        "select delivered_count, new_count, repeated_count, rejected_count from audit.reconciliation "
        "where entity = 'order_lines'"
    ) == [(lines, lines, 0, 0)]
    [(published_orders, revenue)] = company.query("select count(*), sum(revenue_amount) from marts.orders")
    assert published_orders == orders
    assert isinstance(revenue, Decimal)
    assert revenue == expected
    [(unassigned,)] = company.query(
        "select count(*) from marts.orders where customer_id is null and unassigned_reason is null"
    )
    assert unassigned == 0


def test_two_registers_of_the_same_persons_are_joined_as_the_truth_says(company: Company) -> None:
    truth = f"""
        select source_record_id as record_id, customer_id, coalesce(a.person, b.person) as person
        from marts.source_record_keys
        left join read_csv('{SHARED_DATA}/identity/febrl4_a_truth.csv', all_varchar = true) a
            on source_system = 'crm' and a.record_id = source_record_id
        left join read_csv('{SHARED_DATA}/identity/febrl4_b_truth.csv', all_varchar = true) b
            on source_system = 'shop' and b.record_id = source_record_id
        where source_system in ('crm', 'shop')
    """
    counts = company.query(
        f"""
        with records as ({truth}),
        pairs as (
            select customer_id, person, count(*) * (count(*) - 1) / 2 as pairs
            from records group by grouping sets ((customer_id), (person), (customer_id, person))
        )
        select
            sum(pairs) filter (where customer_id is not null and person is not null) as both,
            sum(pairs) filter (where person is null) as found,
            sum(pairs) filter (where customer_id is null) as true_pairs
        from pairs
        """,
        restricted=True,
    )
    [(both, found, true_pairs)] = counts
    assert both / found >= 0.99
    assert both / true_pairs >= 0.99
