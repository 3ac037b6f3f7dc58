"""What holds for any records: the same ids for the same input, in any order, whatever strangers come along."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.resolve.conftest import Resolve
from tests.unit.resolve.test_resolve import make_people

NAMES = ("Anna", "Bernd", "Anne", "A.", None)
FAMILIES = ("Schmidt", "Weber", "Schmitt", None)
MAILBOXES = ("a@x.de", "familie@x.de", None)
PHONES = ("+493012345", "+493067890", None)


@st.composite
def households(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few records that share names, mailboxes and phones in any combination."""
    rows = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "first_name": st.sampled_from(NAMES),
                    "last_name": st.sampled_from(FAMILIES),
                    "email": st.sampled_from(MAILBOXES),
                    "phone": st.sampled_from(PHONES),
                    "source_system": st.sampled_from(("crm", "shop")),
                }
            ),
            min_size=2,
            max_size=7,
        )
    )
    return [{"record_key": f"r_{i}", **row} for i, row in enumerate(rows)]


STRANGERS = [{**row, "record_key": f"s_{row['record_key']}"} for row in make_people(6)]
ANY = settings(max_examples=3, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY
@given(rows=households(), seed=st.integers(0, 10**6))
def test_the_order_of_rows_and_sources_changes_no_id(resolve: Resolve, rows: list[dict[str, Any]], seed: int) -> None:
    first = resolve(rows)
    again = resolve(random.Random(seed).sample(rows, len(rows)))
    assert again.customer_of == first.customer_of
    assert again.history == first.history


@ANY
@given(rows=households())
def test_strangers_who_come_along_change_nobody_s_customer(resolve: Resolve, rows: list[dict[str, Any]]) -> None:
    alone = resolve(rows)
    among = resolve([*STRANGERS, *rows])
    assert {key: among.customer_of[key] for key in alone.customer_of} == alone.customer_of
