"""The support desk: users, tickets and ratings; exported as JSON lines.

Add here what the desk knows and how it words it. Spoiled values are noise, not part of this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Calendar, Chance, Random, draw, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.records import keep_records, later
from pipelines.sample.shop import Shop
from pipelines.sample.writing import JsonLines, iso_moments

TICKETS_PER_USER = 1.0  # beside those about troubles with orders
OPEN_URGENT_SHARE = 0.015  # of the users
OPEN_SHARE = 0.04  # of the tickets that are not recent
ABOUT_ORDER_SHARE = 0.5
RATED_SHARE = 0.35
OPEN_STATES = ("new", "open", "pending", "hold")
FORMAT = JsonLines()


@dataclass(frozen=True)
class Support:
    users: pd.DataFrame
    tickets: pd.DataFrame
    ratings: pd.DataFrame


def keep_support(persons: pd.DataFrame, shop: Shop, calendar: Calendar, chance: Chance, rates: Rates) -> Support:
    """Everything the support desk knows on the day before as_of."""
    users = keep_records(persons[persons["in_support"]], "support", "", 900_001, calendar, chance, rates)
    tickets = open_tickets(users, shop, calendar, chance)
    tickets = apply_noises(tickets, "tickets", rates, chance)
    return Support(users, tickets, rate_service(users, tickets, calendar, chance))


def open_tickets(users: pd.DataFrame, shop: Shop, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per ticket: `user` (row of `users`), subject, priority, state, order, and when what happened.

    Every trouble with an order of somebody who asks becomes a ticket about that order; those that `behaviour` left
    unsolved are open to this day, and made people stop buying.
    """
    random = chance.stream("tickets")
    trouble = find_troubles(users, shop)
    usual = np.repeat(np.arange(len(users)), random.poisson(TICKETS_PER_USER, len(users)))
    urgent = choose_angry_users(users, shop, random)
    user = np.concatenate([usual, trouble["user"].to_numpy(), urgent]).astype(int)
    size, rest = len(user), len(usual) + len(trouble)
    is_urgent, is_trouble = np.arange(size) >= rest, (np.arange(size) >= len(usual)) & (np.arange(size) < rest)
    since = users["since_days"].to_numpy()[user]
    days = np.where(is_urgent, np.minimum(since, random.integers(1, 21, size)), later(since, random))
    days[is_trouble] = np.maximum(trouble["days_ago"].to_numpy() - random.integers(1, 6, len(trouble)), 1)
    is_unsolved = np.zeros(size, dtype=bool)
    is_unsolved[is_trouble] = trouble["is_unsolved"].to_numpy()
    tickets = pd.DataFrame({"user": user, "days_ago": days})
    subject = random.integers(0, len(vocabulary.TICKET_SUBJECTS), size)
    # The first subjects of the list are about deliveries, returns and defects.
    subject = np.where(is_trouble, random.integers(0, vocabulary.TROUBLE_SUBJECTS, size), subject)
    for position, column in enumerate(("subject", "category")):
        tickets[column] = pick(texts([s[position] for s in vocabulary.TICKET_SUBJECTS]), subject)
    priority = np.array(["P4", "P3", "P2", "P1"], dtype=object)[random.choice(4, size, p=[0.20, 0.60, 0.17, 0.03])]
    # Urgent tickets that nobody was chosen for are solved: the share of angry users is set above, not by chance.
    tickets["priority"] = texts(np.where(is_urgent, "P1", np.where(is_unsolved, "P2", priority)))
    solved_days = days - random.integers(1, 15, size)
    is_open = is_urgent | is_unsolved | (solved_days < 1) | (random.random(size) < OPEN_SHARE)
    is_open &= is_urgent | (tickets["priority"] != "P1").to_numpy()
    states = draw_texts(random, OPEN_STATES, size, [2, 5, 2, 1])
    tickets["state"] = states.where(is_open, draw_texts(random, ["solved", "closed"], size))
    created = calendar.moments(days, random)
    replied = created + random.integers(300, 2 * 3600, size).astype("timedelta64[s]")
    solved = np.maximum(calendar.moments(np.maximum(solved_days, 1), random), replied + np.timedelta64(1, "h"))
    tickets["created_at"] = created
    tickets["first_reply_at"] = pd.Series(replied).where(tickets["state"] != "new")
    tickets["solved_at"] = pd.Series(solved).where(~is_open)
    tickets["updated_at"] = tickets[["created_at", "first_reply_at", "solved_at"]].max(axis=1)
    tickets["reopened"] = 0
    tickets["channel"] = draw_texts(random, ["email", "web", "phone", "chat"], size, [5, 3, 1, 1])
    tickets["order_no"] = find_orders(tickets, users, shop).where(random.random(size) < ABOUT_ORDER_SHARE)
    about = np.full(size, None, dtype=object)
    about[is_trouble] = trouble["order_no"].to_numpy(dtype=object)
    tickets["order_no"] = tickets["order_no"].mask(is_trouble, texts(about))
    tickets["requester"] = pick(users["record_id"], user)
    tickets = tickets.sort_values(["created_at", "user"], kind="stable", ignore_index=True)
    tickets["ticket_no"] = numbers_as_texts(np.arange(size) + chance.number(40_001))
    return tickets


def find_troubles(users: pd.DataFrame, shop: Shop) -> pd.DataFrame:
    """One row per order that gave trouble to somebody whom the desk knows: `user`, `order_no`, `days_ago`."""
    first = users[users["copy_of"] < 0]
    orders = shop.orders.loc[shop.orders["has_trouble"], ["person", "order_no", "days_ago", "is_unsolved"]]
    user = orders["person"].map(pd.Series(first.index, index=first["person"]))
    return orders.assign(user=user)[user.notna().to_numpy()].astype({"user": int}).reset_index(drop=True)


def choose_angry_users(users: pd.DataFrame, shop: Shop, random: Random) -> Array:
    """Rows of the users with an open urgent ticket; half of them were among the best customers and lapsed."""
    first = np.flatnonzero(users["copy_of"].to_numpy() < 0)
    wanted = max(2, round(len(first) * OPEN_URGENT_SHARE))
    ranks = pd.Series(np.arange(len(shop.lapsed_best)), index=shop.lapsed_best)
    rank = users["person"].iloc[first].map(ranks).to_numpy(dtype=float)
    # Even ranks agreed to e-mails (see the CRM), every twelfth withdrew: these would be written to.
    best = first[(rank % 2 == 0) & (rank % 12 != 0)][: (wanted + 1) // 2]
    others = np.setdiff1d(first, best)
    return np.concatenate([best, random.permutation(others)[: wanted - len(best)]])


def find_orders(tickets: pd.DataFrame, users: pd.DataFrame, shop: Shop) -> pd.Series[str]:
    """The requester's latest order before the ticket, where there is one."""
    person = pick(users["person"], tickets["user"].to_numpy())
    asked = pd.DataFrame({"at": tickets["created_at"], "person": person})
    asked["row"] = np.arange(len(asked))
    orders = shop.orders[["ordered_at", "person", "order_no"]].rename(columns={"ordered_at": "at"})
    found = pd.merge_asof(
        asked.sort_values(["at", "row"]), orders.sort_values(["at", "order_no"]), on="at", by="person"
    )
    return texts(found.sort_values("row")["order_no"])


def rate_service(users: pd.DataFrame, tickets: pd.DataFrame, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per answer: satisfaction with a solved ticket (csat, 1 to 5) or with the company (nps, 0 to 10)."""
    random = chance.stream("ratings")
    solved = np.flatnonzero(tickets["solved_at"].notna().to_numpy() & (random.random(len(tickets)) < RATED_SHARE))
    csat = pd.DataFrame({"user": tickets["user"].to_numpy()[solved], "kind": "csat", "scale_max": 5})
    csat["score"] = draw(random, [1, 2, 3, 4, 5], len(solved), [8, 7, 15, 30, 40]).astype(int)
    csat["ticket"] = pick(tickets["ticket_no"], solved)
    csat["rated_at"] = (tickets["solved_at"].iloc[solved] + pd.Timedelta(minutes=20)).to_numpy()
    asked = np.flatnonzero(random.random(len(users)) < 0.2)
    nps = pd.DataFrame({"user": asked, "kind": "nps", "scale_max": 10})
    nps["score"] = np.clip(np.rint(random.normal(7.4, 2.2, len(asked))), 0, 10).astype(int)
    nps["rated_at"] = calendar.moments(later(users["since_days"].to_numpy()[asked], random), random)
    ratings = pd.concat([csat, nps], ignore_index=True)
    ratings["comment"] = draw_texts(random, vocabulary.RATING_COMMENTS, len(ratings)).where(
        random.random(len(ratings)) < 0.3
    )
    ratings["user_no"] = pick(users["record_id"], ratings["user"].to_numpy())
    ratings["rating_no"] = numbers_as_texts(np.arange(len(ratings)) + chance.number(7_001))
    return ratings


def export_support(support: Support) -> dict[str, pd.DataFrame]:
    """The desk's own tables with the desk's own field names, times as ISO 8601 text, numbers as numbers."""
    users, tickets, ratings = support.users, support.tickets, support.ratings
    return {
        "users": pd.DataFrame(
            {
                "id": users["record_id"].astype(int),
                "name": users["full_name"],
                "given_name": users["first_name"],
                "family_name": users["last_name"],
                "email": users["email"],
                "phone": users["mobile"].fillna(users["phone"]),
                "locale": "de",
                "created": iso_moments(users["created_at"]),
                "updated": iso_moments(users["updated_at"]),
            }
        ),
        "tickets": pd.DataFrame(
            {
                "id": tickets["ticket_no"].astype(int),
                "requester": tickets["requester"].astype("Int64"),
                "subject": tickets["subject"],
                "topic": tickets["category"],
                "priority": tickets["priority"],
                "state": tickets["state"],
                "via": tickets["channel"],
                "order_no": tickets["order_no"],
                "reopened": tickets["reopened"],
                "created": iso_moments(tickets["created_at"]),
                "updated": iso_moments(tickets["updated_at"]),
                "first_reply": iso_moments(tickets["first_reply_at"]),
                "solved": iso_moments(tickets["solved_at"]),
            }
        ),
        "ratings": pd.DataFrame(
            {
                "id": ratings["rating_no"].astype(int),
                "user": ratings["user_no"].astype(int),
                "ticket": ratings["ticket"].astype("Int64"),
                "kind": ratings["kind"],
                "score": ratings["score"],
                "scale_max": ratings["scale_max"],
                "comment": ratings["comment"],
                "rated": iso_moments(ratings["rated_at"]),
            }
        ),
    }
