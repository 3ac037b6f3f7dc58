"""What a node of Shopify's becomes: records of our entities, ids shortened to their number.

Add here how a node is taken apart. Nothing here asks the shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from pipelines.extract.spool import flatten

Record = dict[str, Any]


def list_permissions(customer: Record) -> Iterator[Record]:
    """What a customer said about e-mail and text messages; nothing where nothing was ever said."""
    email, phone = customer.get("defaultEmailAddress") or {}, customer.get("defaultPhoneNumber") or {}
    sms = phone.get("smsMarketingConsent") or phone
    said = (
        ("email", email.get("marketingState"), email.get("marketingOptInLevel"), email.get("marketingUpdatedAt")),
        ("sms", sms.get("marketingState"), sms.get("marketingOptInLevel"), sms.get("marketingUpdatedAt")),
    )
    for channel, state, level, changed_at in said:
        if state not in {None, "NOT_SUBSCRIBED", "INVALID"}:
            yield {
                "id": f"{customer['id']}:{channel}",
                "customer_id": customer["id"],
                "email": email.get("emailAddress") if channel == "email" else None,
                "phone": phone.get("phoneNumber") if channel == "sms" else None,
                "channel": channel,
                "state": state,
                "opt_in_level": level,
                "changed_at": changed_at,
            }


def list_products(node: Record) -> Iterator[Record]:
    """A product, and its variants as products of their own: these have the price, the cost and the number."""
    common = {"category": node["productType"], "brand": node["vendor"], "is_gift_card": node["isGiftCard"]}
    times = {"createdAt": node["createdAt"], "updatedAt": node["updatedAt"]}
    yield {"id": node["id"], "name": node["title"], **common, **times, **node["own"]}
    for variant in node["variants"]:
        cost = (variant.get("inventoryItem") or {}).get("unitCost") or {}
        yield {
            "id": variant["id"],
            "sku": variant["sku"],
            "name": variant["displayName"],
            "product_id": node["id"],
            "price": variant["price"],
            "cost": cost.get("amount"),
            "currency": cost.get("currencyCode"),
            "createdAt": variant["createdAt"],
            "updatedAt": variant["updatedAt"],
            **common,
            **variant["own"],
        }


def describe_order(order: Record, lines: Iterable[Record]) -> Record:
    """An order without its lines, with the discounts that fall on them, and when all of it was paid and had arrived."""
    own: Record = order["own"]
    kept = {k: v for k, v in order.items() if k not in {"lineItems", "own", "transactions", "fulfillments"}}
    paid = [
        t["processedAt"]
        for t in order["transactions"]
        if t["kind"] in {"SALE", "CAPTURE"} and t["status"] == "SUCCESS" and t["processedAt"]
    ]
    arrived = [part["deliveredAt"] for part in order["fulfillments"]]
    return {
        **flatten(kept),
        **own,
        "goods_discount": total(line["discount"] for line in lines),
        "paid_at": max(paid, default=None) if order["displayFinancialStatus"] not in _UNPAID else None,
        "delivered_at": max(arrived) if arrived and all(arrived) else None,
    }


_UNPAID = frozenset({"PENDING", "AUTHORIZED", "PARTIALLY_PAID", "EXPIRED", "VOIDED"})


def describe_line(order: str, line: Record) -> Record:
    """An order line with the discounts and taxes that fall on it."""
    taxes = [t["priceSet"]["shopMoney"]["amount"] for t in line["taxLines"]]
    rates = [Decimal(str(t["rate"])) for t in line["taxLines"] if t["rate"] is not None]
    own: Record = line["own"]
    kept = {k: v for k, v in line.items() if k not in {"discountAllocations", "taxLines", "own"}}
    return {
        **flatten(kept),
        **own,
        "order_id": order,
        "discount": total(a["allocatedAmountSet"]["shopMoney"]["amount"] for a in line["discountAllocations"]),
        "tax": total(taxes),
        "tax_rate": format(sum(rates, Decimal()), "f") if rates else None,
    }


def list_discounts(order: Record) -> Iterator[Record]:
    """The codes of an order, with what each took off its lines; nothing where Shopify does not tell it by line."""
    amounts: dict[str, list[str]] = {}
    for line in order["lineItems"]:
        for part in line["discountAllocations"]:
            if code := (part.get("discountApplication") or {}).get("code"):
                amounts.setdefault(code.lower(), []).append(part["allocatedAmountSet"]["shopMoney"]["amount"])
    for code in dict.fromkeys(order["discountCodes"]):
        found = amounts.get(code.lower())
        yield {
            "id": f"{order['id']}:{code}",
            "order_id": order["id"],
            "code": code,
            "amount": total(found) if found else None,
        }


def describe_cart(cart: Record) -> Record:
    """An abandoned checkout with what was in it."""
    lines = [
        {
            "product_record_id": ((line.get("variant") or line.get("product")) or {}).get("id"),
            "quantity": line["quantity"],
            "unit_amount": line["originalUnitPriceSet"]["shopMoney"]["amount"],
        }
        for line in cart["lineItems"]
    ]
    kept = {k: v for k, v in cart.items() if k not in {"lineItems", "own"}}
    return {**flatten(kept), **cart["own"], "lines": lines}


def describe_refund_lines(refund: Record, order: str, lines: Iterable[Record]) -> Iterator[Record]:
    """The lines of a refund; goods that came back did so when the return was opened."""
    number = number_of(refund["id"])
    for line in lines:
        short = flatten(shorten(line))
        yield {
            **short,
            "id": f"{number}:{short['lineItem.id']}",
            "order_id": order,
            "note": refund["note"],
            "createdAt": refund["createdAt"],
            "returnedAt": (refund.get("return") or {}).get("createdAt") or refund["createdAt"],
        }


def shorten(value: Any) -> Any:
    """The same value with every id of Shopify's as its number."""
    if isinstance(value, str):
        return number_of(value) if value.startswith("gid://shopify/") else value
    if isinstance(value, dict):
        return {name: shorten(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shorten(inner) for inner in value]
    return value


def number_of(gid: str) -> str:
    return gid.rpartition("/")[2].partition("?")[0]


def total(amounts: Iterable[str]) -> str:
    return format(sum((Decimal(amount) for amount in amounts), Decimal()), "f")
