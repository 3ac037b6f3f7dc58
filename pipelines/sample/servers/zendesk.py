"""A Zendesk of the sample company: incremental exports by cursor and by time, deletions, satisfaction ratings.

Add here what Zendesk does that a client must cope with. The records are those of the sample's support desk, or given.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.sample.servers.faults import Fault
from pipelines.sample.servers.serving import Answer, RefusedError, Request

Record = dict[str, Any]
TOPIC_FIELD, ORDER_FIELD = 1001, 1002
PRIORITIES = {"P1": "urgent", "P2": "high", "P3": "normal", "P4": "low"}
OVERLAP = 2  # records that a page repeats, where pages overlap
LISTS = {
    "/api/v2/satisfaction_ratings": "satisfaction_ratings",
    "/api/v2/deleted_users": "deleted_users",
    "/api/v2/deleted_tickets": "deleted_tickets",
}


class ZendeskServer:
    """What is served: `tables` by Zendesk's own names. `shift` is called where records change between two pages."""

    def __init__(
        self,
        tables: Mapping[str, list[Record]],
        *,
        email: str = "agent@example.com",
        token: str = "token",  # noqa: S107 - of a server on loopback
        page_size: int = 100,
        shift: Callable[[ZendeskServer], None] | None = None,
    ) -> None:
        self.tables = {name: list(tables.get(name, [])) for name in ("users", "tickets", "organizations")}
        self.tables |= {name: list(tables.get(name, [])) for name in LISTS.values()}
        self.credential = base64.b64encode(f"{email}/token:{token}".encode()).decode()
        self.page_size, self.shift = page_size, shift

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Basic {self.credential}":
            raise RefusedError(401, "Couldn't authenticate you")
        if request.fault is Fault.SHIFTING and self.shift:
            self.shift(self)
        limits = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}
        if request.path == "/api/v2/users/me":
            return Answer({"user": {"id": 1, "role": "admin"}}, headers=limits)
        if request.path == "/api/v2/incremental/organizations":
            return Answer(self._by_time("organizations", request), headers=limits)
        for name in ("users", "tickets"):
            if request.path == f"/api/v2/incremental/{name}/cursor":
                return Answer(self._by_cursor(name, request), headers=limits)
        if request.path in LISTS:
            return Answer(self._listed(LISTS[request.path], request), headers=limits)
        raise RefusedError(404, "InvalidEndpoint")

    def _by_cursor(self, name: str, request: Request) -> Record:
        """Everything after the cursor in the order of change; a record that changes meanwhile comes again."""
        if "cursor" in request.query:
            changed, number = json.loads(base64.urlsafe_b64decode(request.query["cursor"]))
            after = (str(changed), int(number))
        else:
            start = datetime.fromtimestamp(int(request.query["start_time"]), UTC)
            after = (start.strftime("%Y-%m-%dT%H:%M:%SZ"), -1)
        ordered = sorted(self.tables[name], key=lambda r: (r["updated_at"], r["id"]))
        if request.fault is Fault.REPEATED_PAGE:
            earlier = [r for r in ordered if (r["updated_at"], r["id"]) <= after][-OVERLAP:]
            after = (earlier[0]["updated_at"], earlier[0]["id"] - 1) if earlier else after
        left = [r for r in ordered if (r["updated_at"], r["id"]) > after]
        page = left[: self.page_size]
        last = (page[-1]["updated_at"], page[-1]["id"]) if page else after
        cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode()
        return {
            name: [self._shown(name, r, request) for r in page],
            "after_cursor": cursor,
            "after_url": None,
            "before_cursor": None,
            "before_url": None,
            "end_of_stream": len(left) <= self.page_size,
        }

    def _shown(self, name: str, record: Record, request: Request) -> Record:
        shown = dict(record)
        if name == "tickets" and "metric_sets" not in request.query.get("include", ""):
            shown.pop("metric_set", None)
        return shown

    def _by_time(self, name: str, request: Request) -> Record:
        start = int(request.query["start_time"])
        found = sorted((_epoch(r["updated_at"]), r["id"], r) for r in self.tables[name])
        left = [entry for entry in found if entry[0] >= start]
        page = left[: self.page_size]
        # Records of one second are never parted, or the next page would begin with them for ever.
        page += [entry for entry in left[len(page) :] if page and entry[0] == page[-1][0]]
        return {
            name: [r for *_, r in page],
            "count": len(page),
            "end_time": page[-1][0] + (len(page) < len(left)) if page else start,
            "next_page": None,
            "end_of_stream": len(page) == len(left),
        }

    def _listed(self, name: str, request: Request) -> Record:
        start = int(request.query.get("start_time", 0))
        end_time = int(request.query.get("end_time", 1 << 62))
        found = [r for r in self.tables[name] if start <= _epoch(r.get("created_at") or r["updated_at"]) < end_time]
        begin = int(request.query.get("page[after]", 0))
        if request.fault is Fault.REPEATED_PAGE:
            begin = max(begin - OVERLAP, 0)
        end = begin + min(int(request.query.get("page[size]", 100)), self.page_size)
        meta = {"has_more": end < len(found), "after_cursor": str(end), "before_cursor": str(begin)}
        return {name: found[begin:end], "meta": meta, "links": {"next": None, "prev": None}}


def read_support_desk(folder: Path) -> dict[str, list[Record]]:
    """The sample's support desk as Zendesk would hold it: topic and order in custom fields, replies as durations."""
    tables: dict[str, list[Record]] = {"users": [], "tickets": []}
    for user in _lines(folder / "users.jsonl"):
        tables["users"].append(
            {
                "id": user["id"],
                "name": user["name"],
                "email": user["email"],
                "phone": user["phone"],
                "locale": user["locale"],
                "role": "end-user",
                "active": True,
                "organization_id": None,
                "user_fields": {"given_name": user["given_name"], "family_name": user["family_name"]},
                "created_at": user["created"],
                "updated_at": user["updated"],
            }
        )
    for ticket in _lines(folder / "tickets.jsonl"):
        replied = ticket["first_reply"] and _epoch(ticket["first_reply"]) - _epoch(ticket["created"])
        tables["tickets"].append(
            {
                "id": ticket["id"],
                "requester_id": ticket["requester"],
                "subject": ticket["subject"],
                "priority": PRIORITIES.get(ticket["priority"], ticket["priority"]),
                "status": ticket["state"],
                "via": {"channel": ticket["via"]},
                "custom_fields": [
                    {"id": TOPIC_FIELD, "value": ticket["topic"]},
                    {"id": ORDER_FIELD, "value": ticket["order_no"]},
                ],
                "metric_set": {
                    "reopens": ticket["reopened"],
                    "solved_at": ticket["solved"],
                    "reply_time_in_seconds": {"calendar": replied},
                },
                "created_at": ticket["created"],
                "updated_at": ticket["updated"],
            }
        )
    return tables


def _lines(file: Path) -> list[Record]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
