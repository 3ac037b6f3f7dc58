"""A Shopify of the sample company: Admin GraphQL over plain records, bulk operations, and a budget of query cost.

Add here what Shopify does that a client must cope with. It executes whatever is asked of the records it was given;
whether a query fits Shopify's schema is for the tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import ge, lt
from typing import Any

from pipelines.sample.servers.faults import Fault
from pipelines.sample.servers.serving import Answer, RefusedError, Request

Record = dict[str, Any]
ROOTS = ("customers", "products", "orders", "abandonedCheckouts")
OVERLAP = 2  # records that a page repeats, where pages overlap


@dataclass
class ShopifyServer:
    """What is served.

    Attributes:
        roots: per root connection its nodes; a list below a node whose name is in `CONNECTIONS` is a connection, and
            `metafields` are their values by `namespace.key`.
        budget, restore: of query cost; a query that costs more than what is left is throttled.
        most: cost that a single query may have.
        shift: called where records change between two pages.
    """

    roots: dict[str, list[Record]]
    token: str = "token"  # noqa: S105 - of a server on loopback
    version: str = "2026-10"
    scopes: tuple[str, ...] = ("read_customers", "read_orders", "read_products", "read_returns")
    budget: float = 2000.0
    most: float = 1000.0
    page_size: int = 250
    shift: Callable[[ShopifyServer], None] | None = None
    url: str = ""
    operations: dict[str, Record] = field(default_factory=dict)
    _left: float | None = None
    _by_id: dict[str, Record] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/bulk/"):
            return Answer(self.operations[request.path.rpartition("/")[2]]["content"], content_type="application/jsonl")
        if request.path != f"/admin/api/{self.version}/graphql.json":
            raise RefusedError(404, "Not Found")
        if request.headers.get("x-shopify-access-token") != self.token:
            raise RefusedError(401, "[API] Invalid API key or access token")
        if request.fault is Fault.SHIFTING and self.shift:
            self.shift(self)
        self.url = f"http://{request.headers['host']}"
        return Answer(_Execution(self, request).run())

    def node(self, gid: str) -> Record | None:
        """Any record, at whatever depth, by its id."""
        if gid in self.operations:
            return self.operations[gid]
        if gid not in self._by_id:  # looked up anew, because records come while the server runs
            self._by_id = {r["id"]: r for root in ROOTS for r in _walk(self.roots.get(root, [])) if "id" in r}
        return self._by_id.get(gid)

    def run_operation(self, query: str) -> Record:
        """Start a bulk operation; it is done when it is first asked for twice."""
        number = len(self.operations) + 1
        document = _parse(query)
        selection = document.definitions[0].selection_set.selections[0]
        lines: list[str] = []
        for record in self.roots.get(selection.name.value, []):
            node = _child(_child(selection, "edges"), "node")
            children: list[tuple[str, Record]] = []
            lines.append(json.dumps(_select(record, node.selection_set, {}, children, record["id"])))
            lines += [json.dumps({**child, "__parentId": parent}) for parent, child in children]
        gid = f"gid://shopify/BulkOperation/{number}"
        operation = {
            "id": gid,
            "status": "CREATED",
            "errorCode": None,
            "objectCount": str(len(lines)),
            "url": None,
            "content": "\n".join(lines),
        }
        self.operations[gid] = self.operations[str(number)] = operation
        return operation

    def look_at(self, operation: Record) -> Record:
        if operation["status"] == "CREATED":
            operation["status"] = "RUNNING"
        elif operation["status"] == "RUNNING":
            number = operation["id"].rpartition("/")[2]
            has_objects = operation["objectCount"] != "0"
            operation |= {"status": "COMPLETED", "url": f"{self.url}/bulk/{number}" if has_objects else None}
        return operation


CONNECTIONS = frozenset({"lineItems", "variants", "refundLineItems"})


class _Execution:
    """One request: its operation with its variables over the records of a server."""

    def __init__(self, server: ShopifyServer, request: Request) -> None:
        self.server, self.fault = server, request.fault
        self.operation = _parse(request.body["query"]).definitions[0]
        self.variables = request.body.get("variables") or {}

    def run(self) -> Record:
        selections = self.operation.selection_set.selections
        cost = sum(_cost(s, self.variables) for s in selections)
        server = self.server
        left = server.budget if server._left is None else server._left
        status = {"maximumAvailable": server.budget, "currentlyAvailable": left, "restoreRate": 1000.0}
        extensions = {"cost": {"requestedQueryCost": cost, "throttleStatus": status}}
        if cost > server.most:
            return {"errors": [{"message": "Query cost", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
        if cost > left:
            server._left = server.budget  # whoever waits finds it restored
            return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": extensions}
        server._left = left - cost
        return {"data": {s.name.value: self._resolve(s) for s in selections}, "extensions": extensions}

    def _resolve(self, selection: Any) -> Any:
        name, arguments = selection.name.value, _arguments(selection, self.variables)
        server = self.server
        if name in ROOTS:
            return self._page(name, arguments, selection)
        if name == "node":
            found = server.node(arguments["id"])
            if found is not None and "objectCount" in found:
                found = server.look_at(found)
            return found and _select(found, selection.selection_set, self.variables)
        if name == "nodes":
            asked = [server.node(gid) for gid in arguments["ids"]]
            return [r and _select(r, selection.selection_set, self.variables) for r in asked]
        if name == "bulkOperationRunQuery":
            return {"bulkOperation": server.run_operation(arguments["query"]), "userErrors": []}
        if name == "shop":
            return {"name": "Beispiel", "currencyCode": "EUR"}
        if name == "currentAppInstallation":
            return {"accessScopes": [{"handle": scope} for scope in server.scopes]}
        raise RefusedError(400, f"unknown field {name}")

    def _page(self, root: str, arguments: Record, selection: Any) -> Record:
        records = self.server.roots.get(root, [])
        for operator, value in re.findall(r"updated_at:(>=|<)'([^']+)'", arguments.get("query") or ""):
            holds = ge if operator == ">=" else lt
            records = [r for r in records if holds(_time(r["updatedAt"]), _time(value))]
        by_change = arguments.get("sortKey") == "UPDATED_AT"
        keys = {r["id"]: ((r["updatedAt"] if by_change else ""), int(r["id"].rpartition("/")[2])) for r in records}
        records = sorted(records, key=lambda r: keys[r["id"]])
        after = tuple(json.loads(arguments["after"])) if arguments.get("after") else ("", -1)
        if self.fault is Fault.REPEATED_PAGE:
            overlap = min(OVERLAP, arguments["first"] - 1)  # a page always goes on
            earlier = [keys[r["id"]] for r in records if keys[r["id"]] <= after][-overlap:] if overlap else []
            after = (earlier[0][0], earlier[0][1] - 1) if earlier else after
        left = [r for r in records if keys[r["id"]] > after]
        page = left[: min(arguments["first"], self.server.page_size)]
        nodes = _child(selection, "nodes")
        return {
            "pageInfo": {
                "hasNextPage": len(left) > len(page),
                "endCursor": json.dumps(keys[page[-1]["id"]]) if page else None,
            },
            "nodes": [_select(r, nodes.selection_set, self.variables) for r in page],
        }


def _parse(query: str) -> Any:
    from graphql import parse

    return parse(query)


def _select(
    record: Record,
    selection_set: Any,
    variables: Record,
    children: list[tuple[str, Record]] | None = None,
    owner: str = "",
) -> Record:
    """What a selection asks for of a record. With `children`, connections below it go there instead, as in bulk."""
    shown: Record = {}
    for selection in selection_set.selections:
        if selection.kind == "inline_fragment":
            shown |= _select(record, selection.selection_set, variables, children, owner)
            continue
        value = record.get(selection.name.value)
        name = selection.alias.value if selection.alias else selection.name.value
        if selection.name.value == "metafield":
            asked = _arguments(selection, variables)
            found = record.get("metafields", {}).get(f"{asked['namespace']}.{asked['key']}")
            shown[name] = None if found is None else {"value": found}
        elif name in CONNECTIONS:
            if children is not None:
                node = _child(_child(selection, "edges"), "node")
                children += [(owner, _select(child, node.selection_set, variables)) for child in value or []]
            else:
                shown[name] = _connection(value or [], selection, variables)
        elif selection.selection_set is None or value is None:
            shown[name] = value
        elif isinstance(value, list):
            shown[name] = [_select(inner, selection.selection_set, variables, children, owner) for inner in value]
        else:
            shown[name] = _select(value, selection.selection_set, variables, children, owner)
    return shown


def _connection(records: list[Record], selection: Any, variables: Record) -> Record:
    arguments = _arguments(selection, variables)
    begin = int(arguments.get("after") or 0)
    end = begin + arguments["first"]
    nodes = _child(selection, "nodes")
    return {
        "pageInfo": {"hasNextPage": end < len(records), "endCursor": str(min(end, len(records)))},
        "nodes": [_select(r, nodes.selection_set, variables) for r in records[begin:end]],
    }


def _child(selection: Any, name: str) -> Any:
    return next(s for s in selection.selection_set.selections if s.kind == "field" and s.name.value == name)


def _arguments(selection: Any, variables: Record) -> Record:
    from graphql import value_from_ast_untyped

    return {a.name.value: value_from_ast_untyped(a.value, variables) for a in selection.arguments}


def _cost(selection: Any, variables: Record) -> float:
    """Objects that a selection may return: one each, and of a connection as many as are asked for."""
    if getattr(selection, "selection_set", None) is None:
        return 0.0
    inner = sum(_cost(s, variables) for s in selection.selection_set.selections)
    if selection.kind == "inline_fragment":
        return inner
    first = _arguments(selection, variables).get("first")
    return 1.0 + inner * (first if first else 1)


def _walk(records: list[Record]) -> Iterator[Record]:
    for record in records:
        yield record
        for value in record.values():
            if isinstance(value, list):
                yield from _walk([inner for inner in value if isinstance(inner, dict)])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
