"""The mail-order house that was bought from a competitor: its own customer numbers, German columns, net prices.

Exported as UTF-8 with vertical bars, dates as 2026/11/21, clocks in Berlin. Companies buy here too, with VAT number and
in foreign currencies. Add here what this house knows; what every shop has in common is in `retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.behaviour import MAIL_ORDER
from pipelines.sample.chance import Calendar, Chance, pick, texts
from pipelines.sample.mishaps import FOREIGN
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.records import keep_records
from pipelines.sample.retail import (
    add_totals,
    create_products,
    fill_orders,
    follow_up,
    number_orders,
    place_orders,
    send_back,
)
from pipelines.sample.shop import mark_orders
from pipelines.sample.writing import Csv, formatted, local_moments, plain_amounts

PRODUCTS_PER_CATEGORY = 8
NO_ORDER_SHARE = 0.05
SHIPPING = 590  # cents, net
FORMAT = Csv(delimiter="|", encoding="utf-8", line_end="\n")


@dataclass(frozen=True)
class MailOrder:
    customers: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    returns: pd.DataFrame
    products: pd.DataFrame


def open_mail_order(
    persons: pd.DataFrame, companies: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates
) -> MailOrder:
    """Everything that happened in the mail-order house until the day before as_of."""
    buyers = persons[persons["in_mail_order"]].reset_index(drop=True)
    products = create_products("N", PRODUCTS_PER_CATEGORY, calendar, chance.shared("mail_order products"))
    random = chance.stream("mail_orders")
    orders = place_orders(buyers, MAIL_ORDER, NO_ORDER_SHARE, calendar, random)
    orders = number_orders(orders, "", chance.number(70_000_001), calendar, random)
    orders = apply_noises(mark_orders(orders), "mail_orders", rates, chance)
    lines = fill_orders(orders, products, chance, "mail_order lines", is_net=True)
    lines = apply_noises(lines.assign(is_returned=False), "lines", rates, chance)
    add_totals(orders, lines, is_net=True, shipping=SHIPPING)
    follow_up(orders, calendar, chance.stream("mail_order delivery"))
    customers = keep_records(buyers, "mail_order", "4", 1_000_001, calendar, chance, rates)
    company = customers["company"].to_numpy()
    customers["company_name"] = pick(companies["name"], company).where(company >= 0)
    customers["vat_id"] = pick(companies["vat_id"], company).where(company >= 0)
    # All orders belong to the first of a person's records: this house joins by number, not by name.
    orders = orders.join(
        customers.iloc[: len(buyers)][["record_id", "email", "person", "company_name", "vat_id"]], on="buyer"
    )
    returns = send_back(orders, lines, "X", chance.number(1), calendar, chance.stream("mail_order returns"))
    return MailOrder(customers, orders, lines, returns, products)


def export_mail_order(house: MailOrder) -> dict[str, pd.DataFrame]:
    """The house's own tables with its own column names, everything as text."""
    customers, orders, lines, returns = house.customers, house.orders, house.lines, house.returns
    products = house.products
    status = np.select(
        [orders["cancelled_at"].notna(), orders["delivered_at"].notna(), orders["paid_at"].notna()],
        ["S", "V", "B"],
        "N",
    )
    return {
        "kunden": pd.DataFrame(
            {
                "kdnr": customers["record_id"],
                "anrede": customers["salutation"],
                "vname": customers["first_name"],
                "nname": customers["last_name"],
                "name_gesamt": customers["full_name"],
                "firma": customers["company_name"],
                "ust_id": customers["vat_id"],
                "mail": customers["email"],
                "fon": customers["phone"].fillna(customers["mobile"]),
                "str": customers["street_name"],
                "hnr": customers["house_number"],
                "plz": customers["postal_code"],
                "ort": customers["city"],
                "gebdat": formatted(customers["birth_date"], "%Y/%m/%d"),
                "neu": _moment(customers["created_at"]),
                "upd": _moment(customers["updated_at"]),
            }
        ),
        "bestellungen": pd.DataFrame(
            {
                "bestnr": orders["order_no"],
                "kdnr": orders["record_id"],
                "firma": orders["company_name"],
                "ust_id": orders["vat_id"],
                "datum": _moment(orders["ordered_at"]),
                "st": texts(status),
                "waehrung": orders["currency"],
                "land": orders["currency"].map(FOREIGN).astype("str").fillna("DE"),
                "ware_netto": plain_amounts(orders["goods"]),
                "rabatt": plain_amounts(orders["discount"]),
                "versand": plain_amounts(orders["shipping"]),
                "mwst": plain_amounts(orders["tax"]),
                "brutto": plain_amounts(orders["total"]),
                "bezahlt": _moment(orders["paid_at"]),
                "mahnstufe": orders["dunning"].astype("str"),
                "geliefert": _moment(orders["delivered_at"]),
                "storno": _moment(orders["cancelled_at"]),
                "upd": _moment(orders["changed_at"]),
            }
        ),
        "positionen": pd.DataFrame(
            {
                "posnr": lines["line_no"],
                "bestnr": lines["order_no"],
                "artnr": lines["product_no"],
                "menge": lines["quantity"].astype("str"),
                "ep_netto": plain_amounts(lines["unit"]),
                "rabatt": plain_amounts(lines["discount"]),
                "mwst_satz": lines["tax_percent"].astype("str"),
                "mwst": plain_amounts(lines["tax"]),
                "ek": plain_amounts(lines["cost"]),
            }
        ),
        "retouren": pd.DataFrame(
            {
                "retnr": returns["return_no"],
                "bestnr": returns["order_no"],
                "posnr": returns["line_no"],
                "menge": returns["quantity"].astype("str"),
                "gutschrift_netto": plain_amounts(returns["refund"]),
                "grund": returns["reason"],
                "datum": _moment(returns["returned_at"]),
                "erstattet": _moment(returns["refunded_at"]),
            }
        ),
        "artikel": pd.DataFrame(
            {
                "artnr": products["product_no"],
                "bezeichnung": products["title"],
                "gruppe": products["category"],
                "marke": products["brand"],
                "vk_brutto": plain_amounts(products["list_price"]),
                "ek": plain_amounts(products["cost"]),
            }
        ),
    }


def _moment(moments: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    return formatted(local_moments(moments), "%Y/%m/%d %H:%M:%S")
