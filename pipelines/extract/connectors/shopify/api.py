"""One shop's Admin API: ask, wait for the budget of query cost, and page by cursor.

Add here how Shopify answers. What is asked is in `queries`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelines.errors import SourceError
from pipelines.extract.connectors import http
from pipelines.extract.connectors.http import Client
from pipelines.extract.connectors.shopify.queries import CHILD_NODES, OwnFields, child_query, page_query

Record = dict[str, Any]

# What an entity needs beside the scope of the first one of its stream.
SCOPES = {
    "customers": "read_customers",
    "products": "read_products",
    "orders": "read_orders",
    "returns": "read_returns",
    "carts": "read_orders",
}
# Nodes of a page so that a query stays below the thousand points that one may cost; halved when it does not.
PAGES = {"customers": 100, "products": 12, "orders": 3, "abandonedCheckouts": 7}
CHILDREN = 20
ATTEMPTS = 40  # of one query while the server throttles it


class _TooDearError(Exception):
    """A query costs more than the server takes in one."""


class AdminApi:
    """Asks one shop; remembers how large its pages may be."""

    def __init__(self, client: Client, version: str) -> None:
        self.client, self.version = client, version
        self.path = f"/admin/api/{version}/graphql.json"
        self.pages, self.children = dict(PAGES), CHILDREN

    def ask(self, query: str, variables: Record) -> Record:
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
                    f"{self.version}. Nothing was landed."
                )
            else:
                http.pause(1.0)
        raise SourceError(f"{self.client.who}: the server throttled one query {ATTEMPTS} times; nothing was landed.")

    def page(self, root: str, condition: str, own: OwnFields) -> Iterator[list[Record]]:
        """Pages of the nodes of a root that meet a condition of Shopify's search, with all their children."""
        after: str | None = None
        while True:
            found = self._ask_sized(
                root,
                lambda cursor=after: self.ask(  # type: ignore[misc]
                    page_query(root, self.version, own),
                    {"first": self.pages[root], "after": cursor, "filter": condition}
                    | ({"children": self.children} if root in CHILD_NODES else {}),
                ),
            )[root]
            if root in CHILD_NODES:
                for node in found["nodes"]:
                    self._complete_children(root, node, own)
            yield found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            self.assert_moved(after, found["pageInfo"]["endCursor"], root)
            after = found["pageInfo"]["endCursor"]

    def assert_moved(self, before: object, after: object, what: str) -> None:
        """Paging that stands still is no end."""
        if after is None or after == before:
            raise SourceError(
                f"{self.client.who}: the pages of {what} do not go on though they are not at their end; nothing was "
                f"landed. Start again, and report it to Shopify when it stays."
            )

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

    def _complete_children(self, root: str, node: Record, own: OwnFields) -> None:
        name = CHILD_NODES[root][0]
        found = node[name]
        children, info = found["nodes"], found["pageInfo"]
        while info["hasNextPage"]:
            variables = {"id": node["id"], "children": self.children, "after": info["endCursor"]}
            more = self.ask(child_query(root, own), variables)["node"]
            if more is None:  # deleted meanwhile
                break
            children += more[name]["nodes"]
            self.assert_moved(info["endCursor"], more[name]["pageInfo"]["endCursor"], name)
            info = more[name]["pageInfo"]
        node[name] = children


def _throttle_seconds(answer: Record) -> float:
    """How long the budget needs to grow to what the query costs."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = float(cost.get("requestedQueryCost") or 100) - float(status.get("currentlyAvailable") or 0)
    return min(max(missing / float(status.get("restoreRate") or 50), 0.1), 60.0)
