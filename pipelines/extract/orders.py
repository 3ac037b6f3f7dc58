"""Orders of a flat export: one row per order line with the order's attributes on every line.

Add here what turns lines into orders. The lines themselves are landed like any other entity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.entities import ENTITIES, SYSTEM_COLUMNS
from pipelines.extract.fields import ORDER_PREFIX
from pipelines.extract.landing import column_names
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ORDERS = ENTITIES["shop", "orders"]


def derive_orders(connection: DuckDBPyConnection) -> int:
    """Replace `arrived`, order lines whose fates are in `judged`, by their orders and return how many there are.

    An order is every `order_record_id` of a kept, live line; each attribute is the first that is filled in file order.
    Orders of rejected lines become `protected`: they are not absent because a line of theirs is broken.
    """
    lines = set(column_names(connection, "arrived"))
    columns = [c.name for c in (*ORDERS.columns, *SYSTEM_COLUMNS[1:]) if ORDER_PREFIX + c.name in lines]
    attributes = "".join(
        f", arg_min({carried}, _row) filter (where {carried} is not null) as {identifier(name)}"
        for name in columns
        for carried in [identifier(ORDER_PREFIX + name)]
    )
    connection.execute(
        f"""
        create or replace temp table derived as
        with orders as (
            select min(_row) as _row, order_record_id as source_record_id{attributes}
            from judged
            where fate in ('new', 'changed', 'unchanged', 'revived') and not is_gone and order_record_id is not null
            group by order_record_id
        )
        select *, null::varchar as _field, null::varchar as _class, 0 as _rounded
        from orders
        """
    )
    connection.execute(
        """
        create or replace temp table protected as
        select distinct order_record_id as source_record_id
        from judged
        where fate = 'rejected' and order_record_id is not null
        """
    )
    connection.execute("delete from unreadable")
    connection.execute("drop table arrived")
    connection.execute("alter table derived rename to arrived")
    row = connection.execute("select count(*) from arrived").fetchone()
    return int(row[0]) if row else 0
