"""People buy as the model says: often enough, in season, less after bad service, more after a campaign that works."""

from __future__ import annotations

import numpy as np
import pytest
from duckdb import DuckDBPyConnection
from scipy.special import hyp2f1

from pipelines.sample.behaviour import (
    MAIL_ORDER,
    MARKETPLACE,
    MONTHS,
    SHOP,
    TILLS,
    Habits,
    basket_quantities,
    purchase,
    season_clock,
)
from pipelines.sample.campaigns import CAMPAIGNS, CONTROL_SHARE, WINDOW_DAYS, invite
from pipelines.sample.chance import Calendar, Chance
from pipelines.sample.persons import create_persons
from tests.unit.sample.conftest import AS_OF, figure

CALENDAR = Calendar.at(AS_OF)
PEOPLE = 40_000


def expected_further_purchases(habits: Habits, t: float) -> float:
    """Equation (9) of Fader, Hardie and Lee (2005)."""
    r, alpha, a, b = habits.r, habits.alpha, habits.a, habits.b
    hyper = hyp2f1(r, b, a + b - 1, t / (alpha + t))
    return float((a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyper))


@pytest.mark.parametrize("habits", [SHOP, MAIL_ORDER, TILLS], ids=["shop", "mail order", "tills"])
@pytest.mark.parametrize("since", [180, 900])
def test_purchases_are_as_many_as_the_model_expects(habits: Habits, since: int) -> None:
    clock = season_clock(CALENDAR)
    bought = purchase(np.full(PEOPLE, since), habits, CALENDAR, np.random.default_rng(1))
    expected = expected_further_purchases(habits, clock[-1] - clock[-1 - since])
    assert len(bought) / PEOPLE - 1 == pytest.approx(expected, rel=0.05)


def test_nobody_buys_before_the_first_contact_or_after_yesterday() -> None:
    since = np.random.default_rng(2).integers(1, 1095, 5000)
    bought = purchase(since, MARKETPLACE, CALENDAR, np.random.default_rng(1))
    assert (bought["days_ago"].to_numpy() <= since[bought["buyer"].to_numpy()]).all()
    assert bought["days_ago"].min() == 1
    assert set(bought["buyer"]) == set(range(5000))


def test_people_buy_in_season() -> None:
    bought = purchase(np.full(PEOPLE, 1095), TILLS, CALENDAR, np.random.default_rng(1))
    later = bought[bought.duplicated("buyer")]
    month = CALENDAR.days(later["days_ago"].to_numpy()).astype("datetime64[M]")
    november, december, january = ((month == np.datetime64(m)).sum() for m in ("2025-11", "2025-12", "2026-01"))
    # Compared with the months on both sides, people who leave meanwhile make no difference.
    assert december / (november + january) == pytest.approx(MONTHS[11] / (MONTHS[10] + MONTHS[0]), rel=0.05)


def test_few_lines_hold_much_of_the_quantity() -> None:
    pieces = np.sort(basket_quantities(200_000, np.random.default_rng(1)))[::-1]
    assert pieces[:2000].sum() / pieces.sum() > 0.12
    assert pieces[:2000].mean() > 10 * pieces.mean()
    assert np.median(pieces) == 1


def test_unsolved_troubles_drive_people_away(tables: DuckDBPyConnection) -> None:
    goes_on = """
        with ordered as (
            select coalesce(c.person, g.person) as person, order_no, placed_at,
                lead(placed_at) over (
                    partition by coalesce(c.person, g.person) order by placed_at
                ) is not null as returns
            from orders
            left join persons c on c.source_system = 'shop' and c.entity = 'customers'
                and c.source_record_id = customer_no
            left join persons g on g.source_system = 'shop' and g.entity = 'orders' and g.source_record_id = order_no
        )
        select avg(returns::int) from ordered join tickets using (order_no)
        where placed_at < date '{0}' - 120 and tickets.created < placed_at + interval 8 day
            and priority is distinct from 'P1' and state {1} in ('new', 'open', 'pending', 'hold')
    """
    unsolved = figure(tables, goes_on.format(AS_OF, ""))
    solved = figure(tables, goes_on.format(AS_OF, "not"))
    assert unsolved < solved - 0.15


def test_a_campaign_has_the_effect_that_the_truth_states(tables: DuckDBPyConnection) -> None:
    chance = Chance(1)
    persons = create_persons(60_000, CALENDAR, chance)
    invitations = invite(persons, chance)
    in_shop = persons["in_shop"].to_numpy()[invitations["row"].to_numpy()]
    for number, campaign in enumerate(CAMPAIGNS):
        rows = invitations[(invitations["campaign"] == number) & in_shop]
        control = rows[rows["is_control"]]
        assert len(control) / len(rows) == pytest.approx(CONTROL_SHARE, abs=0.02)
        assert not control["orders_more"].any()
        assert rows.loc[~rows["is_control"], "orders_more"].mean() == pytest.approx(campaign.uplift, abs=0.012)
        stated = "select uplift from campaigns where campaign_record_id = "
        assert figure(tables, f"{stated}'{campaign.record_id}'") == campaign.uplift


def test_the_variants_of_a_campaign_share_nobody() -> None:
    chance = Chance(1)
    invitations = invite(create_persons(5000, CALENDAR, chance), chance)
    numbers = [n for n, c in enumerate(CAMPAIGNS) if "N-107" in {c.record_id, c.variant_of}]
    one, two = (set(invitations.loc[invitations["campaign"] == n, "row"]) for n in numbers)
    assert len(one) > 200
    assert len(two) > 200
    assert one.isdisjoint(two)


def test_orders_that_a_campaign_caused_follow_it(tables: DuckDBPyConnection) -> None:
    late = f"""select count(*) from orders join campaigns on campaign_no = campaign_record_id
        where placed_at::date not between starts_on::date and starts_on::date + {WINDOW_DAYS}"""
    assert figure(tables, "select count(campaign_no) from orders") > 20
    assert figure(tables, late) == 0
