"""Every query that is sent to Shopify. The tests validate each of them against the published schema.

Add here what is asked for of a kind of record. When it is asked is decided in `api` and `bulk`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_MONEY = "{ shopMoney { amount currencyCode } }"
_ADDRESS = "{ firstName lastName company address1 address2 zip city provinceCode countryCodeV2 phone }"
# Moved to a field of its own with version 2026-10.
_SMS_CONSENT_SINCE = "2026-10"
_SMS_CONSENT = "marketingState{0} marketingOptInLevel{1} marketingUpdatedAt{2}"
# An order that was paid or sent in more parts than this is taken for paid and delivered with the last of these.
_PARTS = 10
# What is asked for of a node; `children` is the connection below it, which a bulk operation hands over by itself.
NODES = {
    "customers": f"""
        id firstName lastName locale createdAt updatedAt
        defaultEmailAddress {{ emailAddress marketingState marketingOptInLevel marketingUpdatedAt }}
        defaultPhoneNumber {{ phoneNumber SMS_CONSENT }}
        defaultAddress {_ADDRESS}
    """,
    "products": "id title productType vendor isGiftCard createdAt updatedAt",
    "orders": f"""
        id email phone createdAt updatedAt processedAt cancelledAt sourceName currencyCode taxesIncluded
        displayFinancialStatus displayFulfillmentStatus discountCodes
        customer {{ id }}
        billingAddress {_ADDRESS}
        shippingAddress {_ADDRESS}
        subtotalPriceSet {_MONEY} totalShippingPriceSet {_MONEY} totalTaxSet {_MONEY} totalPriceSet {_MONEY}
        customerJourneySummary {{ lastVisit {{ utmParameters {{ source medium campaign }} }} }}
        transactions(first: {_PARTS}) {{ kind status processedAt }}
        fulfillments(first: {_PARTS}) {{ deliveredAt }}
        refunds {{ id }}
    """,
    "abandonedCheckouts": f"""
        id createdAt updatedAt completedAt totalPriceSet {_MONEY}
        customer {{ id defaultEmailAddress {{ emailAddress }} }}
    """,
}
CHILD_NODES = {
    "products": (
        "variants",
        "id sku displayName price createdAt updatedAt inventoryItem { unitCost { amount currencyCode } }",
    ),
    "orders": (
        "lineItems",
        f"""
        id quantity originalUnitPriceSet {_MONEY} variant {{ id }} product {{ id }}
        discountAllocations {{
            allocatedAmountSet {_MONEY} discountApplication {{ ... on DiscountCodeApplication {{ code }} }}
        }}
        taxLines {{ rate priceSet {_MONEY} }}
        """,
    ),
    "abandonedCheckouts": (
        "lineItems",
        f"id quantity sku variant {{ id }} product {{ id }} originalUnitPriceSet {_MONEY}",
    ),
}
_PARENT_TYPES = {"products": "Product", "orders": "Order", "abandonedCheckouts": "AbandonedCheckout"}
# Checkouts cannot be sorted by their change; in the order of their ids none is passed over.
_SORTED_BY = {"abandonedCheckouts": "ID"}
_REFUND_LINES = f"""
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id quantity lineItem {{ id }} subtotalSet {_MONEY} totalTaxSet {_MONEY} }}
"""
REFUND_QUERY = f"""
    query refunds($ids: [ID!]!, $first: Int!) {{
        nodes(ids: $ids) {{
            ... on Refund {{
                id createdAt note return {{ createdAt }}
                refundLineItems(first: $first) {{ {_REFUND_LINES} }}
            }}
        }}
    }}
"""
REFUND_LINES_QUERY = f"""
    query refundLines($id: ID!, $first: Int!, $after: String) {{
        node(id: $id) {{ ... on Refund {{ id refundLineItems(first: $first, after: $after) {{ {_REFUND_LINES} }} }} }}
    }}
"""
RUN_OPERATION = """
    mutation run($query: String!) {
        bulkOperationRunQuery(query: $query, groupObjects: false) {
            bulkOperation { id status }
            userErrors { code field message }
        }
    }
"""
LOOK_AT_OPERATION = """
    query operation($id: ID!) {
        node(id: $id) { ... on BulkOperation { id status errorCode objectCount url } }
    }
"""
CHECK_QUERY = "query access { currentAppInstallation { accessScopes { handle } } shop { name currencyCode } }"

# How a field of the shop's own is named in sources.yml: metafields.<namespace>.<key>, customAttributes.<key>.
METAFIELD, ATTRIBUTE = re.compile(r"metafields\.([\w$:.-]+)\.([\w-]+)"), "customAttributes."


@dataclass(frozen=True)
class OwnFields:
    """Fields of the shop's own that the mapping names: of the nodes of a root, and of their children."""

    node: tuple[str, ...] = ()
    child: tuple[str, ...] = ()

    @classmethod
    def among(cls, node_columns: Iterable[str], child_columns: Iterable[str] = ()) -> OwnFields:
        return cls(_own_names(node_columns), _own_names(child_columns))


NO_OWN_FIELDS = OwnFields()


def page_query(root: str, version: str, own: OwnFields = NO_OWN_FIELDS) -> str:
    """The query for a page of one root connection, with the first children of each node."""
    child = ""
    if root in CHILD_NODES:
        name, fields = CHILD_NODES[root]
        fields = f"{fields} {_select_own(own.child)}"
        child = f"{name}(first: $children) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {fields} }} }}"
    variables = "$first: Int!, $after: String, $filter: String" + (", $children: Int!" if child else "")
    return f"""
        query {root}({variables}) {{
            {root}(first: $first, after: $after, query: $filter, sortKey: {_SORTED_BY.get(root, "UPDATED_AT")}) {{
                pageInfo {{ hasNextPage endCursor }}
                nodes {{ {_node_fields(root, version)} {_select_own(own.node)} {child} }}
            }}
        }}
    """


def child_query(root: str, own: OwnFields = NO_OWN_FIELDS) -> str:
    """The query for further children of one node."""
    name, fields = CHILD_NODES[root]
    return f"""
        query {name}($id: ID!, $children: Int!, $after: String) {{
            node(id: $id) {{
                ... on {_PARENT_TYPES[root]} {{
                    id
                    {name}(first: $children, after: $after) {{
                        pageInfo {{ hasNextPage endCursor }}
                        nodes {{ {fields} {_select_own(own.child)} }}
                    }}
                }}
            }}
        }}
    """


def bulk_query(root: str, version: str, own: OwnFields = NO_OWN_FIELDS) -> str:
    """The same nodes as a bulk operation takes them: edges, no variables, children as a connection."""
    child = ""
    if root in CHILD_NODES:
        name, fields = CHILD_NODES[root]
        child = f"{name} {{ edges {{ node {{ {fields} {_select_own(own.child)} }} }} }}"
    node = f"{_node_fields(root, version)} {_select_own(own.node)} {child}"
    return f"{{ {root} {{ edges {{ node {{ {node} }} }} }} }}"


def take_own(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The fields of the shop's own, taken out of a record as it was answered, by their names in sources.yml."""
    found: dict[str, Any] = {}
    for position, name in enumerate(names):
        if METAFIELD.fullmatch(name):
            found[name] = (record.pop(_alias(position), None) or {}).get("value")
    attributes = {entry["key"]: entry["value"] for entry in record.pop("customAttributes", None) or ()}
    return found | {name: attributes.get(name.removeprefix(ATTRIBUTE)) for name in names if name.startswith(ATTRIBUTE)}


def _node_fields(root: str, version: str) -> str:
    """What is asked for of a node, as a version calls it."""
    if version >= _SMS_CONSENT_SINCE:
        consent = f"smsMarketingConsent {{ {_SMS_CONSENT.format(': state', ': optInLevel', ': updatedAt')} }}"
    else:
        consent = _SMS_CONSENT.format("", "", "")
    return NODES[root].replace("SMS_CONSENT", consent)


def _own_names(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for c in columns if METAFIELD.fullmatch(c) or c.startswith(ATTRIBUTE)))


def _select_own(names: Sequence[str]) -> str:
    parts = []
    for position, name in enumerate(names):
        if match := METAFIELD.fullmatch(name):
            namespace, key = (json.dumps(part) for part in match.groups())
            parts.append(f"{_alias(position)}: metafield(namespace: {namespace}, key: {key}) {{ value }}")
    if any(name.startswith(ATTRIBUTE) for name in names):
        parts.append("customAttributes { key value }")
    return " ".join(parts)


def _alias(position: int) -> str:
    return f"own{position}"
