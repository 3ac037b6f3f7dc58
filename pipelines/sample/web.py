"""The web site: what browsers did, under anonymous ids of which some identify later. Exported as Parquet.

Only visits of people who agreed to be measured are here. Add here what the site measures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.campaigns import CAMPAIGNS
from pipelines.sample.chance import Calendar, Chance, Random, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.shop import Shop
from pipelines.sample.writing import Parquet

MEASURED_SHARE = 0.4  # of the online orders
IDLE_VISITS = 0.6  # per shop account, without an order
STRANGERS = 0.3  # visits by nobody we know, per shop account
STEPS = ("page_view", "product_view", "add_to_cart", "purchase")
HOST = "https://www.beispiel-handel.example"
SOURCES = (("google", "organic"), ("google", "cpc"), ("newsletter", "email"), ("", ""))
FORMAT = Parquet()


def measure(shop: Shop, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per event, by visit: a visit looks around, some log in on the way, and some end with an order."""
    random = chance.stream("web")
    visits = pd.concat([_buying_visits(shop, random), _idle_visits(shop, calendar, random)], ignore_index=True)
    count = len(visits)
    visits["session"] = "s" + numbers_as_texts(np.arange(count) + chance.number(1), 8)
    # A browser belongs to a buyer; strangers have one each. Some people clean up and get a new one.
    owner = np.where(visits["buyer"] >= 0, visits["buyer"], len(shop.customers) + np.arange(count))
    browser = owner.astype(np.int64) * 3 + (random.random(count) < 0.2)
    visits["anonymous"] = "a" + numbers_as_texts(browser + chance.number(1), 9)
    source = random.choice(len(SOURCES), count, p=[0.35, 0.2, 0.15, 0.3])
    for position, column in enumerate(("utm_source", "utm_medium")):
        visits[column] = pick(texts([s[position] or None for s in SOURCES]), source)
    campaign = draw_texts(random, [c.record_id for c in CAMPAIGNS], count)
    visits["utm_campaign"] = campaign.where(visits["utm_medium"] == "email")
    click = "gc" + numbers_as_texts(random.integers(10**9, 10**10, count))
    visits["click_id"] = click.where(visits["utm_medium"] == "cpc")
    visits["device"] = draw_texts(random, ["mobile", "desktop", "tablet"], count, [60, 34, 6])
    visits["product"] = pick(shop.products["product_no"], random.integers(0, len(shop.products), count))
    visits["logs_in"] = (visits["buyer"].to_numpy() >= 0) & (random.random(count) < 0.5)
    return _events(visits, shop, random)


def _buying_visits(shop: Shop, random: Random) -> pd.DataFrame:
    orders = shop.orders
    measured = (orders["channel"] != "filiale") & (random.random(len(orders)) < MEASURED_SHARE)
    chosen = orders[measured]
    row = pd.Series(np.arange(len(shop.customers)), index=shop.customers["record_id"])
    return pd.DataFrame(
        {
            "buyer": chosen["customer_no"].map(row).fillna(-1).astype(int).to_numpy(),
            "order_no": chosen["order_no"].to_numpy(),
            "email": chosen["email"].to_numpy(),
            "ends_at": chosen["ordered_at"].to_numpy(),
            "steps": len(STEPS),
        }
    )


def _idle_visits(shop: Shop, calendar: Calendar, random: Random) -> pd.DataFrame:
    accounts = len(shop.customers)
    known = np.repeat(np.arange(accounts), random.poisson(IDLE_VISITS, accounts))
    strangers = np.full(random.poisson(STRANGERS * accounts), -1)
    buyer = np.concatenate([known, strangers])
    return pd.DataFrame(
        {
            "buyer": buyer,
            "order_no": texts([None] * len(buyer)),
            "email": texts([None] * len(buyer)),
            "ends_at": calendar.moments(random.integers(1, 400, len(buyer)), random),
            "steps": random.integers(1, 3, len(buyer)),
        }
    )


def _events(visits: pd.DataFrame, shop: Shop, random: Random) -> pd.DataFrame:
    steps = visits["steps"].to_numpy()
    visit = np.repeat(np.arange(len(visits)), steps)
    step = np.arange(len(visit)) - np.repeat(np.cumsum(steps) - steps, steps)
    left = (steps[visit] - 1 - step).astype("timedelta64[s]")
    pause = random.integers(20, 240, len(visit)).astype("timedelta64[s]")
    # The last event of a visit is at its end; earlier ones are a minute or more before the next.
    happened = visits["ends_at"].to_numpy()[visit] - left * 300 - np.where(left.astype(int) > 0, pause, pause * 0)
    # Who logs in does so after the first page; from then on events name the account.
    named = visits["logs_in"].to_numpy()[visit] & (step > 0)
    buyer = visits["buyer"].to_numpy()[visit]
    last = step == steps[visit] - 1
    events = pd.DataFrame(
        {"anonymousId": pick(visits["anonymous"], visit), "sessionId": pick(visits["session"], visit)}
    )
    events["eventId"] = events["sessionId"] + "." + numbers_as_texts(step)
    account = pd.concat([shop.customers["record_id"], texts([None])], ignore_index=True)
    events["userId"] = pick(account, np.where(named, buyer, len(account) - 1))
    events["email"] = pick(visits["email"], visit).where(last & named)
    events["event"] = pick(texts(STEPS), step)
    product = pick(visits["product"], visit)
    events["productId"] = product.where((step > 0) & (step < 3))
    path = "/artikel/" + product.str.lower()
    events["url"] = HOST + path.where(step > 0, "/")
    events["referrer"] = texts(["https://www.google.com/"] * len(events)).where(
        (step == 0) & (pick(visits["utm_source"], visit) == "google")
    )
    for column in ("utm_source", "utm_medium", "utm_campaign", "click_id"):
        events[column] = pick(visits[column], visit).where(step == 0)
    events["orderId"] = pick(visits["order_no"], visit).where(events["event"] == "purchase")
    events["device"] = pick(visits["device"], visit)
    events["country"] = "DE"
    events["consent"] = "granted"
    return events.assign(at=happened)


def export_web(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The site's own field names."""
    return {"events": events}
