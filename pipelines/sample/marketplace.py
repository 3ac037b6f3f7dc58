"""The marketplace: orders of people who have no account with us, mostly behind a relay address. Exported as JSON lines.

Add here what the marketplace tells a seller; what every shop has in common is in `retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.behaviour import MARKETPLACE
from pipelines.sample.chance import Calendar, Chance
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.records import blank_records
from pipelines.sample.retail import add_totals, fill_orders, number_orders, place_orders
from pipelines.sample.shop import BUYER_COLUMNS, mark_orders
from pipelines.sample.writing import JsonLines, iso_moments

FEE_SHARE = 0.12
FORMAT = JsonLines()


@dataclass(frozen=True)
class Marketplace:
    orders: pd.DataFrame
    lines: pd.DataFrame


def open_marketplace(
    persons: pd.DataFrame, products: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates
) -> Marketplace:
    """All sales over the marketplace until the day before as_of; each order carries what its buyer typed there."""
    buyers = persons[persons["in_market"]].reset_index(drop=True)
    random = chance.stream("marketplace")
    orders = place_orders(buyers, MARKETPLACE, 0.0, calendar, random)
    orders = mark_orders(number_orders(orders, "M-", chance.number(300_001), calendar, random))
    lines = fill_orders(orders, products, chance, "marketplace lines", is_net=False)
    add_totals(orders, lines, is_net=False)
    # The marketplace knows its buyers once, so what one of them typed is on all orders.
    typed = apply_noises(blank_records(buyers), "market", rates, chance)
    columns = [*BUYER_COLUMNS, "full_name", "person"]
    found = typed[columns].take(orders["buyer"].to_numpy()).reset_index(drop=True)
    return Marketplace(orders.assign(**{name: found[name] for name in columns}), lines)


def export_marketplace(marketplace: Marketplace) -> dict[str, pd.DataFrame]:
    """The marketplace's own field names; amounts as numbers with two decimals."""
    orders, lines = marketplace.orders, marketplace.lines
    return {
        "sales": pd.DataFrame(
            {
                "saleId": orders["order_no"],
                "soldAt": iso_moments(orders["ordered_at"]),
                "buyerMail": orders["email"],
                "buyerFirstName": orders["first_name"],
                "buyerLastName": orders["last_name"].fillna(orders["full_name"]),
                "shipStreet": orders["street_name"] + " " + orders["house_number"],
                "shipZip": orders["postal_code"],
                "shipCity": orders["city"],
                "shipCountry": "DE",
                "currency": "EUR",
                "items": orders["goods"] / 100,
                "discount": orders["discount"] / 100,
                "shipping": orders["shipping"] / 100,
                "tax": orders["tax"] / 100,
                "total": orders["total"] / 100,
                "fee": np.rint(orders["total"] * FEE_SHARE) / 100,
            }
        ),
        "sale_items": pd.DataFrame(
            {
                "itemId": lines["line_no"],
                "saleId": lines["order_no"],
                "sku": lines["product_no"],
                "qty": lines["quantity"],
                "unitPrice": lines["unit"] / 100,
                "discount": lines["discount"] / 100,
                "taxRate": lines["tax_percent"] / 100,
                "tax": lines["tax"] / 100,
            }
        ),
    }
