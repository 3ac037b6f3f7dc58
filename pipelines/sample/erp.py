"""The ERP system: invoices, when they were due and paid, dunning and disputes. Exported with tabs, Windows-1252.

Add here what accounting knows about orders of the shop; the orders themselves belong to `shop`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.chance import Calendar, Chance, numbers_as_texts
from pipelines.sample.retail import NOTHING
from pipelines.sample.shop import Shop
from pipelines.sample.writing import Csv, formatted, german_amounts, yes_or_no

BY_INVOICE_SHARE = 0.3  # of the orders; the others are paid at once and have no invoice here
DISPUTED_SHARE = 0.01
DUE_DAYS = 14
FORMAT = Csv(delimiter="\t")


def write_invoices(shop: Shop, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per invoice, in cents: every unpaid order has one, and `BY_INVOICE_SHARE` of the paid ones."""
    random = chance.stream("invoices")
    orders = shop.orders
    chosen = orders["cancelled_at"].isna() & (orders["is_unpaid"] | (random.random(len(orders)) < BY_INVOICE_SHARE))
    invoices = orders.loc[
        chosen, ["order_no", "customer_no", "ordered_at", "days_ago", "total", "dunning", "is_unpaid"]
    ]
    invoices = invoices.reset_index(drop=True)
    count = len(invoices)
    invoices["due_on"] = invoices["ordered_at"] + pd.Timedelta(days=DUE_DAYS)
    paid_days = np.maximum(invoices["days_ago"].to_numpy() - random.integers(2, 20, count), 1)
    paid = np.maximum(calendar.moments(paid_days, random), invoices["ordered_at"].to_numpy())
    invoices["paid_on"] = np.where(invoices["is_unpaid"], NOTHING, paid)
    invoices["is_disputed"] = invoices["is_unpaid"].to_numpy() & (random.random(count) < 0.2)
    invoices["is_disputed"] |= random.random(count) < DISPUTED_SHARE
    invoices["invoice_no"] = "RE" + numbers_as_texts(np.arange(count) + chance.number(800_001))
    return invoices


def export_erp(invoices: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The ERP's own short column names, everything as text."""
    return {
        "rechnungen": pd.DataFrame(
            {
                "BELNR": invoices["invoice_no"],
                "BESTNR": invoices["order_no"],
                "KUNNR": invoices["customer_no"],
                "BLDAT": formatted(invoices["ordered_at"], "%d.%m.%Y"),
                "FAEDT": formatted(invoices["due_on"], "%d.%m.%Y"),
                "AUGDT": formatted(invoices["paid_on"], "%d.%m.%Y"),
                "MAHNS": invoices["dunning"].astype("str"),
                "STRIT": yes_or_no(invoices["is_disputed"]),
                "WRBTR": german_amounts(invoices["total"]),
                "WAERS": "EUR",
            }
        )
    }
