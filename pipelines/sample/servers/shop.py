"""The sample's shop as a Shopify: what Shopify has no field for is in metafields and attributes.

Add here where a field of the shop lives at Shopify; `sources.yml` beside this file says how it is mapped. How Shopify
answers is in `shopify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.sample.servers.numbers import number
from pipelines.sample.servers.shopify import ShopifyServer

Record = dict[str, Any]


def read_shop(folder: Path, **options: Any) -> ShopifyServer:
    """The shop of a sample's folder."""
    lines, refunds = _by_order(folder / "order_lines.parquet"), _by_order(folder / "returns.parquet")
    vouchers = _by_order(folder / "order_discounts.parquet")
    roots = {
        "customers": [_customer(row) for row in _rows(folder / "customers.parquet")],
        "products": [_product(row) for row in _rows(folder / "products.parquet")],
        "orders": [
            _order(
                row,
                lines.get(row["order_no"], []),
                refunds.get(row["order_no"], []),
                vouchers.get(row["order_no"], []),
            )
            for row in _rows(folder / "orders.parquet")
        ],
        "abandonedCheckouts": [_cart(row) for row in _rows(folder / "carts.parquet")],
    }
    return ShopifyServer(roots, **options)


def _rows(file: Path) -> Iterator[Record]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(file).iter_batches():
        yield from batch.to_pylist()


def _by_order(file: Path) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in _rows(file):
        found.setdefault(row["order_no"], []).append(row)
    return found


def _customer(row: Record) -> Record:
    own = {"anrede": "salutation", "anzeigename": "display_name", "mobil": "mobile_tel", "geburtstag": "dob"}
    state = "SUBSCRIBED" if row["newsletter"] else "NOT_SUBSCRIBED"
    return {
        "id": _gid("Customer", row["customer_no"]),
        "firstName": row["given_name"],
        "lastName": row["surname"],
        "locale": "de",
        "createdAt": _iso(row["registered_at"]),
        "updatedAt": _iso(row["changed_at"]),
        "defaultEmailAddress": None
        if row["mail"] is None
        else {
            "emailAddress": row["mail"],
            "marketingState": state,
            "marketingOptInLevel": None,
            "marketingUpdatedAt": None,
        },
        "defaultPhoneNumber": None if row["tel"] is None else {"phoneNumber": row["tel"], "smsMarketingConsent": None},
        "defaultAddress": _address(row, ""),
        "metafields": _metafields(
            {**{key: row[column] for key, column in own.items()}, "kundenkarte": row["loyalty_card"]},
            # Without a mailbox there is no state of marketing.
            {"newsletter": str(row["newsletter"]).lower()},
        ),
    }


def _product(row: Record) -> Record:
    """A product with one variant, which is what is sold: it has the number of the file."""
    times = {"createdAt": _iso(row["created_at"]), "updatedAt": _iso(row["created_at"])}
    return {
        "id": _gid("Product", f"9{number(row['product_no'])}"),
        "title": row["title"],
        "productType": row["category"],
        "vendor": row["brand"],
        "isGiftCard": False,
        **times,
        "variants": [
            {
                "id": _gid("ProductVariant", row["product_no"]),
                "sku": row["sku"],
                "displayName": row["title"],
                "price": str(row["list_price"]),
                **times,
                "inventoryItem": {"unitCost": {"amount": str(row["cost"]), "currencyCode": "EUR"}},
                "metafields": _metafields(
                    {"warengruppe": row["category_path"]}, {"sensibel": str(row["is_sensitive"]).lower()}
                ),
            }
        ],
    }


def _order(row: Record, lines: list[Record], returns: list[Record], vouchers: list[Record]) -> Record:
    left = {entry["voucher"]: entry["amount"] for entry in vouchers}
    currency, is_paid, has_arrived = row["currency"], row["paid_at"] is not None, row["delivered_at"] is not None
    return {
        "id": _gid("Order", row["order_no"]),
        "email": row["mail"],
        "phone": row["tel"],
        "createdAt": _iso(row["placed_at"]),
        "updatedAt": _iso(row["changed_at"]),
        "processedAt": _iso(row["placed_at"]),
        "cancelledAt": _iso(row["cancelled_at"]),
        "sourceName": row["sales_channel"],
        "currencyCode": currency,
        "taxesIncluded": True,
        "displayFinancialStatus": "PAID" if is_paid else "PENDING",
        "displayFulfillmentStatus": "FULFILLED" if has_arrived else "UNFULFILLED",
        "discountCodes": list(left),
        "customer": row["customer_no"] and {"id": _gid("Customer", row["customer_no"])},
        "billingAddress": _address(row, "bill_"),
        "shippingAddress": None,
        "subtotalPriceSet": _money(row["items_total"] - row["discount_total"], currency),
        "totalShippingPriceSet": _money(row["shipping"], currency),
        "totalTaxSet": _money(row["tax_total"], currency),
        "totalPriceSet": _money(row["grand_total"], currency),
        "customerJourneySummary": {
            "lastVisit": {"utmParameters": {"source": row["utm_source"], "medium": None, "campaign": None}}
        }
        if row["utm_source"]
        else None,
        "transactions": [{"kind": "SALE", "status": "SUCCESS", "processedAt": _iso(row["paid_at"])}] if is_paid else [],
        "fulfillments": [{"deliveredAt": _iso(row["delivered_at"])}] if has_arrived else [],
        "refunds": [_refund(entry, currency) for entry in returns],
        "lineItems": [_line(line, currency, left) for line in lines],
        "metafields": _metafields(
            {"mahnstufe": row["dunning"], "zahlung": row["payment"], "kampagne": row["campaign_no"]}
        ),
    }


def _line(row: Record, currency: str, left: dict[str, Decimal]) -> Record:
    """A line; of its discount the vouchers of the order take what is `left` of theirs, the rest needed no code."""
    parts: list[Record] = []
    rest: Decimal = row["discount"]
    for code in left:
        part = min(rest, left[code])
        left[code], rest = left[code] - part, rest - part
        parts.append({"allocatedAmountSet": _money(part, currency), "discountApplication": {"code": code}})
    parts.append({"allocatedAmountSet": _money(rest, currency), "discountApplication": {}})
    taxed = {"rate": float(row["vat_rate"]), "priceSet": _money(row["vat"], currency)}
    return {
        "id": _gid("LineItem", row["line_no"]),
        "quantity": row["qty"],
        "originalUnitPriceSet": _money(row["unit_price"], currency),
        "variant": {"id": _gid("ProductVariant", row["product_no"])},
        "product": {"id": _gid("Product", f"9{number(row['product_no'])}")},
        "discountAllocations": [part for part in parts if part["allocatedAmountSet"]["shopMoney"]["amount"] != "0.00"],
        "taxLines": [taxed],
        "customAttributes": [{"key": "einstand", "value": str(row["unit_cost"])}],
    }


def _refund(row: Record, currency: str) -> Record:
    """What was not paid back yet is paid back when it arrives: Shopify knows the amount from the refund only."""
    return {
        "id": _gid("Refund", row["return_no"]),
        "createdAt": _iso(row["refunded_at"] or row["returned_at"]),
        "note": row["reason"],
        "return": {"createdAt": _iso(row["returned_at"])},
        "refundLineItems": [
            {
                "id": _gid("RefundLineItem", row["return_no"]),
                "quantity": row["qty"],
                "lineItem": {"id": _gid("LineItem", row["line_no"])},
                "subtotalSet": _money(row["refund"], currency),
                "totalTaxSet": _money(Decimal(), currency),
            }
        ],
    }


def _cart(row: Record) -> Record:
    contents = json.loads(row["contents"])
    return {
        "id": _gid("AbandonedCheckout", row["cart_no"]),
        "createdAt": _iso(row["abandoned_at"]),
        "updatedAt": _iso(row["completed_at"] or row["abandoned_at"]),
        "completedAt": _iso(row["completed_at"]),
        "totalPriceSet": _money(row["total"], "EUR"),
        "customer": row["customer_no"]
        and {
            "id": _gid("Customer", row["customer_no"]),
            "defaultEmailAddress": row["email"] and {"emailAddress": row["email"]},
        },
        "customAttributes": [
            {"key": key, "value": value}
            for key, value in (("mail", row["email"]), ("bestellung", number(row["order_no"])))
            if value
        ],
        "lineItems": [
            {
                "id": _gid("AbandonedCheckoutLineItem", str(position)),
                "quantity": entry["quantity"],
                "sku": None,
                "variant": {"id": _gid("ProductVariant", entry["product"])},
                "product": None,
                "originalUnitPriceSet": _money(Decimal(), "EUR"),
            }
            for position, entry in enumerate(contents, start=1)
        ],
    }


def _address(row: Record, prefix: str) -> Record:
    """The house number stands in the second line."""
    country = row.get(f"{prefix}country") or row.get("country_code")
    return {
        "firstName": row.get(f"{prefix}first_name"),
        "lastName": row.get(f"{prefix}last_name"),
        "company": None,
        "address1": row[f"{prefix}street"],
        "address2": row[f"{prefix}house_no"],
        "zip": row[f"{prefix}zip"],
        "city": row[f"{prefix}town"],
        "provinceCode": None,
        "countryCodeV2": country,
        "phone": None,
    }


def _metafields(*values: Record) -> dict[str, str]:
    return {
        f"laden.{key}": value.isoformat() if isinstance(value, date) else str(value)
        for entries in values
        for key, value in entries.items()
        if value is not None
    }


def _money(amount: Decimal, currency: str) -> Record:
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}


def _gid(kind: str, record_id: str) -> str:
    return f"gid://shopify/{kind}/{number(record_id)}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
