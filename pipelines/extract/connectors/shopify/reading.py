"""The connector: which streams a shop has, how each is read, and what is handed over for landing.

Add a stream here. How a node is taken apart is in `records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors.http import Client, ahead
from pipelines.extract.connectors.shopify.api import CHILDREN, SCOPES, AdminApi
from pipelines.extract.connectors.shopify.bulk import run_operation
from pipelines.extract.connectors.shopify.queries import (
    CHECK_QUERY,
    CHILD_NODES,
    REFUND_LINES_QUERY,
    REFUND_QUERY,
    OwnFields,
    take_own,
)
from pipelines.extract.connectors.shopify.records import (
    describe_cart,
    describe_line,
    describe_order,
    describe_refund_lines,
    list_discounts,
    list_permissions,
    list_products,
    number_of,
    shorten,
)
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
# The root connection of a stream, and the entities that get the fields of its nodes and of their children.
_ROOTS = {
    "customers": ("customers", "customers", None),
    "products": ("products", "products", "products"),
    "orders": ("orders", "orders", "order_lines"),
    "carts": ("abandonedCheckouts", "carts", None),
}
REFUNDS = 5  # of one query


class Shopify:
    """One shop of `sources.yml`. Deleted and merged customers and deleted orders are found by a complete read."""

    tells_deletions = False

    def __init__(self, source: SourceConfig, settings: Settings) -> None:
        assert source.shopify is not None  # noqa: S101 - the configuration was validated
        self.source, self.config = source, source.shopify
        client = Client(
            f"{source.name} (Shopify)",
            expand(self.config.url, settings).rstrip("/"),
            {"X-Shopify-Access-Token": expand(self.config.token, settings)},
        )
        self.api = AdminApi(client, self.config.version)

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
        data = self.api.ask(CHECK_QUERY, {})
        granted = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
        granted |= {scope.replace("write_", "read_") for scope in granted}
        read = {stream[0] for stream in STREAMS if set(stream) & self.source.entities.keys()}
        wanted = {scope for name, scope in SCOPES.items() if name in read | self.source.entities.keys()}
        if missing := sorted(wanted - granted):
            raise SourceError(
                f"{self.api.client.who}: the token lacks the scope {', '.join(missing)}; grant it in the app, or take "
                f"the entities out of sources.yml."
            )
        return [f"shop in {data['shop']['currencyCode']}", f"scopes: {', '.join(sorted(granted & wanted))}"]

    def _read_customers(self, reading: Reading) -> dict[str, Offer]:
        spools, ids = reading.spools, set()
        for nodes in ahead(self._nodes("customers", reading)):
            for node in nodes:
                ids.add(node["id"])
                own = node.pop("own")
                if "customers" in spools:
                    spools["customers"].add(flatten(node) | own)
                if "permissions" in spools:
                    for permission in list_permissions(node):
                        spools["permissions"].add(permission)
        return self._offers(reading, Parents("contact_record_id", frozenset(ids)), {"customers"})

    def _read_products(self, reading: Reading) -> dict[str, Offer]:
        for nodes in ahead(self._nodes("products", reading)):
            for node in nodes:
                for record in list_products(node):
                    reading.spools["products"].add(record)
        return self._offers(reading, None, {"products"})

    def _read_orders(self, reading: Reading) -> dict[str, Offer]:
        spools, ids, refunds = reading.spools, set(), {}
        for nodes in ahead(self._nodes("orders", reading)):
            for node in nodes:
                order = node["id"]
                ids.add(order)
                for refund in node["refunds"]:
                    refunds[refund["id"]] = order
                lines = [describe_line(order, line) for line in node["lineItems"]]
                if "orders" in spools:
                    spools["orders"].add(describe_order(node, lines))
                for line in lines if "order_lines" in spools else ():
                    spools["order_lines"].add(line)
                for discount in list_discounts(node) if "order_discounts" in spools else ():
                    spools["order_discounts"].add(discount)
        if "returns" in spools:
            for record in ahead(self._refund_lines(refunds)):
                spools["returns"].add(record)
        return self._offers(reading, Parents("order_record_id", frozenset(ids)), {"orders"})

    def _read_carts(self, reading: Reading) -> dict[str, Offer]:
        for nodes in ahead(self._nodes("carts", reading)):
            for node in nodes:
                reading.spools["carts"].add(describe_cart(node))
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

    def _nodes(self, stream: str, reading: Reading) -> Iterator[list[Record]]:
        """Batches of nodes with all their children, ids shortened to their number, the shop's own fields as `own`."""
        root, node_entity, child_entity = _ROOTS[stream]
        own = OwnFields.among(reading.columns.get(node_entity, ()), reading.columns.get(child_entity or "", ()))
        if reading.position is None:
            batches: Iterable[list[Record]] = run_operation(self.api, root, own, self.config.poll_seconds)
        else:
            batches = self.api.page(root, self._changed_within(reading, reading.position), own)
        child_name = CHILD_NODES.get(root, ("", ""))[0]
        for batch in batches:
            for node in batch:
                node["own"] = take_own(node, own.node)
                for child in node.get(child_name, ()):
                    child["own"] = take_own(child, own.child)
            yield [shorten(node) for node in batch]

    def _changed_within(self, reading: Reading, position: Position) -> str:
        """A condition of Shopify's search: what changed since the last read, and a window before it for clocks."""
        since = datetime.fromisoformat(position["since"]) - timedelta(minutes=self.config.overlap_minutes)
        found = f"updated_at:>='{_search_time(since)}'"
        return found if reading.until is None else f"{found} AND updated_at:<'{_search_time(reading.until)}'"

    def _refund_lines(self, orders: Mapping[str, str]) -> Iterator[Record]:
        """The returned lines of refunds, which a bulk operation cannot hand over: lists hold no connections there."""
        ids = sorted(orders, key=int)
        for begin in range(0, len(ids), REFUNDS):
            wanted = [f"gid://shopify/Refund/{i}" for i in ids[begin : begin + REFUNDS]]
            for refund in self.api.ask(REFUND_QUERY, {"ids": wanted, "first": CHILDREN})["nodes"]:
                if refund is None:
                    continue
                found = refund["refundLineItems"]
                lines, info = found["nodes"], found["pageInfo"]
                while info["hasNextPage"]:
                    variables = {"id": refund["id"], "first": CHILDREN, "after": info["endCursor"]}
                    more = self.api.ask(REFUND_LINES_QUERY, variables)["node"]["refundLineItems"]
                    lines += more["nodes"]
                    self.api.assert_moved(info["endCursor"], more["pageInfo"]["endCursor"], "refundLineItems")
                    info = more["pageInfo"]
                yield from describe_refund_lines(refund, orders[number_of(refund["id"])], lines)


def _search_time(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
