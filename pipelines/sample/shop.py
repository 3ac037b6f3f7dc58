"""The shop: accounts, products, orders with lines and vouchers, returns and carts; exported as Parquet. Gross prices.

Add here what the shop knows. Spoiled values are noise; what every shop has in common is in `retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.behaviour import SHOP
from pipelines.sample.campaigns import CAMPAIGNS, WINDOW_DAYS
from pipelines.sample.chance import Array, Calendar, Chance, Random, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.mishaps import FOREIGN
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.records import blank_records, keep_records, later
from pipelines.sample.retail import (
    add_totals,
    create_products,
    fill_orders,
    follow_up,
    number_orders,
    place_orders,
    send_back,
)
from pipelines.sample.writing import Parquet

PRODUCTS_PER_CATEGORY = 20
NO_ORDER_SHARE = 0.08
LAPSED_AFTER_DAYS = 180
BEST_SHARE = 0.2
ATTRIBUTED_SHARE = 0.8  # of the orders that a campaign caused carry its mark
ABANDONED_CARTS = 0.25  # per account
RECOVERED_SHARE = 0.04  # of the orders
BUYER_COLUMNS = (
    *("first_name", "last_name", "street_name", "house_number", "postal_code"),
    *("city", "email", "phone", "mobile", "noises"),
)


@dataclass(frozen=True)
class Shop:
    """The tables of the shop; `lapsed_best` are people of the top fifth without an order for half a year."""

    customers: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    returns: pd.DataFrame
    products: pd.DataFrame
    carts: pd.DataFrame
    lapsed_best: Array


def open_shop(
    persons: pd.DataFrame, invitations: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates
) -> Shop:
    """Everything that happened in the shop until the day before as_of."""
    buyers = persons[persons["in_shop"]]
    products = create_products("A", PRODUCTS_PER_CATEGORY, calendar, chance.shared("products"))
    random = chance.stream("orders")
    orders = place_orders(buyers, SHOP, NO_ORDER_SHARE, calendar, random)
    orders = pd.concat([orders.assign(campaign=-1), order_once_more(buyers, invitations, random)], ignore_index=True)
    orders = number_orders(orders, "B", chance.number(200_001), calendar, random)
    orders["channel"] = draw_texts(random, ["web", "app", "filiale"], len(orders), [70, 22, 8])
    orders = apply_noises(mark_orders(orders), "orders", rates, chance)
    buyers = buyers.reset_index(drop=True)
    lines = fill_orders(orders, products, chance, "order_lines", is_net=False)
    lines = apply_noises(lines.assign(is_returned=False), "lines", rates, chance)
    add_totals(orders, lines, is_net=False)
    follow_up(orders, calendar, chance.stream("delivery"))
    has_account = ~buyers.index.isin(orders["buyer"]) | buyers.index.isin(orders.loc[~orders["is_guest"], "buyer"])
    customers = keep_records(buyers[has_account], "shop", "", 100_001, calendar, chance, rates)
    customers["accepts_marketing"] = chance.stream("newsletter").random(len(customers)) < 0.4
    orders = name_buyers(orders, buyers, customers, chance, rates)
    returns = send_back(orders, lines, "R", chance.number(1), calendar, chance.stream("returns"))
    carts = fill_carts(customers, orders, products, calendar, chance)
    return Shop(customers, orders, lines, returns, products, carts, find_lapsed_best(orders))


def order_once_more(buyers: pd.DataFrame, invitations: pd.DataFrame, random: Random) -> pd.DataFrame:
    """The orders that campaigns caused, within `WINDOW_DAYS` of their start."""
    more = invitations[invitations["orders_more"]]
    buyer = np.searchsorted(buyers.index.to_numpy(), more["row"].to_numpy())
    start = np.array([c.days_ago for c in CAMPAIGNS])[more["campaign"].to_numpy()]
    days = np.maximum(start - random.integers(0, WINDOW_DAYS, len(more)), 1)
    return pd.DataFrame(
        {
            "buyer": buyer,
            "days_ago": days,
            "has_trouble": False,
            "is_unsolved": False,
            "campaign": more["campaign"].to_numpy(),
        }
    )


def mark_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """The orders before anything goes wrong with them."""
    return orders.assign(
        is_guest=False,
        is_cancelled=False,
        is_unpaid=False,
        voucher=texts([None] * len(orders)),
        currency=texts(["EUR"] * len(orders)),
    )


def name_buyers(
    orders: pd.DataFrame, buyers: pd.DataFrame, customers: pd.DataFrame, chance: Chance, rates: Rates
) -> pd.DataFrame:
    """The orders with who bought: the account's own data, or what a guest typed.

    Of people with two accounts, most orders after the second was opened belong to that one.
    """
    random = chance.stream("accounts")
    person = pick(buyers["person"], orders["buyer"].to_numpy())
    first = customers[customers["copy_of"] < 0]
    second = customers[customers["copy_of"] >= 0]
    account = person.map(pd.Series(first.index, index=first["person"])).to_numpy(dtype=float)
    newer = person.map(pd.Series(second.index, index=second["person"])).to_numpy(dtype=float)
    opened = person.map(pd.Series(second["since_days"].to_numpy(), index=second["person"])).to_numpy(dtype=float)
    moved = (orders["days_ago"].to_numpy() < opened) & (random.random(len(orders)) < 0.7)
    account = np.where(moved, newer, account)
    guest = orders["is_guest"].to_numpy()
    typed = apply_noises(blank_records(buyers.iloc[orders.loc[guest, "buyer"]]), "guests", rates, chance)
    place = np.empty(len(orders), dtype=np.int64)
    place[~guest] = account[~guest].astype(int)
    place[guest] = len(customers) + np.arange(guest.sum())
    columns = [*BUYER_COLUMNS, "full_name"]
    known = pd.concat([customers[columns], typed[columns]], ignore_index=True)
    found = known.take(place).reset_index(drop=True)
    found["last_name"] = found["last_name"].fillna(found["full_name"])
    found["customer_no"] = pick(customers["record_id"], np.where(guest, 0, place)).where(~guest)
    found["tel"] = found["mobile"].fillna(found["phone"])
    # What happened to the record of the buyer is said there; a guest's order is a record of its own.
    found["noises"] = orders["noises"].to_numpy() | np.where(guest, found["noises"].to_numpy(), np.uint64(0))
    return orders.drop(columns="noises").join(found.assign(person=person))


def fill_carts(
    customers: pd.DataFrame, orders: pd.DataFrame, products: pd.DataFrame, calendar: Calendar, chance: Chance
) -> pd.DataFrame:
    """One row per cart that was left: most for good, some until the order that came of it."""
    random = chance.stream("carts")
    owner = np.repeat(np.arange(len(customers)), random.poisson(ABANDONED_CARTS, len(customers)))
    left = pick_columns(customers, owner, {"record_id": "customer_no", "email": "email"})
    days = later(customers["since_days"].to_numpy()[owner], random)
    left["abandoned_at"] = calendar.moments(days, random)
    known = random.random(len(left)) < 0.7
    left["customer_no"] = left["customer_no"].where(known)
    back = orders.loc[(random.random(len(orders)) < RECOVERED_SHARE) & orders["customer_no"].notna()]
    hours = random.integers(600, 20 * 3600, len(back)).astype("timedelta64[s]")
    recovered = back[["customer_no", "email", "order_no"]].assign(
        abandoned_at=back["ordered_at"].to_numpy() - hours, completed_at=back["ordered_at"].to_numpy()
    )
    # An account cannot have a cart from before it was opened.
    carts = pd.concat([left, recovered], ignore_index=True).sort_values(
        ["abandoned_at", "email"], kind="stable", ignore_index=True
    )
    product = random.integers(0, len(products), len(carts))
    quantity = random.integers(1, 4, len(carts))
    carts["cart_no"] = "W" + numbers_as_texts(np.arange(len(carts)) + chance.number(1), 6)
    carts["total"] = products["list_price"].to_numpy()[product] * quantity
    carts["contents"] = (
        '[{"product": "' + pick(products["product_no"], product) + '", "quantity": ' + numbers_as_texts(quantity) + "}]"
    )
    return carts


def pick_columns(table: pd.DataFrame, rows: Array, names: dict[str, str]) -> pd.DataFrame:
    """These rows of the named columns, under their new names."""
    return pd.DataFrame({new: pick(table[old], rows) for old, new in names.items()})


def find_lapsed_best(orders: pd.DataFrame) -> Array:
    """People of the top fifth by spending over two years whose last order is more than half a year ago, best first."""
    counted = orders[orders["cancelled_at"].isna() & (orders["days_ago"] <= 730)]
    spent = counted.groupby("person")["total"].sum()
    best = spent[spent >= spent.quantile(1 - BEST_SHARE)] if len(spent) else spent
    last = orders.groupby("person")["days_ago"].min()
    lapsed = best[last.reindex(best.index) > LAPSED_AFTER_DAYS].reset_index()
    found: Array = lapsed.sort_values(["total", "person"], ascending=[False, True])["person"].to_numpy()
    return found


def export_shop(shop: Shop) -> dict[str, pd.DataFrame]:
    """The shop's own tables with the shop's own column names, amounts in cents."""
    customers = shop.customers.rename(
        columns={
            "record_id": "customer_no",
            "first_name": "given_name",
            "last_name": "surname",
            "full_name": "display_name",
            "email": "mail",
            "phone": "tel",
            "mobile": "mobile_tel",
            "street_name": "street",
            "house_number": "house_no",
            "postal_code": "zip",
            "city": "town",
            "birth_date": "dob",
            "loyalty_number": "loyalty_card",
            "accepts_marketing": "newsletter",
            "created_at": "registered_at",
            "updated_at": "changed_at",
        }
    )
    orders = export_orders(shop.orders)
    lines = shop.lines.rename(
        columns={"quantity": "qty", "unit": "unit_price", "tax": "vat", "tax_percent": "vat_rate", "cost": "unit_cost"}
    )
    vouchers = shop.orders[shop.orders["voucher"].notna()]
    discounts = vouchers[["order_no", "voucher", "voucher_amount"]].rename(columns={"voucher_amount": "amount"})
    return {
        "customers": customers.assign(country_code="DE")[_CUSTOMERS.split()],
        "orders": orders[_ORDERS.split()],
        "order_lines": lines[_LINES.split()],
        "order_discounts": discounts.assign(discount_no=discounts["order_no"] + "-V"),
        "returns": shop.returns.rename(columns={"quantity": "qty"}).drop(columns="noises"),
        "products": shop.products.drop(columns="tax_percent"),
        "carts": shop.carts[_CARTS.split()],
    }


def export_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """The orders in the shop's words: state, payment and where the buyer came from."""
    is_paid, arrived = orders["paid_at"].notna(), orders["delivered_at"].notna()
    state = np.select(
        [orders["cancelled_at"].notna(), arrived, is_paid], ["storniert", "zugestellt", "bezahlt"], "offen"
    )
    payment = np.select(
        [orders["cancelled_at"].notna(), is_paid, orders["dunning"] > 0], ["", "ok", "mahnung"], "offen"
    )
    known = orders["campaign"].to_numpy()
    number = texts([c.record_id for c in CAMPAIGNS])
    marked = (known >= 0) & (orders["order_no"].str.slice(-1).astype(int) < 10 * ATTRIBUTED_SHARE).to_numpy()
    found = orders.rename(
        columns={
            "email": "mail",
            "first_name": "bill_first_name",
            "last_name": "bill_last_name",
            "street_name": "bill_street",
            "house_number": "bill_house_no",
            "postal_code": "bill_zip",
            "city": "bill_town",
            "ordered_at": "placed_at",
            "goods": "items_total",
            "discount": "discount_total",
            "tax": "tax_total",
            "total": "grand_total",
            "channel": "sales_channel",
        }
    )
    return found.assign(
        bill_country=orders["currency"].map(FOREIGN).astype("str").fillna("DE"),
        state=texts(state),
        payment=texts(payment).where(texts(payment) != ""),
        campaign_no=pick(number, np.maximum(known, 0)).where(marked),
        utm_source=texts(["newsletter"] * len(orders)).where(marked),
    )


_CUSTOMERS = """customer_no salutation given_name surname display_name mail tel mobile_tel street house_no zip town
    country_code dob loyalty_card newsletter registered_at changed_at"""
_ORDERS = """order_no customer_no mail tel bill_first_name bill_last_name bill_street bill_house_no bill_zip bill_town
    bill_country placed_at state payment dunning sales_channel campaign_no utm_source currency items_total
    discount_total shipping tax_total grand_total paid_at delivered_at cancelled_at changed_at"""
_LINES = "line_no order_no product_no qty unit_price discount vat_rate vat unit_cost"
_CARTS = "cart_no customer_no email total contents abandoned_at completed_at order_no"
_CENTS = """items_total discount_total shipping tax_total grand_total unit_price discount vat_rate vat unit_cost refund
    list_price cost amount total"""
FORMAT = Parquet(cents=frozenset(_CENTS.split()), dates=frozenset({"dob"}))
