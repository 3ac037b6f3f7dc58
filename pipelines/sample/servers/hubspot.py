"""A HubSpot of the sample company: objects (custom ones too) in lists and searches, archived and merged records,
associations, owners, subscriptions, e-mail events and campaigns.

Add here what HubSpot does that a client must cope with. The records are given by who starts the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from operator import ge, gt, lt
from typing import Any

from pipelines.sample.servers.faults import Fault
from pipelines.sample.servers.serving import Answer, RefusedError, Request

Record = dict[str, Any]
OVERLAP = 2  # records that a page repeats, where pages overlap
MOST_RESULTS = 10_000  # of one search, whatever its pages
OPERATORS: dict[str, Callable[[int, int], bool]] = {"GTE": ge, "GT": gt, "LT": lt}
CHANGED = {"contacts": "lastmodifieddate"}


@dataclass
class HubspotServer:
    """What is served.

    Attributes:
        objects: per kind the records: `id`, `properties`, `createdAt`, `updatedAt`, `archived`, `archivedAt`.
        links: per pair of kinds `(from, to, types)` of associations.
        statuses: per mailbox its subscription statuses.
        owners: who records belong to: `id`, `firstName`, `lastName`, `email`, `archived`.
        events, campaigns: of marketing e-mails, in the order of their time.
        shift: called where records change between two pages.
    """

    objects: dict[str, list[Record]]
    links: dict[tuple[str, str], list[tuple[str, str, list[Record]]]] = field(default_factory=dict)
    statuses: dict[str, list[Record]] = field(default_factory=dict)
    owners: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    campaigns: list[Record] = field(default_factory=list)
    token: str = "token"  # noqa: S105 - of a server on loopback
    version: str = "2026-03"
    page_size: int = 100
    scopes: frozenset[str] = frozenset(
        {
            "contacts",
            "companies",
            "deals",
            "calls",
            "meetings",
            "postal_mail",
            "custom",
            "owners",
            "subscriptions",
            "email",
        }
    )
    shift: Callable[[HubspotServer], None] | None = None

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise RefusedError(401, "Authentication credentials not found or expired")
        if request.fault is Fault.SHIFTING and self.shift:
            self.shift(self)
        limits = {"X-HubSpot-RateLimit-Max": "100", "X-HubSpot-RateLimit-Remaining": "99"}
        return Answer(self._route(request), headers=limits)

    def _route(self, request: Request) -> Record:
        v = self.version
        objects = "/crm/v3/objects" if v == "v3" else f"/crm/objects/{v}"
        associations = "/crm/v4/associations" if v == "v3" else f"/crm/associations/{v}"
        properties = "/crm/v3/properties" if v == "v3" else f"/crm/properties/{v}"
        preferences = f"/communication-preferences/{'v4' if v == 'v3' else v}/statuses/batch/read"
        owners = "/crm/v3/owners" if v == "v3" else f"/crm/owners/{v}"
        path, is_post = request.path, request.method == "POST"
        if path == "/account-info/v3/details":
            return {"portalId": 4711}
        if match := re.fullmatch(rf"{properties}/(\w+)", path):
            names = {name for record in self._kind(match[1]) for name in record["properties"]}
            return {"results": [{"name": name, "type": "string"} for name in sorted(names)]}
        if path == owners:
            self._assert_scope("owners")
            is_archived = request.query.get("archived") == "true"
            return self._by_number([o for o in self.owners if o["archived"] is is_archived], request)
        if (match := re.fullmatch(rf"{objects}/(\w+)/search", path)) and is_post:
            return self._search(match[1], request.body)
        if match := re.fullmatch(rf"{objects}/(\w+)", path):
            return self._list(match[1], request)
        if (match := re.fullmatch(rf"{associations}/(\w+)/(\w+)/batch/read", path)) and is_post:
            return self._associate(match[1], match[2], request.body)
        if path == preferences and is_post:
            self._assert_scope("subscriptions")
            found = [{"subscriberIdString": m, "statuses": self.statuses.get(m, [])} for m in request.body["inputs"]]
            return {"status": "COMPLETE", "results": found}
        if path == "/email/public/v1/events":
            self._assert_scope("email")
            start = int(request.query.get("startTimestamp", 0))
            end = int(request.query.get("endTimestamp", 1 << 62))
            return self._by_offset("events", [e for e in self.events if start <= e["created"] < end], request)
        if path == "/email/public/v1/campaigns/by-id":
            self._assert_scope("email")
            listed = [{k: c[k] for k in ("id", "appId", "lastUpdatedTime")} for c in self.campaigns]
            return self._by_offset("campaigns", listed, request)
        if match := re.fullmatch(r"/email/public/v1/campaigns/(\d+)", path):
            return next(c for c in self.campaigns if str(c["id"]) == match[1])
        raise RefusedError(404, "resource not found")

    def _assert_scope(self, name: str) -> None:
        if name not in self.scopes:
            raise RefusedError(403, "MISSING_SCOPES")

    def _kind(self, kind: str) -> list[Record]:
        if kind not in self.objects:
            raise RefusedError(404, f"unknown object type {kind}")
        self._assert_scope("custom" if kind.startswith("p_") else kind)
        return self.objects[kind]

    def _list(self, kind: str, request: Request) -> Record:
        is_archived = request.query.get("archived") == "true"
        wanted = request.query.get("properties", "").split(",")
        answer = self._by_number([r for r in self._kind(kind) if r["archived"] is is_archived], request)
        answer["results"] = [_shown(r, wanted) for r in answer["results"]]
        return answer

    def _by_number(self, records: list[Record], request: Request) -> Record:
        """A page of records by id; pages go on behind the last id, so that nothing shifts."""
        after = int(request.query.get("after", 0))
        found = sorted(records, key=lambda r: int(r["id"]))
        if request.fault is Fault.REPEATED_PAGE:
            earlier = [r for r in found if int(r["id"]) <= after][-OVERLAP:]
            after = int(earlier[0]["id"]) - 1 if earlier else after
        left = [r for r in found if int(r["id"]) > after]
        page = left[: min(int(request.query.get("limit", 10)), self.page_size)]
        answer: Record = {"results": page}
        if len(left) > len(page):
            answer["paging"] = {"next": {"after": page[-1]["id"], "link": "..."}}
        return answer

    def _search(self, kind: str, body: Record) -> Record:
        if body.get("limit", 10) > 200:
            raise RefusedError(400, "limit exceeds 200")
        if int(body.get("after", 0)) + body.get("limit", 10) > MOST_RESULTS:
            raise RefusedError(400, "paging past 10000 results is not allowed")
        found = [r for r in self._kind(kind) if not r["archived"]]
        for group in body["filterGroups"]:
            for condition in group["filters"]:
                found = [r for r in found if _holds(r, condition, CHANGED.get(kind, "hs_lastmodifieddate"))]
        found.sort(key=lambda r: int(r["id"]))
        begin = int(body.get("after", 0))
        page = found[begin : begin + min(body.get("limit", 10), self.page_size)]
        return {"total": len(found), "results": [_shown(r, body["properties"]) for r in page]}

    def _associate(self, kind: str, other: str, body: Record) -> Record:
        results = []
        for entry in body["inputs"]:
            to = [
                {"toObjectId": int(target), "associationTypes": types}
                for source, target, types in self.links.get((kind, other), [])
                if source == entry["id"]
            ]
            if to:
                results.append({"from": {"id": entry["id"]}, "to": to})
        return {"status": "COMPLETE", "results": results}

    def _by_offset(self, key: str, found: list[Record], request: Request) -> Record:
        begin = int(request.query.get("offset", 0))
        if request.fault is Fault.REPEATED_PAGE:
            begin = max(begin - OVERLAP, 0)
        end = begin + min(int(request.query.get("limit", 100)), self.page_size)
        return {key: found[begin:end], "hasMore": end < len(found), "offset": str(end)}


def _holds(record: Record, condition: Record, changed: str) -> bool:
    value, wanted = condition["propertyName"], int(condition["value"])
    if value == "hs_object_id":
        known = int(record["id"])
    elif value == changed:
        known = int(datetime.fromisoformat(record["updatedAt"].replace("Z", "+00:00")).timestamp() * 1000)
    else:
        raise RefusedError(400, f"unknown property {value}")
    return OPERATORS[condition["operator"]](known, wanted)


def _shown(record: Record, wanted: list[str]) -> Record:
    """A record with the properties that were asked for; one that does not exist is passed over in silence."""
    known = record["properties"]
    return {**record, "properties": {name: known[name] for name in wanted if name in known}}
