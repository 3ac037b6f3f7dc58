"""What every shop of the sample company has in common: products, orders, lines, totals, payment and returns.

Amounts are whole cents until they are written, so every sum is exact. Of a line, `paid` = quantity x unit price -
discount. Where prices include tax, the tax of a line is the part contained in it; where they do not, it comes on top.
Of an order, `goods` is the sum of quantity x unit price, `discount` and `tax` are the sums of its lines, and `total`
= goods - discount + shipping, plus tax where prices do not include it. Tax on shipping is not itemized. A return's
`refund` is what was paid back for the goods.

Add here what two shops need. What one shop calls it and how it is written belongs to the shop's own module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.behaviour import Habits, basket_quantities, purchase
from pipelines.sample.chance import Array, Calendar, Chance, Random, draw, draw_texts, numbers_as_texts, pick, texts

LINES_PER_ORDER = (0.48, 0.26, 0.14, 0.08, 0.04)
FREE_SHIPPING_FROM, SHIPPING = 5000, 495  # cents
PRICE_RISE = 0.04  # a year
VOUCHERS = ("WILLKOMMEN10", "SOMMER10", "DANKE10")
VOUCHER_PERCENT = 10
UNPAID_AFTER_DAYS = 14
NOTHING = np.datetime64("NaT", "s")


def create_products(prefix: str, per_category: int, calendar: Calendar, random: Random) -> pd.DataFrame:
    """One row per product; `list_price` and `cost` in cents, the price with and the cost without tax."""
    kinds = vocabulary.CATEGORIES
    count = len(kinds) * per_category
    kind = np.repeat(np.arange(len(kinds)), per_category)

    def attribute(position: int) -> Array:
        return np.array([k[position] for k in kinds], dtype=object)[kind]

    number = numbers_as_texts(np.arange(count), 4)
    low, high = attribute(3).astype(float), attribute(4).astype(float)
    price = np.exp(np.log(low) + random.random(count) * np.log(high / low))
    list_price = (price // 100 * 100 + draw(random, [99, 95, 49], count).astype(int)).astype(np.int64)
    tax = attribute(2).astype(np.int64)
    products = pd.DataFrame({"product_no": prefix + number, "sku": "SKU-" + number})
    products["brand"] = draw_texts(random, vocabulary.BRANDS, count)
    products["category"] = texts(attribute(0))
    products["category_path"] = texts(attribute(1)) + " > " + products["category"]
    adjective = draw_texts(random, vocabulary.PRODUCT_ADJECTIVES, count)
    products["title"] = products["brand"] + " " + products["category"] + " " + adjective
    products["list_price"] = list_price
    products["tax_percent"] = tax
    products["cost"] = (list_price * 100 / (100 + tax) * (0.45 + 0.25 * random.random(count))).astype(np.int64)
    products["is_sensitive"] = attribute(5).astype(bool)
    products["created_at"] = calendar.moments(1200 + random.integers(0, 600, count), random)
    return products


def place_orders(
    buyers: pd.DataFrame, habits: Habits, never_share: float, calendar: Calendar, random: Random
) -> pd.DataFrame:
    """One row per purchase: `buyer` (row of `buyers`), `days_ago`, `has_trouble`, `is_unsolved`; some never buy."""
    since = buyers["since_days"].to_numpy()
    orders = purchase(since, habits, calendar, random, buyers["in_support"].to_numpy())
    buys = random.random(len(buyers)) >= never_share
    found: pd.DataFrame = orders[buys[orders["buyer"].to_numpy()]].reset_index(drop=True)
    return found


def number_orders(orders: pd.DataFrame, prefix: str, first: int, calendar: Calendar, random: Random) -> pd.DataFrame:
    """The orders by time, with `ordered_at` and `order_no`."""
    orders = orders.assign(ordered_at=calendar.moments(orders["days_ago"].to_numpy(), random))
    orders = orders.sort_values(["ordered_at", "buyer"], kind="stable", ignore_index=True)
    return orders.assign(order_no=prefix + numbers_as_texts(np.arange(len(orders)) + first))


def fill_orders(
    orders: pd.DataFrame, products: pd.DataFrame, chance: Chance, name: str, *, is_net: bool
) -> pd.DataFrame:
    """One row per order line: `order` (row of `orders`), product, quantity, and amounts in cents.

    What is popular is the same for everybody. A voucher takes `VOUCHER_PERCENT` of what is left of every line.
    """
    random = chance.stream(name)
    sizes = 1 + random.choice(len(LINES_PER_ORDER), len(orders), p=LINES_PER_ORDER)
    order = np.repeat(np.arange(len(orders)), sizes)
    position = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    popularity = 1.0 / (10 + chance.shared(f"popularity {name}").permutation(len(products)))
    product = random.choice(len(products), len(order), p=popularity / popularity.sum())
    quantity = basket_quantities(len(order), random)
    tax_percent = products["tax_percent"].to_numpy()[product]
    years = orders["days_ago"].to_numpy()[order] // 365
    price = products["list_price"].to_numpy()[product] * (1 - PRICE_RISE) ** years
    unit = np.rint(price * 100 / (100 + tax_percent) if is_net else price).astype(np.int64)
    percent = np.array([0, 5, 10, 20])[random.choice(4, len(order), p=[0.86, 0.05, 0.06, 0.03])]
    discount = rounded_share(quantity * unit, percent, 100)
    has_voucher = orders["voucher"].notna().to_numpy()[order]
    voucher = np.where(has_voucher, rounded_share(quantity * unit - discount, np.int64(VOUCHER_PERCENT), 100), 0)
    paid = quantity * unit - discount - voucher
    lines = pd.DataFrame({"order": order, "quantity": quantity, "unit": unit, "discount": discount + voucher})
    lines["voucher"] = voucher
    lines["paid"] = paid
    lines["tax_percent"] = tax_percent
    contained = paid - rounded_share(paid, np.int64(100), 100 + tax_percent)
    lines["tax"] = rounded_share(paid, tax_percent, 100) if is_net else contained
    lines["cost"] = products["cost"].to_numpy()[product]
    lines["order_no"] = pick(orders["order_no"], order)
    lines["line_no"] = lines["order_no"] + "-" + numbers_as_texts(position)
    lines["product_no"] = pick(products["product_no"], product)
    return lines


def rounded_share(amount: Array, part: Array | np.int64, whole: Array | int) -> Array:
    """`amount * part / whole` in whole cents, half a cent rounded up; exact in integers."""
    found: Array = (2 * amount * part + whole) // (2 * whole)
    return found


def add_totals(orders: pd.DataFrame, lines: pd.DataFrame, *, is_net: bool, shipping: int = SHIPPING) -> None:
    """The order's amounts as sums of its lines, in cents."""

    def total(column: str) -> Array:
        sums = np.bincount(lines["order"], weights=lines[column].to_numpy(), minlength=len(orders))
        return sums.astype(np.int64)

    paid = total("paid")
    orders["discount"] = total("discount")
    orders["voucher_amount"] = total("voucher")
    orders["goods"] = paid + orders["discount"]
    orders["tax"] = total("tax")
    orders["shipping"] = np.where(paid < FREE_SHIPPING_FROM, shipping, 0)
    orders["total"] = paid + orders["shipping"] + (orders["tax"] if is_net else 0)


def follow_up(orders: pd.DataFrame, calendar: Calendar, random: Random) -> None:
    """Payment, delivery or cancellation: `cancelled_at`, `paid_at`, `delivered_at`, `changed_at`, `dunning`."""
    count = len(orders)
    ordered = orders["ordered_at"].to_numpy()
    hours = random.integers(600, 3 * 3600, count).astype("timedelta64[s]")
    cancelled = orders["is_cancelled"].to_numpy()
    unpaid = orders["is_unpaid"].to_numpy() & ~cancelled
    orders["cancelled_at"] = np.where(cancelled, ordered + hours, NOTHING)
    orders["paid_at"] = np.where(cancelled | unpaid, NOTHING, ordered + hours // 10)
    delivered_days = orders["days_ago"].to_numpy() - random.integers(1, 6, count)
    # Half of what is not paid was to be paid in advance and stays here.
    waits = unpaid & (random.random(count) < 0.5)
    arrived = ~cancelled & ~waits & (delivered_days >= 1)
    moments = calendar.moments(np.maximum(delivered_days, 1), random)
    orders["delivered_at"] = np.where(arrived, moments, NOTHING)
    orders["is_unpaid"] = unpaid
    orders["dunning"] = count_reminders(orders, 0)
    orders["changed_at"] = orders[["ordered_at", "cancelled_at", "paid_at", "delivered_at"]].max(axis=1)


def count_reminders(orders: pd.DataFrame, days_before: int) -> Array:
    """How often the buyer of each unpaid order had been reminded so many days before yesterday, at most three times."""
    days = orders["days_ago"].to_numpy() - days_before
    reminders = np.clip((days - UNPAID_AFTER_DAYS) // 20 + 1, 0, 3)
    return np.where(orders["is_unpaid"].to_numpy(), reminders, 0)


def send_back(
    orders: pd.DataFrame, lines: pd.DataFrame, prefix: str, first: int, calendar: Calendar, random: Random
) -> pd.DataFrame:
    """One row per line that `is_returned`: quantity, refund in cents (what was paid for that), reason, times."""
    count = len(lines)
    order = lines["order"].to_numpy()
    back_days = orders["days_ago"].to_numpy()[order] - random.integers(8, 25, count)
    arrived = orders["delivered_at"].notna().to_numpy()[order]
    chosen = np.flatnonzero(lines["is_returned"].to_numpy() & (back_days >= 1) & arrived)
    quantity = lines["quantity"].to_numpy()[chosen]
    whole = random.random(len(chosen)) < 0.8
    back = np.where(whole, quantity, 1 + (quantity * random.random(len(chosen))).astype(np.int64))
    returned_at = calendar.moments(back_days[chosen], random)
    refund_days = back_days[chosen] - random.integers(1, 5, len(chosen))
    refunded_at = calendar.moments(np.maximum(refund_days, 1), random)
    returns = pd.DataFrame({"return_no": prefix + numbers_as_texts(np.arange(len(chosen)) + first, 6)})
    returns["order_no"] = pick(lines["order_no"], chosen)
    returns["line_no"] = pick(lines["line_no"], chosen)
    returns["quantity"] = back
    returns["refund"] = rounded_share(lines["paid"].to_numpy()[chosen], back, quantity)
    returns["reason"] = draw_texts(random, vocabulary.RETURN_REASONS, len(chosen))
    returns["returned_at"] = returned_at
    returns["refunded_at"] = np.where(refund_days >= 1, refunded_at, NOTHING)
    return returns.assign(noises=pick(lines["noises"], chosen))
