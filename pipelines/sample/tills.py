"""The tills in the branches: flat order lines without customers, some with a loyalty card; and the register of cards.

Exported as CSV with commas, one row per line with the receipt's attributes on it. Prices include tax. Add here what the
tills know; what every shop has in common is in `retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.behaviour import TILLS
from pipelines.sample.chance import Calendar, Chance, draw_texts, pick, texts
from pipelines.sample.noise import Rates
from pipelines.sample.records import keep_records
from pipelines.sample.retail import add_totals, fill_orders, number_orders, place_orders
from pipelines.sample.shop import mark_orders
from pipelines.sample.writing import Csv, formatted, local_moments, plain_amounts

VISITOR_SHARE = 0.15  # of the people without a card come to a branch now and then
CARD_SHOWN_SHARE = 0.9  # of the receipts of people with a card
BRANCHES = ("F01", "F02", "F07", "F11")
FORMAT = Csv(delimiter=",", encoding="utf-8", line_end="\n")


@dataclass(frozen=True)
class Tills:
    cards: pd.DataFrame
    lines: pd.DataFrame


def open_tills(
    persons: pd.DataFrame, products: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates
) -> Tills:
    """All receipts until the day before as_of. The tills sell what the shop sells, under the shop's numbers."""
    random = chance.stream("tills")
    comes = persons["in_cards"].to_numpy() | (random.random(len(persons)) < VISITOR_SHARE)
    visitors = persons[comes].reset_index(drop=True)
    receipts = place_orders(visitors, TILLS, 0.0, calendar, random)
    receipts = mark_orders(number_orders(receipts, "T", chance.number(500_001), calendar, random))
    lines = fill_orders(receipts, products, chance, "till lines", is_net=False)
    add_totals(receipts, lines, is_net=False, shipping=0)
    shown = pick(visitors["loyalty_number"], receipts["buyer"].to_numpy())
    receipts["card"] = shown.where(random.random(len(receipts)) < CARD_SHOWN_SHARE)
    receipts["branch"] = draw_texts(random, BRANCHES, len(receipts))
    carried = receipts[["ordered_at", "card", "branch", "total"]].take(lines["order"].to_numpy())
    lines = lines.join(carried.reset_index(drop=True))
    cards = keep_records(persons[persons["in_cards"]], "cards", "", 1, calendar, chance, rates)
    return Tills(cards.assign(record_id=cards["loyalty_number"]), lines)


def export_tills(tills: Tills) -> dict[str, pd.DataFrame]:
    """The tills' own tables with their own column names, everything as text."""
    lines, cards = tills.lines, tills.cards
    return {
        "receipt_lines": pd.DataFrame(
            {
                "line": lines["line_no"],
                "receipt": lines["order_no"],
                "branch": lines["branch"],
                "sold": formatted(local_moments(lines["ordered_at"]), "%Y-%m-%d %H:%M:%S"),
                "card": lines["card"],
                "article": lines["product_no"],
                "pieces": lines["quantity"].astype("str"),
                "price": plain_amounts(lines["unit"]),
                "reduction": plain_amounts(lines["discount"]),
                "vat_percent": lines["tax_percent"].astype("str"),
                "vat": plain_amounts(lines["tax"]),
                "receipt_total": plain_amounts(lines["total"]),
            }
        ),
        "cards": pd.DataFrame(
            {
                "card": cards["record_id"],
                "holder": texts(np.where(cards["first_name"].notna(), cards["first_name"], ""))
                + " "
                + cards["last_name"].fillna(""),
                "mail": cards["email"],
                "postal_code": cards["postal_code"],
                "town": cards["city"],
                "street": cards["street_name"] + " " + cards["house_number"],
                "born": formatted(cards["birth_date"], "%Y-%m-%d"),
                "issued": formatted(local_moments(cards["created_at"]), "%Y-%m-%d %H:%M:%S"),
            }
        ),
    }
