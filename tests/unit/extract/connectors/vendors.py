"""Small companies behind servers of vendors, and what changes in them between two nights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.sample.servers.faults import Schedule
from pipelines.sample.servers.hubspot import HubspotServer
from pipelines.sample.servers.serving import VendorServer
from pipelines.sample.servers.shopify import ShopifyServer
from pipelines.sample.servers.zendesk import ZendeskServer

TOKEN = "tok-3f1c"


@dataclass(frozen=True)
class Vendor:
    """`make` starts anew with the same records; `change` is what a day does to them, once.

    `few` are entities that stand for every way in which this vendor is read.
    """

    name: str
    role: str
    entities: tuple[str, ...]
    few: tuple[str, ...]
    make: Callable[[], Any]
    change: Callable[[Any], None]
    block: Callable[[str], dict[str, Any]]

    def entry(self, url: str, entities: tuple[str, ...] | None = None) -> dict[str, Any]:
        return {
            "name": self.role,
            "role": self.role,
            "connector": self.name,
            self.name: self.block(url),
            "max_shrink": 0.5,
            "entities": dict.fromkeys(entities or self.entities),
        }

    @contextmanager
    def running(self, schedule: Schedule | None = None) -> Iterator[tuple[Any, VendorServer]]:
        served = self.make()
        with VendorServer(served.answer, schedule or Schedule()).running() as server:
            yield served, server


def moment(day: int, number: int = 0) -> str:
    """A second of a day of November 2026."""
    return f"2026-11-{day:02}T{8 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"


def _make_zendesk() -> ZendeskServer:
    users = [
        {
            "id": 900 + n,
            "name": f"User {n}",
            "email": f"user{n}@example.com",
            "phone": None,
            "locale": "de",
            "role": "agent" if n == 0 else "end-user",
            "active": n != 3,
            "organization_id": 70 + n % 2,
            "created_at": moment(1, n),
            "updated_at": moment(2, n // 3),  # several of one second, over the borders of pages
            "user_fields": {"card": f"K{n}"},
        }
        for n in range(23)
    ]
    tickets = [
        {
            "id": 4000 + n,
            "requester_id": 900 + n % 23,
            "subject": f"Frage {n}",
            "priority": ["low", "normal", "high", "urgent"][n % 4],
            "status": "deleted" if n == 5 else "open",
            "via": {"channel": "web", "source": {"from": {"address": "x@example.com"}}},
            "custom_fields": [{"id": 1001, "value": "Versand"}],
            "tags": ["vip"] if n % 2 else [],
            "metric_set": {"reopens": 0, "solved_at": None, "reply_time_in_seconds": {"calendar": 90}},
            "created_at": moment(3, n),
            "updated_at": moment(4, n),
        }
        for n in range(17)
    ]
    organizations = [
        {
            "id": 70 + n,
            "name": f"Firma {n}",
            "domain_names": [f"firma{n}.example.com"],
            "created_at": moment(1),
            "updated_at": moment(1),
        }
        for n in range(7)
    ]
    ratings = [
        {
            "id": 1 + n,
            "requester_id": 900 + n,
            "ticket_id": 4000 + n,
            "score": "good" if n % 3 else "bad",
            "comment": None,
            "created_at": moment(5, n),
            "updated_at": moment(5, n),
        }
        for n in range(9)
    ]
    tables = {"users": users, "tickets": tickets, "organizations": organizations, "satisfaction_ratings": ratings}
    tables["deleted_users"] = [{"id": 1, "name": "Permanently Deleted User", "updated_at": moment(1)}]
    return ZendeskServer(tables, token=TOKEN, page_size=5, shift=_change_zendesk)


def _change_zendesk(served: ZendeskServer) -> None:
    if any(user["id"] == 999 for user in served.tables["users"]):
        return
    users, tickets = served.tables["users"], served.tables["tickets"]
    users[1] |= {"email": "moved@example.com", "updated_at": moment(20, 1)}
    users[2] |= {"active": False, "updated_at": moment(20, 2)}
    users[3] |= {"active": True, "updated_at": moment(20, 3)}
    users.append({**users[4], "id": 999, "updated_at": moment(20, 4)})
    tickets[0] |= {"status": "deleted", "updated_at": moment(20)}
    tickets[1] |= {"status": "solved", "updated_at": moment(20, 1)}
    served.tables["organizations"][0] |= {"name": "Firma neu", "updated_at": moment(20)}
    served.tables["satisfaction_ratings"].append(
        {**served.tables["satisfaction_ratings"][0], "id": 99, "created_at": moment(20), "updated_at": moment(20)}
    )


ZENDESK = Vendor(
    "zendesk",
    "support",
    ("users", "tickets", "ratings", "companies"),
    ("users", "ratings", "companies"),
    _make_zendesk,
    _change_zendesk,
    lambda url: {"url": url, "email": "agent@example.com", "token": "${VENDOR_TOKEN}"},
)


def hubspot_record(number: int, day: int, second: int = 0, **properties: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "properties": properties,
        "createdAt": moment(1, number % 1000),
        "updatedAt": moment(day, second),
        "archived": False,
        "archivedAt": None,
    }


def milliseconds(day: int, second: int = 0) -> int:
    return int(datetime.fromisoformat(moment(day, second).replace("Z", "+00:00")).timestamp() * 1000)


def _make_hubspot() -> HubspotServer:
    primary, plain = (
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {
            "category": "HUBSPOT_DEFINED",
            "typeId": 279,
            "label": None,
        },
    )
    buyer = {"category": "USER_DEFINED", "typeId": 33, "label": "Einkauf"}
    contacts = [
        hubspot_record(
            100 + n,
            2,
            n // 3,
            email=f"contact{n}@example.com",
            firstname=f"Vorname {n}",
            lifecyclestage="customer" if n % 2 else "salesqualifiedlead",
            associatedcompanyid="501" if n < 4 else "",
            hs_lifecyclestage_lead_date=moment(1, n),
            hs_lifecyclestage_customer_date=moment(2, n) if n % 2 else "",
            hs_merged_object_ids="90;91" if n == 2 else "",
            card=f"K{n}",
        )
        for n in range(17)
    ]
    contacts[5] |= {"archived": True, "archivedAt": moment(3)}
    deals = [
        hubspot_record(
            700 + n,
            3,
            n,
            dealname=f"Angebot {n}",
            amount="12.50",
            deal_currency_code="EUR",
            hs_is_closed="true" if n % 2 else "false",
            hs_is_closed_won="true" if n % 4 == 1 else "false",
            closedate=moment(9, n),
        )
        for n in range(7)
    ]
    return HubspotServer(
        objects={
            "contacts": contacts,
            "companies": [hubspot_record(500 + n, 2, n, name=f"Firma {n}", domain="x.example.com") for n in range(6)],
            "deals": deals,
            "calls": [
                hubspot_record(
                    300 + n, 4, n, hs_timestamp=moment(4, n), hs_call_direction="INBOUND", hs_call_duration="61000"
                )
                for n in range(4)
            ],
            "meetings": [hubspot_record(300, 4, hs_timestamp=moment(4), hs_meeting_outcome="COMPLETED")],
            "postal_mail": [],
        },
        links={
            ("contacts", "companies"): [
                (str(100 + n), str(501 - m), [primary] if not m else [plain, buyer]) for n in range(4) for m in (1, 0)
            ],
            ("deals", "contacts"): [("700", "101", [plain]), ("700", "100", [plain, buyer]), ("703", "102", [plain])],
            ("deals", "companies"): [
                ("700", "502", [{"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}])
            ],
            ("calls", "contacts"): [("300", "101", [plain])],
        },
        statuses={
            f"contact{n}@example.com": [
                {
                    "subscriptionId": 11,
                    "subscriptionName": "advertising",
                    "channel": "EMAIL",
                    "status": ["SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"][n % 3],
                    "timestamp": moment(2, n),
                    "source": "FORM",
                    "legalBasis": "CONSENT_WITH_NOTICE",
                    "legalBasisExplanation": "Formular 3",
                }
            ]
            for n in range(9)
        },
        events=[
            {
                "id": f"e{n}",
                "type": ["SENT", "OPEN", "PROCESSED", "BOUNCE"][n % 4],
                "status": "5.1.1",
                "recipient": f"contact{n}@example.com",
                "emailCampaignId": 1,
                "filteredEvent": n == 1,
                "created": milliseconds(6, n),
                "sentBy": {"id": "s1", "created": milliseconds(6)},
            }
            for n in range(13)
        ],
        campaigns=[
            {"id": 1 + n, "appId": 2, "lastUpdatedTime": milliseconds(5, n), "name": f"Mailing {n}", "subject": "Neu"}
            for n in range(3)
        ],
        token=TOKEN,
        page_size=5,
        shift=_change_hubspot,
    )


def _change_hubspot(served: HubspotServer) -> None:
    contacts = served.objects["contacts"]
    if any(record["id"] == "999" for record in contacts):
        return
    contacts[0] |= {"updatedAt": moment(21, 7200), "properties": {**contacts[0]["properties"], "firstname": "Neu"}}
    contacts[1] |= {"archived": True, "archivedAt": moment(21, 7200)}
    merged = next(record for record in contacts if record["id"] == "107")
    contacts.remove(merged)
    contacts[6] |= {
        "updatedAt": moment(21, 7201),
        "properties": {
            **contacts[6]["properties"],
            "hs_merged_object_ids": "107",
            "hs_additional_emails": "contact7@example.com",
            "hs_lifecyclestage_lead_date": "",
        },
    }
    contacts.append(hubspot_record(999, 21, 7202, email="contact1@example.com", firstname="Spät"))
    links = served.links["contacts", "companies"]
    served.links["contacts", "companies"] = [link for link in links if link[:2] != ("100", "500")]
    served.objects["deals"][0] |= {"updatedAt": moment(21, 7200)}
    served.links["deals", "contacts"] = [
        link for link in served.links["deals", "contacts"] if link[:2] != ("700", "101")
    ]
    served.events.append({**served.events[0], "id": "late", "created": milliseconds(21, 7200)})
    served.campaigns[0]["lastUpdatedTime"] = milliseconds(21)
    served.campaigns[0]["name"] = "Mailing neu"


HUBSPOT = Vendor(
    "hubspot",
    "crm",
    (
        "contacts",
        "stage_changes",
        "company_contacts",
        "permissions",
        "companies",
        "deals",
        "deal_contacts",
        "interactions",
        "campaigns",
        "touches",
    ),
    ("contacts", "company_contacts", "touches"),
    _make_hubspot,
    _change_hubspot,
    lambda url: {"url": url, "token": "${VENDOR_TOKEN}"},
)


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def _make_shopify() -> ShopifyServer:
    address = {"firstName": "Jo", "lastName": "Muster", "address1": "Weg 1", "address2": "Hof", "zip": "10115"}
    address |= {"city": "Berlin", "provinceCode": "BE", "countryCodeV2": "DE", "phone": None, "company": None}
    customers = [
        {
            "id": gid("Customer", 100 + n),
            "firstName": f"Vorname {n}",
            "lastName": "Muster",
            "locale": "de",
            "createdAt": moment(1, n),
            "updatedAt": moment(2, n // 3),
            "defaultEmailAddress": {
                "emailAddress": f"kunde{n}@example.com",
                "marketingState": ["SUBSCRIBED", "UNSUBSCRIBED", "NOT_SUBSCRIBED", "PENDING"][n % 4],
                "marketingOptInLevel": "CONFIRMED_OPT_IN",
                "marketingUpdatedAt": moment(2, n),
            },
            "defaultPhoneNumber": {
                "phoneNumber": "+49301234567",
                "smsMarketingConsent": {"state": "SUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": moment(2)},
            }
            if n == 5
            else None,
            "defaultAddress": address if n else None,
        }
        for n in range(13)
    ]
    products = [
        {
            "id": gid("Product", 500 + n),
            "title": f"Artikel {n}",
            "productType": "Schuhe",
            "vendor": "Marke",
            "isGiftCard": False,
            "createdAt": moment(1),
            "updatedAt": moment(1, n),
            "variants": [
                {
                    "id": gid("ProductVariant", 600 + 10 * n + v),
                    "sku": f"S-{n}-{v}",
                    "displayName": f"Artikel {n} - {v}",
                    "price": "19.90",
                    "createdAt": moment(1),
                    "updatedAt": moment(1, n),
                    "inventoryItem": {"unitCost": {"amount": "7.50", "currencyCode": "EUR"} if v else None},
                }
                for v in range(3)
            ],
        }
        for n in range(5)
    ]
    orders = [
        {
            "id": gid("Order", 1000 + n),
            "email": f"kunde{n % 13}@example.com",
            "phone": None,
            "createdAt": moment(3, n),
            "updatedAt": moment(4, n // 2),
            "processedAt": moment(3, n),
            "cancelledAt": moment(5) if n == 3 else None,
            "sourceName": "web",
            "currencyCode": "EUR",
            "taxesIncluded": True,
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "FULFILLED",
            "discountCodes": ["NEU10"] if n == 1 else [],
            "customer": {"id": gid("Customer", 100 + n % 13)} if n % 5 else None,
            "billingAddress": address,
            "shippingAddress": None,
            "subtotalPriceSet": money("37.80"),
            "totalShippingPriceSet": money("4.90"),
            "totalTaxSet": money("6.04"),
            "totalPriceSet": money("42.70"),
            "customerJourneySummary": None,
            "metafields": {"buchhaltung.mahnstufe": str(n % 3)},
            "transactions": [{"kind": "SALE", "status": "SUCCESS", "processedAt": moment(3, n)}],
            "fulfillments": [{"deliveredAt": moment(4, n)}],
            "refunds": [
                {
                    "id": gid("Refund", 2000 + n),
                    "createdAt": moment(6, n),
                    "note": "zu klein",
                    "return": {"createdAt": moment(5, n)} if n else None,
                    "refundLineItems": [
                        {
                            "id": gid("RefundLineItem", 10 * n + i),
                            "quantity": 1,
                            "lineItem": {"id": gid("LineItem", 5000 + 100 * n + i)},
                            "subtotalSet": money("19.90"),
                            "totalTaxSet": money("3.18"),
                        }
                        for i in range(3)
                    ],
                }
            ]
            if n % 4 == 0
            else [],
            "lineItems": [
                {
                    "id": gid("LineItem", 5000 + 100 * n + i),
                    "quantity": 1,
                    "originalUnitPriceSet": money("19.90"),
                    "variant": {"id": gid("ProductVariant", 600)} if i else None,
                    "product": {"id": gid("Product", 500)},
                    "discountAllocations": [
                        {"allocatedAmountSet": money("1.00")},
                        {"allocatedAmountSet": money("0.10")},
                    ],
                    "taxLines": [{"rate": 0.19, "priceSet": money("3.02")}],
                }
                for i in range(1 + n % 4)
            ],
        }
        for n in range(17)
    ]
    carts = [
        {
            "id": gid("AbandonedCheckout", 40 + n),
            "createdAt": moment(7, n),
            "updatedAt": moment(7, n),
            "completedAt": None,
            "totalPriceSet": money("19.90"),
            "customer": {"id": gid("Customer", 100), "defaultEmailAddress": {"emailAddress": "kunde0@example.com"}},
            "lineItems": [
                {
                    "id": gid("AbandonedCheckoutLineItem", 1),
                    "quantity": 2,
                    "sku": "S",
                    "variant": {"id": gid("ProductVariant", 600)},
                    "product": None,
                    "originalUnitPriceSet": money("9.95"),
                }
            ],
        }
        for n in range(3)
    ]
    return ShopifyServer(
        {"customers": customers, "products": products, "orders": orders, "abandonedCheckouts": carts},
        token=TOKEN,
        page_size=3,
        shift=_change_shopify,
    )


def _change_shopify(served: ShopifyServer) -> None:
    customers, orders = served.roots["customers"], served.roots["orders"]
    if any(record["id"] == gid("Customer", 999) for record in customers):
        return
    late = moment(21, 7200)
    customers[1] |= {"firstName": "Neu", "updatedAt": late}
    customers[1]["defaultEmailAddress"] |= {"marketingState": "NOT_SUBSCRIBED"}
    customers.append({**customers[2], "id": gid("Customer", 999), "updatedAt": late})
    for n in range(4, 9):
        orders[n] |= {"updatedAt": late, "displayFinancialStatus": "REFUNDED"}
    orders[7]["lineItems"] = orders[7]["lineItems"][1:]
    orders[6]["refunds"] = [{**orders[0]["refunds"][0], "id": gid("Refund", 2999)}]
    served.roots["products"][0] |= {"title": "Artikel neu", "updatedAt": late}
    served.roots["abandonedCheckouts"][0] |= {"completedAt": late, "updatedAt": late}


SHOPIFY = Vendor(
    "shopify",
    "shop",
    ("customers", "permissions", "products", "orders", "order_lines", "order_discounts", "returns", "carts"),
    ("customers", "order_lines", "returns"),
    _make_shopify,
    _change_shopify,
    lambda url: {"url": url, "token": "${VENDOR_TOKEN}"},
)
VENDORS = (ZENDESK, HUBSPOT, SHOPIFY)
