"""The shop's numbers agree to the cent, and its figures are those of a real one."""

from __future__ import annotations

import numpy as np
from duckdb import DuckDBPyConnection

from pipelines.sample.retail import rounded_share
from tests.unit.sample.conftest import AS_OF, CUSTOMERS, figure


def test_the_tax_of_a_line_is_the_part_contained_in_what_was_paid(tables: DuckDBPyConnection) -> None:
    wrong = """select count(*) from order_lines
        where vat <> (qty * unit_price - discount)
            - round((qty * unit_price - discount)::double / (1 + vat_rate)::double, 2)::decimal(18, 2)"""
    assert figure(tables, wrong) == 0
    assert figure(tables, "select count(*) from order_lines where discount < 0 or discount >= qty * unit_price") == 0
    assert set(tables.execute("select distinct vat_rate::text from order_lines").fetchall()) == {("0.07",), ("0.19",)}


def test_the_amounts_of_an_order_are_the_sums_of_its_lines(tables: DuckDBPyConnection) -> None:
    wrong = """
        select count(*) from orders join (
            select order_no, sum(qty * unit_price) goods, sum(discount) discount, sum(vat) vat, count(*) lines
            from order_lines group by order_no
        ) using (order_no)
        where items_total <> goods or discount_total <> discount or tax_total <> vat
            or grand_total <> goods - discount + shipping or lines not between 1 and 5
    """
    assert figure(tables, wrong) == 0
    assert figure(tables, "select count(*) - (select count(distinct order_no) from order_lines) from orders") == 0


def test_a_refund_is_what_was_paid_for_the_returned_quantity(tables: DuckDBPyConnection) -> None:
    wrong = """
        select count(*) from returns r join order_lines l using (line_no)
        where r.order_no <> l.order_no or r.qty not between 1 and l.qty
            or abs(refund - (l.qty * unit_price - discount)::double * r.qty / l.qty) > 0.005000001
    """
    assert figure(tables, wrong) == 0
    assert figure(tables, "select count(*) - count(distinct line_no) from returns") == 0
    assert (
        figure(tables, "select count(*) from returns join orders using (order_no) where cancelled_at is not null") == 0
    )


def test_shares_of_cents_are_rounded_half_up() -> None:
    assert rounded_share(np.array([1, 3, 100]), np.array([1, 1, 100]), np.array([2, 2, 119])).tolist() == [1, 2, 84]


def test_every_reference_of_the_shop_leads_somewhere(tables: DuckDBPyConnection) -> None:
    for child, column, parent in [
        ("orders", "customer_no", "customers"),
        ("order_lines", "order_no", "orders"),
        ("order_lines", "product_no", "products"),
        ("returns", "line_no", "order_lines"),
        ("tickets", "order_no", "orders"),
    ]:
        lost = f"select count(*) from {child} anti join {parent} using ({column}) where {child}.{column} is not null"
        assert figure(tables, lost) == 0, child
    for table, key in [("customers", "customer_no"), ("orders", "order_no"), ("order_lines", "line_no")]:
        assert figure(tables, f"select count(*) - count(distinct {key}) from {table}") == 0


def test_orders_cancellations_and_returns_are_as_frequent_as_in_a_real_shop(tables: DuckDBPyConnection) -> None:
    orders = figure(tables, "select count(*) from orders")
    assert 1.9 < orders / (0.75 * CUSTOMERS) < 2.6
    assert 0.02 < figure(tables, "select count(cancelled_at) / count(*) from orders") < 0.04
    assert figure(tables, "select count(*) from orders where (state = 'storniert') <> (cancelled_at is not null)") == 0
    assert 0.04 < figure(tables, "select (select count(*) from returns) / count(*) from order_lines") < 0.07
    assert figure(tables, "select max(n) from (select count(*) n from orders group by customer_no)") > 12
    oldest = figure(tables, f"select date_diff('day', min(placed_at)::date, date '{AS_OF}') from orders")
    assert 1000 < oldest <= 1095


LAPSED_BEST = """
    with buyers as (
        select coalesce(c.person, g.person) as person, placed_at, grand_total, cancelled_at
        from orders o
        left join persons c on c.entity = 'customers' and c.source_record_id = o.customer_no
        left join persons g on g.entity = 'orders' and g.source_record_id = o.order_no
    ),
    spending as (
        select person, max(placed_at) as last_at,
            sum(grand_total) filter (where cancelled_at is null and placed_at >= date '{0}' - 730) as spent
        from buyers where person is not null group by person
    ),
    best as (select *, percent_rank() over (order by spent) as rank from spending where spent > 0),
    lapsed as (select person from best where rank >= 0.8 and last_at < date '{0}' - 180),
    mailable as (
        select distinct person from permissions join persons
            on entity = 'contacts' and source_record_id = "Kontakt-Nr"
        where Kanal = 'E-Mail' and {1}
    )
    select count(*) from lapsed join mailable using (person)
"""


def test_some_of_the_best_customers_lapsed_and_may_be_written_to_and_some_may_not(tables: DuckDBPyConnection) -> None:
    confirmed = "\"Bestätigt am\" is not null and Stand = 'erteilt'"
    audience = figure(tables, LAPSED_BEST.format(AS_OF, confirmed))
    assert audience / CUSTOMERS > 0.01
    assert figure(tables, LAPSED_BEST.format(AS_OF, "Stand = 'widerrufen'")) >= 2
    angry = (
        LAPSED_BEST.format(AS_OF, confirmed)
        + """
        where person in (
            select person from tickets join persons on entity = 'users' and source_record_id = requester::text
            where priority = 'P1' and state in ('new', 'open', 'pending', 'hold')
        )"""
    )
    assert figure(tables, angry) >= 2


def test_few_users_have_an_open_urgent_ticket(tables: DuckDBPyConnection) -> None:
    share = """select count(distinct requester) / (select count(*) from users) from tickets
        where priority = 'P1' and state in ('new', 'open', 'pending', 'hold')"""
    assert 0.01 <= figure(tables, share) <= 0.02
