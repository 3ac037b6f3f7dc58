"""Shopify's Admin GraphQL: bulk operations for a complete read, pages by cursor for what changed, throttled by cost.

Add here what Shopify calls its things and how it hands them over. The mapping is in
`configuration/mappings/shopify.yml`; the tests validate every query against the published schema.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors import http
from pipelines.extract.connectors.http import Client, ahead
from pipelines.extract.offers import Offer, Parents, Position, Reading
from pipelines.extract.spool import flatten
from pipelines.settings import Settings

Record = dict[str, Any]

STREAMS = (
    ("customers", "permissions"),
    ("products",),
    ("orders", "order_lines", "order_discounts", "returns"),
    ("carts",),
)
SCOPES = {"customers": "read_customers", "products": "read_products", "orders": "read_orders", "carts": "read_orders"}
# Nodes of a page so that a query stays below the thousand points that one may cost; halved when it does not.
PAGES = {"customers": 100, "products": 12, "orders": 3, "abandonedCheckouts": 7}
CHILDREN, REFUNDS, BATCH = 20, 5, 1000
ATTEMPTS = 40  # of one query while the server throttles it
LONGEST_POLL_SECONDS = 6 * 3600
OPERATION_ATTEMPTS = 3

_MONEY = "{ shopMoney { amount currencyCode } }"
_ADDRESS = "{ firstName lastName company address1 address2 zip city provinceCode countryCodeV2 phone }"
# Moved to a field of its own with version 2026-10.
_SMS_CONSENT_SINCE = "2026-10"
_SMS_CONSENT = "marketingState{0} marketingOptInLevel{1} marketingUpdatedAt{2}"
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
        discountAllocations {{ allocatedAmountSet {_MONEY} }}
        taxLines {{ rate priceSet {_MONEY} }}
        """,
    ),
    "abandonedCheckouts": (
        "lineItems",
        f"id quantity sku variant {{ id }} product {{ id }} originalUnitPriceSet {_MONEY}",
    ),
}
PARENT_TYPES = {"products": "Product", "orders": "Order", "abandonedCheckouts": "AbandonedCheckout"}
# Checkouts cannot be sorted by their change; in the order of their ids none is passed over.
SORTED_BY = {"abandonedCheckouts": "ID"}
_REFUND_LINES = f"""
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id quantity lineItem {{ id }} subtotalSet {_MONEY} totalTaxSet {_MONEY} }}
"""
REFUND_QUERY = f"""
    query refunds($ids: [ID!]!, $first: Int!) {{
        nodes(ids: $ids) {{
            ... on Refund {{ id createdAt note refundLineItems(first: $first) {{ {_REFUND_LINES} }} }}
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


def node_fields(root: str, version: str) -> str:
    """What is asked for of a node, as a version calls it."""
    if version >= _SMS_CONSENT_SINCE:
        consent = f"smsMarketingConsent {{ {_SMS_CONSENT.format(': state', ': optInLevel', ': updatedAt')} }}"
    else:
        consent = _SMS_CONSENT.format("", "", "")
    return NODES[root].replace("SMS_CONSENT", consent)


def page_query(root: str, version: str) -> str:
    """The query for a page of one root connection, with the first children of each node."""
    child = ""
    if root in CHILD_NODES:
        name, fields = CHILD_NODES[root]
        child = f"{name}(first: $children) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {fields} }} }}"
    variables = "$first: Int!, $after: String, $filter: String" + (", $children: Int!" if child else "")
    return f"""
        query {root}({variables}) {{
            {root}(first: $first, after: $after, query: $filter, sortKey: {SORTED_BY.get(root, "UPDATED_AT")}) {{
                pageInfo {{ hasNextPage endCursor }}
                nodes {{ {node_fields(root, version)} {child} }}
            }}
        }}
    """


def child_query(root: str) -> str:
    """The query for further children of one node."""
    name, fields = CHILD_NODES[root]
    return f"""
        query {name}($id: ID!, $children: Int!, $after: String) {{
            node(id: $id) {{
                ... on {PARENT_TYPES[root]} {{
                    id
                    {name}(first: $children, after: $after) {{
                        pageInfo {{ hasNextPage endCursor }}
                        nodes {{ {fields} }}
                    }}
                }}
            }}
        }}
    """


def bulk_query(root: str, version: str) -> str:
    """The same nodes as a bulk operation takes them: edges, no variables, children as a connection."""
    child = ""
    if root in CHILD_NODES:
        name, fields = CHILD_NODES[root]
        child = f"{name} {{ edges {{ node {{ {fields} }} }} }}"
    return f"{{ {root} {{ edges {{ node {{ {node_fields(root, version)} {child} }} }} }} }}"


class Shopify:
    """One shop of `sources.yml`. Deleted and merged customers and deleted orders are found by a complete read."""

    tells_deletions = False

    def __init__(self, source: SourceConfig, settings: Settings) -> None:
        assert source.shopify is not None  # noqa: S101 - the configuration was validated
        self.source, self.config = source, source.shopify
        self.client = Client(
            f"{source.name} (Shopify)",
            expand(self.config.url, settings).rstrip("/"),
            {"X-Shopify-Access-Token": expand(self.config.token, settings)},
        )
        self.path = f"/admin/api/{self.config.version}/graphql.json"
        self.pages, self.children = dict(PAGES), CHILDREN

    def read(self, reading: Reading) -> dict[str, Offer]:
        first = reading.entities[0]
        readers = (self._read_customers, self._read_products, self._read_orders, self._read_carts)
        for stream, read in zip(STREAMS, readers, strict=True):
            if first in stream:
                return read(reading)
        raise SourceError(f"{self.source.name}: Shopify delivers no {first}; take it out of sources.yml.")

    def rewind(self, position: Position, since: datetime) -> Position:
        return {**position, "since": since.isoformat()}

    def check(self) -> list[str]:
        data = self._ask(CHECK_QUERY, {})
        granted = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
        granted |= {scope.replace("write_", "read_") for scope in granted}
        wanted = {SCOPES[stream[0]] for stream in STREAMS if set(stream) & self.source.entities.keys()}
        if missing := sorted(wanted - granted):
            raise SourceError(
                f"{self.client.who}: the token lacks the scope {', '.join(missing)}; grant it in the app, or take the "
                f"entities out of sources.yml."
            )
        return [f"shop in {data['shop']['currencyCode']}", f"scopes: {', '.join(sorted(granted & wanted))}"]

    def _read_customers(self, reading: Reading) -> dict[str, Offer]:
        spools, ids = reading.spools, set()
        for nodes in ahead(self._nodes("customers", reading)):
            for node in nodes:
                ids.add(node["id"])
                if "customers" in spools:
                    spools["customers"].add(flatten(node))
                if "permissions" in spools:
                    for permission in list_permissions(node):
                        spools["permissions"].add(permission)
        return self._offers(reading, Parents("contact_record_id", frozenset(ids)), {"customers"})

    def _read_products(self, reading: Reading) -> dict[str, Offer]:
        """Products, and their variants as products of their own: these have the price, the cost and the number."""
        for nodes in ahead(self._nodes("products", reading)):
            for node in nodes:
                common = {"category": node["productType"], "brand": node["vendor"], "is_gift_card": node["isGiftCard"]}
                times = {"createdAt": node["createdAt"], "updatedAt": node["updatedAt"]}
                reading.spools["products"].add({"id": node["id"], "name": node["title"], **common, **times})
                for variant in node["variants"]:
                    cost = (variant.get("inventoryItem") or {}).get("unitCost") or {}
                    reading.spools["products"].add(
                        {
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
                        }
                    )
        return self._offers(reading, None, {"products"})

    def _read_orders(self, reading: Reading) -> dict[str, Offer]:
        spools, ids, refunds = reading.spools, set(), {}
        for nodes in ahead(self._nodes("orders", reading)):
            for node in nodes:
                order = node["id"]
                ids.add(order)
                for refund in node["refunds"]:
                    refunds[refund["id"]] = order
                lines = [describe_line(order, line) for line in node.pop("lineItems")]
                if "orders" in spools:
                    discount = sum((Decimal(line["discount"]) for line in lines), Decimal())
                    spools["orders"].add(flatten(node) | {"goods_discount": format(discount, "f")})
                for line in lines if "order_lines" in spools else ():
                    spools["order_lines"].add(line)
                for code in dict.fromkeys(node["discountCodes"]) if "order_discounts" in spools else ():
                    spools["order_discounts"].add({"id": f"{order}:{code}", "order_id": order, "code": code})
        if "returns" in spools:
            for record in ahead(self._refund_lines(refunds)):
                spools["returns"].add(record)
        return self._offers(reading, Parents("order_record_id", frozenset(ids)), {"orders"})

    def _read_carts(self, reading: Reading) -> dict[str, Offer]:
        for nodes in ahead(self._nodes("abandonedCheckouts", reading)):
            for node in nodes:
                lines = [
                    {
                        "product_record_id": ((line.get("variant") or line.get("product")) or {}).get("id"),
                        "quantity": line["quantity"],
                        "unit_amount": line["originalUnitPriceSet"]["shopMoney"]["amount"],
                    }
                    for line in node.pop("lineItems")
                ]
                reading.spools["carts"].add(flatten(node) | {"lines": lines})
        return self._offers(reading, None, {"carts"})

    def _offers(self, reading: Reading, parents: Parents | None, roots: set[str]) -> dict[str, Offer]:
        is_complete = reading.position is None
        return {
            name: Offer(
                reading.spools[name].finish(),
                is_complete=is_complete,
                position={"since": reading.now.isoformat()},
                parents=None if is_complete or name in roots else parents,
            )
            for name in reading.entities
        }

    def _nodes(self, root: str, reading: Reading) -> Iterator[list[Record]]:
        """Batches of nodes with all their children, ids shortened to their number."""
        if reading.position is None:
            batches: Iterable[list[Record]] = self._run_operation(root)
        else:
            since = datetime.fromisoformat(reading.position["since"]) - timedelta(minutes=self.config.overlap_minutes)
            moment = since.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            batches = self._page(root, f"updated_at:>='{moment}'")
        for batch in batches:
            yield [shorten(node) for node in batch]

    def _page(self, root: str, condition: str) -> Iterator[list[Record]]:
        after: str | None = None
        while True:
            found = self._ask_sized(
                root,
                lambda cursor=after: self._ask(  # type: ignore[misc]
                    page_query(root, self.config.version),
                    {"first": self.pages[root], "after": cursor, "filter": condition}
                    | ({"children": self.children} if root in CHILD_NODES else {}),
                ),
            )[root]
            if root in CHILD_NODES:
                for node in found["nodes"]:
                    self._complete_children(root, node)
            yield found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            self._assert_moved(after, found["pageInfo"]["endCursor"], root)
            after = found["pageInfo"]["endCursor"]

    def _ask_sized(self, root: str, ask: Callable[[], Record]) -> Record:
        """Ask with smaller pages when the server says that a query costs too much."""
        while True:
            try:
                return ask()
            except _TooDearError:
                if self.pages[root] == 1 and self.children == 1:
                    raise SourceError(
                        f"{self.client.who}: the server takes even the smallest page for too dear; nothing was landed."
                    ) from None
                self.pages[root], self.children = max(self.pages[root] // 2, 1), max(self.children // 2, 1)

    def _complete_children(self, root: str, node: Record) -> None:
        name = CHILD_NODES[root][0]
        found = node[name]
        children, info = found["nodes"], found["pageInfo"]
        while info["hasNextPage"]:
            variables = {"id": node["id"], "children": self.children, "after": info["endCursor"]}
            more = self._ask(child_query(root), variables)["node"]
            if more is None:  # deleted meanwhile
                break
            children += more[name]["nodes"]
            self._assert_moved(info["endCursor"], more[name]["pageInfo"]["endCursor"], name)
            info = more[name]["pageInfo"]
        node[name] = children

    def _run_operation(self, root: str) -> Iterator[list[Record]]:
        """All nodes of a root by a bulk operation, in batches; a child belongs to the last parent before it."""
        for attempt in range(OPERATION_ATTEMPTS):
            operation = self._wait_for(self._start_operation(bulk_query(root, self.config.version)))
            if operation["status"] == "COMPLETED":
                break
            if operation.get("errorCode") == "ACCESS_DENIED" or attempt + 1 == OPERATION_ATTEMPTS:
                reason = (
                    "lacks the scope for it" if operation.get("errorCode") == "ACCESS_DENIED" else "did not succeed"
                )
                raise SourceError(
                    f"{self.client.who}: the bulk operation for {root} {reason} ({operation['status'].lower()}); "
                    f"nothing was landed. Check the token's scopes, and start again."
                )
        count, name = 0, CHILD_NODES.get(root, ("", ""))[0]
        batch: list[Record] = []
        parents: dict[str, Record] = {}
        for record in self.client.lines(operation["url"]) if operation["url"] else ():
            count += 1
            parent = record.pop("__parentId", None)
            if parent is not None:
                parents[parent][name].append(record)
                continue
            if len(batch) >= BATCH:
                yield batch
                batch, parents = [], {}
            if name:
                record[name] = []
                parents[record["id"]] = record
            batch.append(record)
        if count != int(operation["objectCount"]):
            raise SourceError(
                f"{self.client.who}: the bulk operation for {root} has {operation['objectCount']} objects, but its "
                f"file has {count}; nothing was landed. Start again."
            )
        yield batch

    def _start_operation(self, query: str) -> str:
        begun = time.monotonic()
        while True:
            found = self._ask(RUN_OPERATION, {"query": query})["bulkOperationRunQuery"]
            if not found["userErrors"]:
                return str(found["bulkOperation"]["id"])
            codes = {error.get("code") for error in found["userErrors"]}
            if codes != {"OPERATION_IN_PROGRESS"} or time.monotonic() - begun > LONGEST_POLL_SECONDS:
                raise SourceError(
                    f"{self.client.who}: a bulk operation was refused ({', '.join(sorted(map(str, codes)))}); nothing "
                    f"was landed."
                )
            http.pause(self.config.poll_seconds)

    def _wait_for(self, operation_id: str) -> Record:
        begun = time.monotonic()
        while True:
            operation: Record | None = self._ask(LOOK_AT_OPERATION, {"id": operation_id})["node"]
            if operation is None:
                raise SourceError(f"{self.client.who}: the bulk operation was removed; start again.")
            if operation["status"] not in {"CREATED", "RUNNING", "CANCELING"}:
                return operation
            if time.monotonic() - begun > LONGEST_POLL_SECONDS:
                raise SourceError(
                    f"{self.client.who}: the bulk operation has not ended in six hours; nothing was landed."
                )
            http.pause(self.config.poll_seconds)

    def _refund_lines(self, orders: Mapping[str, str]) -> Iterator[Record]:
        """The returned lines of refunds, which a bulk operation cannot hand over: lists hold no connections there."""
        ids = sorted(orders, key=int)
        for begin in range(0, len(ids), REFUNDS):
            wanted = [f"gid://shopify/Refund/{i}" for i in ids[begin : begin + REFUNDS]]
            for refund in self._ask(REFUND_QUERY, {"ids": wanted, "first": CHILDREN})["nodes"]:
                if refund is None:
                    continue
                found = refund["refundLineItems"]
                lines, info = found["nodes"], found["pageInfo"]
                while info["hasNextPage"]:
                    variables = {"id": refund["id"], "first": CHILDREN, "after": info["endCursor"]}
                    more = self._ask(REFUND_LINES_QUERY, variables)["node"]["refundLineItems"]
                    lines += more["nodes"]
                    self._assert_moved(info["endCursor"], more["pageInfo"]["endCursor"], "refundLineItems")
                    info = more["pageInfo"]
                number = _number(refund["id"])
                for line in lines:
                    short = flatten(shorten(line))
                    yield {
                        **short,
                        "id": f"{number}:{short['lineItem.id']}",
                        "order_id": orders[number],
                        "note": refund["note"],
                        "createdAt": refund["createdAt"],
                    }

    def _ask(self, query: str, variables: Record) -> Record:
        """The data of an answer; waits while the server throttles, and never takes a partial answer."""
        for _ in range(ATTEMPTS):
            answer = self.client.post(self.path, {"query": query, "variables": variables})
            errors = answer.get("errors") or []
            codes = (
                {(error.get("extensions") or {}).get("code") for error in errors} if isinstance(errors, list) else {""}
            )
            if not errors:
                return dict(answer["data"])
            if codes == {"THROTTLED"}:
                http.pause(_throttle_seconds(answer))
            elif "MAX_COST_EXCEEDED" in codes:
                raise _TooDearError
            elif "ACCESS_DENIED" in codes:
                raise SourceError(
                    f"{self.client.who}: the token may not read what was asked for; grant the scopes "
                    f"{', '.join(sorted(set(SCOPES.values())))}, and access to protected customer data."
                )
            elif codes != {"INTERNAL_SERVER_ERROR"}:
                named = ", ".join(sorted(str(code) for code in codes if code)) or "no code"
                raise SourceError(
                    f"{self.client.who}: a query was refused ({named}); check `version` in sources.yml, which is "
                    f"{self.config.version}. Nothing was landed."
                )
            else:
                http.pause(1.0)
        raise SourceError(f"{self.client.who}: the server throttled one query {ATTEMPTS} times; nothing was landed.")

    def _assert_moved(self, before: object, after: object, what: str) -> None:
        if after is None or after == before:
            raise SourceError(
                f"{self.client.who}: the pages of {what} do not go on though they are not at their end; nothing was "
                f"landed. Start again, and report it to Shopify when it stays."
            )


class _TooDearError(Exception):
    """A query costs more than the server takes in one."""


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


def describe_line(order: str, line: Record) -> Record:
    """An order line with the discounts and taxes that fall on it."""
    discounts = (a["allocatedAmountSet"]["shopMoney"]["amount"] for a in line["discountAllocations"])
    taxes = [t["priceSet"]["shopMoney"]["amount"] for t in line["taxLines"]]
    rates = [Decimal(str(t["rate"])) for t in line["taxLines"] if t["rate"] is not None]
    kept = {k: v for k, v in line.items() if k not in {"discountAllocations", "taxLines"}}
    return flatten(kept) | {
        "order_id": order,
        "discount": _total(discounts),
        "tax": _total(taxes),
        "tax_rate": format(sum(rates, Decimal()), "f") if rates else None,
    }


def shorten(value: Any) -> Any:
    """The same value with every id of Shopify's as its number."""
    if isinstance(value, str):
        return _number(value) if value.startswith("gid://shopify/") else value
    if isinstance(value, dict):
        return {name: shorten(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shorten(inner) for inner in value]
    return value


def _number(gid: str) -> str:
    return gid.rpartition("/")[2].partition("?")[0]


def _total(amounts: Iterable[str]) -> str:
    return format(sum((Decimal(amount) for amount in amounts), Decimal()), "f")


def _throttle_seconds(answer: Record) -> float:
    """How long the budget needs to grow to what the query costs."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = float(cost.get("requestedQueryCost") or 100) - float(status.get("currentlyAvailable") or 0)
    return min(max(missing / float(status.get("restoreRate") or 50), 0.1), 60.0)
