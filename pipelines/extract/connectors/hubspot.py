"""HubSpot: lists for a complete read, searches for what changed, archived and merged records, associations,
subscriptions, e-mail events and campaigns, owners, and custom objects as any entity.

Add here what HubSpot calls its things and how it pages. The mapping is in `configuration/mappings/hubspot.yml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors.http import Client, ahead
from pipelines.extract.offers import Gone, Offer, Parents, Position, Reading
from pipelines.extract.spool import flatten
from pipelines.settings import Settings

Record = dict[str, Any]

STREAMS = (
    ("contacts", "stage_changes", "company_contacts", "permissions"),
    ("companies",),
    ("deals", "deal_contacts"),
    ("interactions",),
    ("campaigns",),
    ("touches",),
)
LIST_PAGE, SEARCH_PAGE, EVENT_PAGE = 100, 200, 1000
# Statuses of so many mailboxes are asked for at once.
MAILBOXES = 100
STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
INTERACTIONS = {"calls": "call", "meetings": "meeting", "postal_mail": "letter"}
# What a record has beside its properties, or gets from us.
OWN_FIELDS = frozenset(
    ["id", "createdAt", "updatedAt", "archivedAt", "contact_id", "company_id", "deal_id", "channel", "owner_name"]
)
PRIMARY_COMPANY = frozenset({1, 5})  # association types: of a contact, of a deal
TOUCHES = frozenset({"SENT", "DELIVERED", "OPEN", "CLICK", "BOUNCE", "SPAMREPORT", "STATUSCHANGE"})


class Hubspot:
    """One account of `sources.yml`. Contacts that were deleted for good are found by a complete read only."""

    tells_deletions = False

    def __init__(self, source: SourceConfig, settings: Settings) -> None:
        assert source.hubspot is not None  # noqa: S101 - the configuration was validated
        self.source, self.config = source, source.hubspot
        token = expand(self.config.token, settings)
        self.client = Client(
            f"{source.name} (HubSpot)",
            expand(self.config.url, settings).rstrip("/"),
            {"Authorization": f"Bearer {token}"},
        )

    def read(self, reading: Reading) -> dict[str, Offer]:
        first = reading.entities[0]
        if self.source.entities[first].object:
            return self._read_object(reading, first)
        for stream, read in (
            (STREAMS[0], self._read_contacts),
            (STREAMS[1], self._read_companies),
            (STREAMS[2], self._read_deals),
            (STREAMS[3], self._read_interactions),
            (STREAMS[4], self._read_campaigns),
            (STREAMS[5], self._read_touches),
        ):
            if first in stream:
                return read(reading)
        raise SourceError(f"{self.source.name}: HubSpot delivers no {first}; take it out of sources.yml.")

    def rewind(self, position: Position, since: datetime) -> Position:
        if "updated" in position:
            return {**position, "updated": _milliseconds(since)}
        return {**position, "since": since.isoformat()}

    def check(self) -> list[str]:
        portal = self.client.get("/account-info/v3/details")
        found = [f"account {portal.get('portalId', 'unknown')}"]
        objects = {name: config.object for name, config in self.source.entities.items()}
        for name in self.source.entities:
            if kind := objects[name] or (name if name in {"contacts", "companies", "deals"} else None):
                known = {p["name"] for p in self.client.get(self._path("properties", kind))["results"]}
                wanted = set(_properties(tuple(self._mapped(name))))
                if missing := sorted(wanted - known):
                    raise SourceError(
                        f"{self.source.name}.{name}: HubSpot has no property {', '.join(missing)}; correct the mapping "
                        f"in sources.yml."
                    )
                page = self.client.get(self._path("objects", kind), {"limit": 1})
                found.append(
                    f"{name}: {len(known)} properties, {'records can be read' if page['results'] else 'empty'}"
                )
        return found

    def _mapped(self, name: str) -> Iterator[str]:
        """Properties that the mapping names as columns; those in expressions are HubSpot's own."""
        config = self.source.entities[name]
        yield from (t for t in config.columns.values() if isinstance(t, str))
        yield from config.identifiers.values()
        yield from (c.from_ for c in config.custom.values())

    def _read_contacts(self, reading: Reading) -> dict[str, Offer]:
        """Contacts with what hangs on them: stages, companies, subscriptions."""
        spools, gone, ids = reading.spools, [], set()
        owners = self._owners(reading, "contacts")
        properties = list(_properties(reading.columns.get("contacts", ())))
        properties += [
            "email",
            "hs_additional_emails",
            "hs_merged_object_ids",
            *(f"hs_lifecyclestage_{s}_date" for s in STAGES),
        ]
        for page in ahead(self._changed("contacts", properties, reading)):
            living = [record for record in page if not record["archivedAt"]]
            for record in page:
                ids.add(record["id"])
                gone += _merged(record)
                if "contacts" in spools:
                    kept = {k: v for k, v in record.items() if not k.startswith("hs_lifecyclestage_")}
                    spools["contacts"].add(kept | owners(record))
            if "stage_changes" in spools:
                for record in living:
                    for stage in STAGES:
                        if entered := record.get(f"hs_lifecyclestage_{stage}_date"):
                            spools["stage_changes"].add(
                                {
                                    "id": f"{record['id']}:{stage}",
                                    "contact_id": record["id"],
                                    "stage": stage,
                                    "entered_at": entered,
                                }
                            )
            if "company_contacts" in spools:
                for contact, links in self._associated("contacts", "companies", living).items():
                    for company, types in links:
                        spools["company_contacts"].add(
                            {
                                "id": f"{contact}:{company}",
                                "contact_id": contact,
                                "company_id": company,
                                "label": self._label(types),
                                "is_primary": self._is_primary(types),
                            }
                        )
            if "permissions" in spools:
                for record in self._subscriptions(living):
                    spools["permissions"].add(record)
        # What hung on a contact that was merged hangs on the one that it became.
        parents = Parents("contact_record_id", frozenset(ids | {g.record_id for g in gone}))
        offers = self._offers(reading, parents)
        if "contacts" in offers:
            offers["contacts"] = self._offer(reading, "contacts", gone=tuple(gone))
        return offers

    def _read_companies(self, reading: Reading) -> dict[str, Offer]:
        gone: list[Gone] = []
        properties = [*_properties(reading.columns["companies"]), "hs_merged_object_ids"]
        for page in ahead(self._changed("companies", properties, reading)):
            for record in page:
                gone += _merged(record)
                reading.spools["companies"].add(record)
        return {"companies": self._offer(reading, "companies", gone=tuple(gone))}

    def _read_deals(self, reading: Reading) -> dict[str, Offer]:
        gone, ids, spools = [], set(), reading.spools
        owners = self._owners(reading, "deals")
        properties = [*_properties(reading.columns.get("deals", ())), "hs_merged_object_ids"]
        for page in ahead(self._changed("deals", properties, reading)):
            living = [record for record in page if not record["archivedAt"]]
            contacts = self._associated("deals", "contacts", living)
            companies = self._associated("deals", "companies", living)
            for record in page:
                deal = record["id"]
                ids.add(deal)
                gone += _merged(record)
                if "deals" in spools:
                    linked = {"contact_id": _first(contacts.get(deal)), "company_id": _first(companies.get(deal))}
                    spools["deals"].add(record | linked | owners(record))
                for contact, types in contacts.get(deal, ()) if "deal_contacts" in spools else ():
                    spools["deal_contacts"].add(
                        {"id": f"{deal}:{contact}", "deal_id": deal, "contact_id": contact, "label": self._label(types)}
                    )
        offers = self._offers(reading, Parents("deal_record_id", frozenset(ids)))
        if "deals" in offers:
            offers["deals"] = self._offer(reading, "deals", gone=tuple(gone))
        return offers

    def _read_interactions(self, reading: Reading) -> dict[str, Offer]:
        wanted = reading.columns["interactions"]
        properties = list(_properties(wanted))
        linked = {"contact_id": "contacts", "company_id": "companies", "deal_id": "deals"}
        linked = {field: other for field, other in linked.items() if field in wanted}
        for kind, channel in INTERACTIONS.items():
            for page in ahead(self._changed(kind, properties, reading)):
                living = [record for record in page if not record["archivedAt"]]
                links = {field: self._associated(kind, other, living) for field, other in linked.items()}
                for record in page:
                    own = record["id"]
                    others = {field: _first(found.get(own)) for field, found in links.items()}
                    # Calls, meetings and letters are numbered apart.
                    reading.spools["interactions"].add(record | {"id": f"{channel}:{own}", "channel": channel} | others)
        return {"interactions": self._offer(reading, "interactions")}

    def _read_object(self, reading: Reading, name: str) -> dict[str, Offer]:
        """A custom object: its records refer to others by properties that hold their numbers."""
        kind, spool = str(self.source.entities[name].object), reading.spools[name]
        for page in ahead(self._changed(kind, list(_properties(reading.columns[name])), reading)):
            for record in page:
                spool.add(record)
        return {name: self._offer(reading, name)}

    def _owners(self, reading: Reading, name: str) -> Callable[[Record], Record]:
        """What a record gets for the number of its owner: the name, where the mapping wants it."""
        if "owner_name" not in reading.columns.get(name, ()):
            return lambda _record: {}
        version = self.config.version
        path = "/crm/v3/owners" if version == "v3" else f"/crm/owners/{version}"
        names = {
            str(owner["id"]): _owner_name(owner)
            for is_archived in (True, False)
            for page in self._paged(path, {"limit": LIST_PAGE, "archived": str(is_archived).lower()}, "owners")
            for owner in page
        }
        return lambda record: {"owner_name": names.get(str(record.get("hubspot_owner_id")))}

    def _read_campaigns(self, reading: Reading) -> dict[str, Offer]:
        """E-mail campaigns; they are never taken back, so one that is missing is not gone."""
        newest = before = int((reading.position or {}).get("updated", 0))
        for page in self._by_offset("/email/public/v1/campaigns/by-id", "campaigns", {"limit": EVENT_PAGE}):
            for campaign in page:
                updated = int(campaign.get("lastUpdatedTime") or 0)
                if updated < before:
                    continue
                newest = max(newest, updated)
                reading.spools["campaigns"].add(
                    flatten(
                        self.client.get(f"/email/public/v1/campaigns/{campaign['id']}", {"appId": campaign["appId"]})
                    )
                )
        files = reading.spools["campaigns"].finish()
        return {"campaigns": Offer(files, is_complete=False, position={"updated": newest})}

    def _read_touches(self, reading: Reading) -> dict[str, Offer]:
        """E-mail events; they are never taken back, and old ones are no longer told."""
        since = self._since(reading.position)
        parameters: Record = {"limit": EVENT_PAGE}
        if since:
            parameters["startTimestamp"] = _milliseconds(since)
        if reading.until:
            parameters["endTimestamp"] = _milliseconds(reading.until)
        for page in ahead(self._by_offset("/email/public/v1/events", "events", parameters)):
            for event in page:
                if event["type"] in TOUCHES:
                    reading.spools["touches"].add(flatten(event))
        return {
            "touches": Offer(
                reading.spools["touches"].finish(), is_complete=False, position={"since": reading.now.isoformat()}
            )
        }

    def _offers(self, reading: Reading, parents: Parents) -> dict[str, Offer]:
        return {name: self._offer(reading, name, parents=parents) for name in reading.entities}

    def _offer(
        self, reading: Reading, name: str, *, gone: tuple[Gone, ...] = (), parents: Parents | None = None
    ) -> Offer:
        is_complete = reading.position is None
        return Offer(
            reading.spools[name].finish(),
            is_complete=is_complete,
            # What changes from now on is read next time, and what changed while we read once more.
            position={"since": reading.now.isoformat()},
            gone=gone,
            parents=None if is_complete else parents,
        )

    def _since(self, position: Position | None) -> datetime | None:
        """The moment from which changes are read: the last read, and a window before it for clocks and late indexes."""
        if not position:
            return None
        return datetime.fromisoformat(position["since"]) - timedelta(minutes=self.config.overlap_minutes)

    def _changed(self, kind: str, properties: Sequence[str], reading: Reading) -> Iterator[list[Record]]:
        """Pages of records: all, or what changed; and those that were archived, which no search finds."""
        names = list(dict.fromkeys(properties))
        if since := self._since(reading.position):
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
        for page in self._paged(self._path("objects", kind), parameters, kind):
            yield [_flat(record) for record in page]

    def _paged(self, path: str, parameters: Record, what: str) -> Iterator[list[Record]]:
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
        within = [{"propertyName": changed, "operator": "GTE", "value": str(_milliseconds(since))}]
        if until is not None:
            within.append({"propertyName": changed, "operator": "LT", "value": str(_milliseconds(until))})
        while True:
            behind = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            page = self.client.post(
                f"{self._path('objects', kind)}/search",
                {
                    "filterGroups": [{"filters": [*within, behind]}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": list(properties),
                    "limit": SEARCH_PAGE,
                },
            )
            found = page["results"]
            yield [_flat(record) for record in found]
            if not found or page["total"] <= len(found):
                return
            before, last = last, str(max(int(record["id"]) for record in found))
            self._assert_moved(before, last, kind)

    def _associated(
        self, kind: str, other: str, records: Sequence[Record]
    ) -> dict[str, list[tuple[str, list[Record]]]]:
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
            links.sort(key=lambda link: (not self._is_primary(link[1]), int(link[0])))
            found.setdefault(str(result["from"]["id"]), []).extend(links)
        return found

    def _subscriptions(self, records: Sequence[Record]) -> Iterator[Record]:
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

    def _by_offset(self, path: str, key: str, parameters: Record) -> Iterator[list[Record]]:
        parameters = dict(parameters)
        while True:
            page = self.client.get(path, parameters)
            yield page[key]
            if not page.get("hasMore"):
                return
            self._assert_moved(parameters.get("offset"), page.get("offset"), key)
            parameters["offset"] = page["offset"]

    def _is_primary(self, types: Sequence[Record]) -> bool:
        return any(
            (t.get("category") == "HUBSPOT_DEFINED" and t.get("typeId") in PRIMARY_COMPANY)
            or t.get("label") in self.config.primary_labels
            for t in types
        )

    def _label(self, types: Sequence[Record]) -> str | None:
        """What the link says about the other one, apart from whether it is the main one."""
        passed_over = {None, "", "Primary", *self.config.primary_labels}
        return next((label for t in types if (label := t.get("label")) not in passed_over), None)

    def _path(self, part: str, kind: str) -> str:
        version = self.config.version
        return f"/crm/v3/{part}/{kind}" if version == "v3" else f"/crm/{part}/{version}/{kind}"

    def _assert_moved(self, before: object, after: object, what: str) -> None:
        if after is None or after == before:
            raise SourceError(
                f"{self.client.who}: the pages of {what} do not go on though they are not at their end; nothing was "
                f"landed. Start again, and report it to HubSpot when it stays."
            )


def _properties(columns: Sequence[str]) -> Iterator[str]:
    """HubSpot's properties among the fields that the mapping names."""
    yield from (c for c in columns if c not in OWN_FIELDS)
    if "owner_name" in columns:
        yield "hubspot_owner_id"


def _owner_name(owner: Record) -> str | None:
    names = (owner.get("firstName"), owner.get("lastName"))
    return " ".join(name for name in names if name) or owner.get("email")


def _flat(record: Record) -> Record:
    """A record with its properties beside its id; an empty property is none."""
    properties = {name: value or None for name, value in record["properties"].items()}
    return {
        **properties,
        "id": str(record["id"]),
        "createdAt": record.get("createdAt"),
        "updatedAt": record.get("updatedAt"),
        "archivedAt": record.get("archivedAt") if record.get("archived") else None,
    }


def _merged(record: Record) -> list[Gone]:
    """The records that became this one: HubSpot no longer delivers them."""
    ids = str(record.get("hs_merged_object_ids") or "").split(";")
    return [Gone(i.strip(), merged_into=record["id"]) for i in ids if i.strip() and i.strip() != record["id"]]


def _first(links: Sequence[tuple[str, list[Record]]] | None) -> str | None:
    return links[0][0] if links else None


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
