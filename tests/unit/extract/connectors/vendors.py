"""Small companies behind servers of vendors, and what changes in them between two nights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.sample.servers.faults import Schedule
from pipelines.sample.servers.serving import VendorServer
from pipelines.sample.servers.zendesk import ZendeskServer

TOKEN = "tok-3f1c"


@dataclass(frozen=True)
class Vendor:
    """`make(schedule)` starts anew with the same records; `change` is what a day does to them, once."""

    name: str
    role: str
    entities: tuple[str, ...]
    make: Callable[[], Any]
    change: Callable[[Any], None]
    block: Callable[[str], dict[str, Any]]

    def entry(self, url: str) -> dict[str, Any]:
        return {
            "name": self.role,
            "role": self.role,
            "connector": self.name,
            self.name: self.block(url),
            "max_shrink": 0.5,
            "entities": dict.fromkeys(self.entities),
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
    _make_zendesk,
    _change_zendesk,
    lambda url: {"url": url, "email": "agent@example.com", "token": "${VENDOR_TOKEN}"},
)
VENDORS = (ZENDESK,)
