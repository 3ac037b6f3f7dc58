"""One account: lists, searches of what changed, associations and subscriptions, page by page.

Add here how HubSpot pages and which path a version has. What becomes of the records is in `reading`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pipelines.configuration.connectors import HubspotConfig
from pipelines.errors import SourceError
from pipelines.extract.connectors.http import Client
from pipelines.extract.connectors.hubspot.records import Record, lay_flat, milliseconds
from pipelines.extract.offers import Position, Reading

LIST_PAGE, SEARCH_PAGE = 100, 200
# Statuses of so many mailboxes are asked for at once.
MAILBOXES = 100
PRIMARY_COMPANY = frozenset({1, 5})  # association types: of a contact, of a deal


class CrmApi:
    """Asks one account in one version."""

    def __init__(self, client: Client, config: HubspotConfig) -> None:
        self.client, self.config = client, config

    def changed(self, kind: str, properties: Sequence[str], reading: Reading) -> Iterator[list[Record]]:
        """Pages of records: all, or what changed; and those that were archived, which no search finds."""
        names = list(dict.fromkeys(properties))
        if since := self.since(reading.position):
            yield from self._search(kind, names, since, reading.until)
        else:
            yield from self._list(kind, names, is_archived=False)
        yield from self._list(kind, names, is_archived=True)

    def _list(self, kind: str, properties: Sequence[str], *, is_archived: bool) -> Iterator[list[Record]]:
        parameters = {
            "limit": LIST_PAGE,
            "properties": ",".join(properties),
            "archived": str(is_archived).lower(),
        }
        for page in self.paged(self.path("objects", kind), parameters, kind):
            yield [lay_flat(record) for record in page]

    def paged(self, path: str, parameters: Record, what: str) -> Iterator[list[Record]]:
        """The results of a list, page by page."""
        parameters = dict(parameters)
        while True:
            page = self.client.get(path, parameters)
            yield page["results"]
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if after is None:
                return
            self._assert_moved(parameters.get("after"), after, what)
            parameters["after"] = after

    def _search(
        self, kind: str, properties: Sequence[str], since: datetime, until: datetime | None
    ) -> Iterator[list[Record]]:
        """What changed since a moment and before another one, in the order of its ids.

        A search ends after 10,000 results, and its pages shift when records change meanwhile. So every page is a
        search of its own, for the ids behind the last one: there is no end, and nothing is passed over.
        """
        last = "0"
        changed = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
        within = [{"propertyName": changed, "operator": "GTE", "value": str(milliseconds(since))}]
        if until is not None:
            within.append({"propertyName": changed, "operator": "LT", "value": str(milliseconds(until))})
        while True:
            behind = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            page = self.client.post(
                f"{self.path('objects', kind)}/search",
                {
                    "filterGroups": [{"filters": [*within, behind]}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": list(properties),
                    "limit": SEARCH_PAGE,
                },
            )
            found = page["results"]
            yield [lay_flat(record) for record in found]
            if not found or page["total"] <= len(found):
                return
            before, last = last, str(max(int(record["id"]) for record in found))
            self._assert_moved(before, last, kind)

    def associated(self, kind: str, other: str, records: Sequence[Record]) -> dict[str, list[tuple[str, list[Record]]]]:
        """Per record the linked records of another kind and the types of the links, primary ones first."""
        if not records:
            return {}
        body = {"inputs": [{"id": record["id"]} for record in records]}
        version = "v4" if self.config.version == "v3" else self.config.version
        base = f"/crm/{version}/associations" if version == "v4" else f"/crm/associations/{version}"
        page = self.client.post(f"{base}/{kind}/{other}/batch/read", body)
        found: dict[str, list[tuple[str, list[Record]]]] = {}
        for result in page["results"]:
            links = [(str(link["toObjectId"]), link.get("associationTypes") or []) for link in result["to"]]
            links.sort(key=lambda link: (not self.is_primary(link[1]), int(link[0])))
            found.setdefault(str(result["from"]["id"]), []).extend(links)
        return found

    def subscriptions(self, records: Sequence[Record]) -> Iterator[Record]:
        """What the mailboxes of contacts agreed to or refused; nothing where nothing was ever said."""
        holders: dict[str, list[str]] = {}
        for record in records:
            for email in f"{record.get('email') or ''};{record.get('hs_additional_emails') or ''}".lower().split(";"):
                if email.strip():
                    holders.setdefault(email.strip(), []).append(record["id"])
        version = "v4" if self.config.version == "v3" else self.config.version
        mailboxes = sorted(holders)
        for begin in range(0, len(mailboxes), MAILBOXES):
            page = self.client.post(
                f"/communication-preferences/{version}/statuses/batch/read?channel=EMAIL",
                {"inputs": mailboxes[begin : begin + MAILBOXES]},
            )
            for result in page["results"]:
                for status in result["statuses"]:
                    if status["status"] == "NOT_SPECIFIED":
                        continue
                    for contact in holders.get(result["subscriberIdString"].lower(), ()):
                        yield {
                            **status,
                            "id": f"{contact}:{status['subscriptionId']}",
                            "contact_id": contact,
                            "email": result["subscriberIdString"],
                        }

    def by_offset(self, path: str, key: str, parameters: Record) -> Iterator[list[Record]]:
        parameters = dict(parameters)
        while True:
            page = self.client.get(path, parameters)
            yield page[key]
            if not page.get("hasMore"):
                return
            self._assert_moved(parameters.get("offset"), page.get("offset"), key)
            parameters["offset"] = page["offset"]

    def is_primary(self, types: Sequence[Record]) -> bool:
        return any(
            (t.get("category") == "HUBSPOT_DEFINED" and t.get("typeId") in PRIMARY_COMPANY)
            or t.get("label") in self.config.primary_labels
            for t in types
        )

    def label(self, types: Sequence[Record]) -> str | None:
        """What the link says about the other one, apart from whether it is the main one."""
        passed_over = {None, "", "Primary", *self.config.primary_labels}
        return next((label for t in types if (label := t.get("label")) not in passed_over), None)

    def path(self, part: str, kind: str) -> str:
        version = self.config.version
        return f"/crm/v3/{part}/{kind}" if version == "v3" else f"/crm/{part}/{version}/{kind}"

    def _assert_moved(self, before: object, after: object, what: str) -> None:
        if after is None or after == before:
            raise SourceError(
                f"{self.client.who}: the pages of {what} do not go on though they are not at their end; nothing was "
                f"landed. Start again, and report it to HubSpot when it stays."
            )

    def since(self, position: Position | None) -> datetime | None:
        """The moment from which changes are read: the last read, and a window before it for clocks and late indexes."""
        if not position:
            return None
        return datetime.fromisoformat(position["since"]) - timedelta(minutes=self.config.overlap_minutes)
