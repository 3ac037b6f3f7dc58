"""The shop: accounts, products, orders with their lines, and returns; exported as Parquet.

Amounts are whole cents until they are written, so every sum is exact. Prices include tax. For a line,
net = quantity x unit price - discount - tax. Of an order, `items_total` is the sum of quantity x unit price,
`discount_total` and `tax_total` are the sums of the lines' discounts and taxes (tax on shipping is not itemized), and
`grand_total` = goods - discount + shipping. A return's `refund` is what was paid back for the goods, tax included.

Add here what the shop knows. Spoiled values are noise, not part of this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Calendar, Chance, Random, draw, numbers_as_texts, texts
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.records import blank_records, keep_records, later

PRODUCTS_PER_CATEGORY = 20
NO_ORDER_SHARE = 0.08
LAPSE_SHARE = 0.55
MAX_ORDERS = 60
LINES_PER_ORDER = (0.48, 0.26, 0.14, 0.08, 0.04)
CANCELLED_SHARE = 0.03
RETURNED_SHARE = 0.06
FREE_SHIPPING_FROM, SHIPPING = 5000, 495  # cents
LAPSED_AFTER_DAYS = 180
BEST_SHARE = 0.2


@dataclass(frozen=True)
class Shop:
    """The tables of the shop; `lapsed_best` are people of the top fifth without an order for half a year."""

    customers: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    returns: pd.DataFrame
    products: pd.DataFrame
    lapsed_best: Array


def open_shop(persons: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates) -> Shop:
    """Everything that happened in the shop until the day before as_of."""
    buyers = persons[persons["in_shop"]].reset_index(drop=True)
    products = create_products(calendar, chance)
    orders = place_orders(buyers, calendar, chance)
    orders = apply_noises(orders, "orders", rates, chance)
    lines = fill_orders(orders, products, chance)
    add_totals(orders, lines)
    follow_up(orders, calendar, chance.stream("delivery"))
    has_account = ~buyers.index.isin(orders["buyer"]) | buyers.index.isin(orders.loc[~orders["is_guest"], "buyer"])
    customers = keep_records(buyers[has_account], "shop", "", 100_001, calendar, chance, rates)
    customers["accepts_marketing"] = chance.stream("newsletter").random(len(customers)) < 0.4
    name_buyers(orders, buyers, customers, chance, rates)
    returns = send_back(orders, lines, calendar, chance.stream("returns"))
    return Shop(customers, orders, lines, returns, products, find_lapsed_best(orders))


def create_products(calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per product; `list_price` and `cost` in cents, the price with and the cost without tax."""
    random = chance.stream("products")
    kinds = vocabulary.CATEGORIES
    count = len(kinds) * PRODUCTS_PER_CATEGORY
    kind = np.repeat(np.arange(len(kinds)), PRODUCTS_PER_CATEGORY)

    def attribute(position: int) -> Array:
        return np.array([k[position] for k in kinds], dtype=object)[kind]

    number = numbers_as_texts(np.arange(count), 4)
    low, high = attribute(3).astype(float), attribute(4).astype(float)
    price = np.exp(np.log(low) + random.random(count) * np.log(high / low))
    list_price = (price // 100 * 100 + draw(random, [99, 95, 49], count).astype(int)).astype(np.int64)
    tax = attribute(2).astype(np.int64)
    products = pd.DataFrame({"product_no": "A" + number, "sku": "SKU-" + number})
    products["brand"] = texts(draw(random, vocabulary.BRANDS, count))
    products["category"] = texts(attribute(0))
    products["category_path"] = texts(attribute(1)) + " > " + products["category"]
    adjective = texts(draw(random, vocabulary.PRODUCT_ADJECTIVES, count))
    products["title"] = products["brand"] + " " + products["category"] + " " + adjective
    products["list_price"] = list_price
    products["tax_percent"] = tax
    products["cost"] = (list_price * 100 / (100 + tax) * (0.45 + 0.25 * random.random(count))).astype(np.int64)
    products["is_sensitive"] = attribute(5).astype(bool)
    products["created_at"] = calendar.moments(1200 + random.integers(0, 600, count), random)
    return products


def place_orders(buyers: pd.DataFrame, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per order by time: `buyer` (row of `buyers`), `days_ago`, `ordered_at`, `order_no`.

    A buyer orders from the first contact until today or, having lapsed, until a day between. The number of further
    orders is Poisson with a Gamma rate: most buy once or twice, a few very often.
    """
    random = chance.stream("orders")
    count = len(buyers)
    further = random.poisson(random.gamma(0.5, 2.8, count))
    number = np.where(random.random(count) < NO_ORDER_SHARE, 0, 1 + np.minimum(further, MAX_ORDERS - 1))
    since = buyers["since_days"].to_numpy()
    until = np.where(random.random(count) < LAPSE_SHARE, later(since, random), 1)
    buyer = np.repeat(np.arange(count), number)
    is_first = np.r_[True, buyer[1:] != buyer[:-1]] if len(buyer) else np.empty(0, dtype=bool)
    between = until[buyer] + ((since - until)[buyer] * random.random(len(buyer))).astype(int)
    orders = pd.DataFrame({"buyer": buyer, "days_ago": np.where(is_first, since[buyer], between)})
    orders["ordered_at"] = calendar.moments(orders["days_ago"].to_numpy(), random)
    orders = orders.sort_values(["ordered_at", "buyer"], kind="stable", ignore_index=True)
    orders["order_no"] = "B" + numbers_as_texts(np.arange(len(orders)) + 200_001)
    orders["channel"] = texts(draw(random, ["web", "app", "filiale"], len(orders), [70, 22, 8]))
    return orders


def fill_orders(orders: pd.DataFrame, products: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """One row per order line: `order` (row of `orders`), product, quantity, and amounts in cents."""
    random = chance.stream("order_lines")
    sizes = draw(random, range(1, len(LINES_PER_ORDER) + 1), len(orders), LINES_PER_ORDER).astype(int)
    order = np.repeat(np.arange(len(orders)), sizes)
    position = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    popularity = 1.0 / (10 + random.permutation(len(products)))
    product = random.choice(len(products), len(order), p=popularity / popularity.sum())
    quantity = draw(random, [1, 2, 3, 4, 6], len(order), [78, 14, 4, 2, 2]).astype(np.int64)
    # Prices rose by four percent a year.
    years = orders["days_ago"].to_numpy()[order] // 365
    unit = np.rint(products["list_price"].to_numpy()[product] * 0.96**years).astype(np.int64)
    percent = draw(random, [0, 5, 10, 20], len(order), [86, 5, 6, 3]).astype(np.int64)
    discount = rounded_share(quantity * unit, percent, 100)
    tax_percent = products["tax_percent"].to_numpy()[product]
    paid = quantity * unit - discount
    lines = pd.DataFrame({"order": order, "quantity": quantity, "unit": unit, "discount": discount})
    lines["paid"] = paid
    lines["tax_percent"] = tax_percent
    lines["tax"] = paid - rounded_share(paid, np.full(len(paid), 100), 100 + tax_percent)
    lines["cost"] = products["cost"].to_numpy()[product]
    lines["order_no"] = orders["order_no"].to_numpy(dtype=object)[order]
    lines["line_no"] = texts(lines["order_no"]) + "-" + numbers_as_texts(position)
    lines["product_no"] = products["product_no"].to_numpy(dtype=object)[product]
    return lines


def rounded_share(amount: Array, part: Array, whole: Array | int) -> Array:
    """`amount * part / whole` in whole cents, half a cent rounded up; exact in integers."""
    found: Array = (2 * amount * part + whole) // (2 * whole)
    return found


def add_totals(orders: pd.DataFrame, lines: pd.DataFrame) -> None:
    """The order's amounts as sums of its lines, in cents."""

    def total(values: Array) -> Array:
        return np.bincount(lines["order"], weights=values, minlength=len(orders)).astype(np.int64)

    orders["goods"] = total((lines["quantity"] * lines["unit"]).to_numpy())
    orders["discount"] = total(lines["discount"].to_numpy())
    orders["tax"] = total(lines["tax"].to_numpy())
    paid = orders["goods"] - orders["discount"]
    orders["shipping"] = np.where(paid < FREE_SHIPPING_FROM, SHIPPING, 0)
    orders["total"] = paid + orders["shipping"]


def follow_up(orders: pd.DataFrame, calendar: Calendar, random: Random) -> None:
    """Payment, delivery or cancellation, and the shop's word for the state."""
    count = len(orders)
    ordered = orders["ordered_at"].to_numpy()
    hours = random.integers(600, 3 * 3600, count).astype("timedelta64[s]")
    cancelled = random.random(count) < CANCELLED_SHARE
    nothing = np.datetime64("NaT", "s")
    orders["cancelled_at"] = np.where(cancelled, ordered + hours, nothing)
    orders["paid_at"] = np.where(cancelled, nothing, ordered + hours // 10)
    delivered_days = orders["days_ago"].to_numpy() - random.integers(1, 6, count)
    arrived = ~cancelled & (delivered_days >= 1)
    moments = calendar.moments(np.maximum(delivered_days, 1), random)
    orders["delivered_at"] = np.where(arrived, moments, nothing)
    orders["state"] = texts(np.select([cancelled, arrived], ["storniert", "zugestellt"], "bezahlt"))
    orders["changed_at"] = orders[["ordered_at", "cancelled_at", "paid_at", "delivered_at"]].max(axis=1)


def name_buyers(
    orders: pd.DataFrame, buyers: pd.DataFrame, customers: pd.DataFrame, chance: Chance, rates: Rates
) -> None:
    """Write on each order who bought: the account's own data, or what a guest typed.

    Of people with two accounts, most orders after the second was opened belong to that one.
    """
    random = chance.stream("accounts")
    orders["person"] = texts(buyers["person"].to_numpy(dtype=object)[orders["buyer"]])
    first = customers[customers["copy_of"] < 0]
    account = orders["person"].map(pd.Series(first.index, index=first["person"])).to_numpy(dtype=float)
    second = customers[customers["copy_of"] >= 0]
    newer = orders["person"].map(pd.Series(second.index, index=second["person"]))
    opened = orders["person"].map(pd.Series(second["since_days"].to_numpy(), index=second["person"]))
    moved = (orders["days_ago"] < opened) & (random.random(len(orders)) < 0.7)
    account = np.where(moved, newer, account)
    guest = orders["is_guest"].to_numpy()
    typed = apply_noises(blank_records(buyers.iloc[orders.loc[guest, "buyer"]]), "guests", rates, chance)
    typed["last_name"] = typed["last_name"].fillna(typed["full_name"])
    held = customers.iloc[account[~guest].astype(int)]
    columns = (
        "first_name",
        "last_name",
        "street_name",
        "house_number",
        "postal_code",
        "city",
        "email",
        "phone",
        "mobile",
    )
    for column in columns:
        values = np.empty(len(orders), dtype=object)
        values[guest] = typed[column].to_numpy(dtype=object)
        values[~guest] = held[column].to_numpy(dtype=object)
        orders[column] = texts(values)
    whole = np.empty(len(orders), dtype=object)
    whole[~guest] = held["full_name"].to_numpy(dtype=object)
    orders["last_name"] = orders["last_name"].fillna(texts(whole))
    numbers = np.full(len(orders), None, dtype=object)
    numbers[~guest] = held["record_id"].to_numpy(dtype=object)
    orders["customer_no"] = texts(numbers)
    orders["tel"] = orders["mobile"].fillna(orders["phone"])


def send_back(orders: pd.DataFrame, lines: pd.DataFrame, calendar: Calendar, random: Random) -> pd.DataFrame:
    """One row per returned line: quantity, refund in cents (what was paid for that quantity), reason, times."""
    count = len(lines)
    order = lines["order"].to_numpy()
    back_days = orders["days_ago"].to_numpy()[order] - random.integers(8, 25, count)
    drawn = random.random(count) < RETURNED_SHARE
    chosen = np.flatnonzero(drawn & (back_days >= 1) & orders["delivered_at"].notna().to_numpy()[order])
    quantity = lines["quantity"].to_numpy()[chosen]
    whole = random.random(len(chosen)) < 0.8
    back = np.where(whole, quantity, 1 + (quantity * random.random(len(chosen))).astype(np.int64))
    returned_at = calendar.moments(back_days[chosen], random)
    refund_days = back_days[chosen] - random.integers(1, 5, len(chosen))
    refunded_at = calendar.moments(np.maximum(refund_days, 1), random)
    reasons = ["gefällt nicht", "passt nicht", "beschädigt", "falscher Artikel"]
    returns = pd.DataFrame({"return_no": "R" + numbers_as_texts(np.arange(len(chosen)) + 1, 6)})
    returns["order_no"] = lines["order_no"].to_numpy(dtype=object)[chosen]
    returns["line_no"] = lines["line_no"].to_numpy(dtype=object)[chosen]
    returns["quantity"] = back
    returns["refund"] = rounded_share(lines["paid"].to_numpy()[chosen], back, quantity)
    returns["reason"] = texts(draw(random, reasons, len(chosen)))
    returns["returned_at"] = returned_at
    returns["refunded_at"] = np.where(refund_days >= 1, refunded_at, np.datetime64("NaT", "s"))
    return returns


def find_lapsed_best(orders: pd.DataFrame) -> Array:
    """People of the top fifth by spending over two years whose last order is more than half a year ago, best first."""
    counted = orders[orders["cancelled_at"].isna() & (orders["days_ago"] <= 730)]
    spent = counted.groupby("person")["total"].sum()
    best = spent[spent >= spent.quantile(1 - BEST_SHARE)] if len(spent) else spent
    last = orders.groupby("person")["days_ago"].min()
    lapsed = best[last.reindex(best.index) > LAPSED_AFTER_DAYS].reset_index()
    found: Array = lapsed.sort_values(["total", "person"], ascending=[False, True])["person"].to_numpy(dtype=object)
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
    orders = shop.orders.rename(
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
    lines = shop.lines.rename(
        columns={"quantity": "qty", "unit": "unit_price", "tax": "vat", "tax_percent": "vat_rate", "cost": "unit_cost"}
    )
    return {
        "customers": customers.assign(country_code="DE")[_CUSTOMERS.split()],
        "orders": orders.assign(bill_country="DE")[_ORDERS.split()],
        "order_lines": lines[_LINES.split()],
        "returns": shop.returns.rename(columns={"quantity": "qty"}),
        "products": shop.products.drop(columns="tax_percent"),
    }


_CUSTOMERS = """customer_no salutation given_name surname display_name mail tel mobile_tel street house_no zip town
    country_code dob loyalty_card newsletter registered_at changed_at"""
_ORDERS = """order_no customer_no mail tel bill_first_name bill_last_name bill_street bill_house_no bill_zip bill_town
    bill_country placed_at state sales_channel items_total discount_total shipping tax_total grand_total paid_at
    delivered_at cancelled_at changed_at"""
_LINES = "line_no order_no product_no qty unit_price discount vat_rate vat unit_cost"
