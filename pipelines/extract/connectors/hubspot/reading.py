"""The connector: which streams an account has, how each is read, and what is handed over for landing.

Add a stream here. How HubSpot pages is in `api`, what a record becomes in `records`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors.http import Client, ahead
from pipelines.extract.connectors.hubspot.api import LIST_PAGE, CrmApi
from pipelines.extract.connectors.hubspot.records import (
    Record,
    first_link,
    merged_records,
    milliseconds,
    owner_name,
    property_names,
)
from pipelines.extract.offers import Gone, Offer, Parents, Position, Reading
from pipelines.extract.spool import flatten
from pipelines.settings import Settings

STREAMS = (
    ("contacts", "stage_changes", "company_contacts", "permissions"),
    ("companies",),
    ("deals", "deal_contacts"),
    ("interactions",),
    ("campaigns",),
    ("touches",),
)
EVENT_PAGE = 1000
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
        self.api = CrmApi(self.client, self.config)

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
            return {**position, "updated": milliseconds(since)}
        return {**position, "since": since.isoformat()}

    def check(self) -> list[str]:
        portal = self.client.get("/account-info/v3/details")
        found = [f"account {portal.get('portalId', 'unknown')}"]
        objects = {name: config.object for name, config in self.source.entities.items()}
        for name in self.source.entities:
            if kind := objects[name] or (name if name in {"contacts", "companies", "deals"} else None):
                known = {p["name"] for p in self.client.get(self.api.path("properties", kind))["results"]}
                wanted = set(property_names(tuple(self._mapped(name))))
                if missing := sorted(wanted - known):
                    raise SourceError(
                        f"{self.source.name}.{name}: HubSpot has no property {', '.join(missing)}; correct the mapping "
                        f"in sources.yml."
                    )
                page = self.client.get(self.api.path("objects", kind), {"limit": 1})
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
        properties = list(property_names(reading.columns.get("contacts", ())))
        properties += [
            "email",
            "hs_additional_emails",
            "hs_merged_object_ids",
            *(f"hs_lifecyclestage_{s}_date" for s in STAGES),
        ]
        for page in ahead(self.api.changed("contacts", properties, reading)):
            living = [record for record in page if not record["archivedAt"]]
            for record in page:
                ids.add(record["id"])
                gone += merged_records(record)
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
                for contact, links in self.api.associated("contacts", "companies", living).items():
                    for company, types in links:
                        spools["company_contacts"].add(
                            {
                                "id": f"{contact}:{company}",
                                "contact_id": contact,
                                "company_id": company,
                                "label": self.api.label(types),
                                "is_primary": self.api.is_primary(types),
                            }
                        )
            if "permissions" in spools:
                for record in self.api.subscriptions(living):
                    spools["permissions"].add(record)
        # What hung on a contact that was merged hangs on the one that it became.
        parents = Parents("contact_record_id", frozenset(ids | {g.record_id for g in gone}))
        offers = self._offers(reading, parents)
        if "contacts" in offers:
            offers["contacts"] = self._offer(reading, "contacts", gone=tuple(gone))
        return offers

    def _read_companies(self, reading: Reading) -> dict[str, Offer]:
        gone: list[Gone] = []
        properties = [*property_names(reading.columns["companies"]), "hs_merged_object_ids"]
        for page in ahead(self.api.changed("companies", properties, reading)):
            for record in page:
                gone += merged_records(record)
                reading.spools["companies"].add(record)
        return {"companies": self._offer(reading, "companies", gone=tuple(gone))}

    def _read_deals(self, reading: Reading) -> dict[str, Offer]:
        gone, ids, spools = [], set(), reading.spools
        owners = self._owners(reading, "deals")
        properties = [*property_names(reading.columns.get("deals", ())), "hs_merged_object_ids"]
        for page in ahead(self.api.changed("deals", properties, reading)):
            living = [record for record in page if not record["archivedAt"]]
            contacts = self.api.associated("deals", "contacts", living)
            companies = self.api.associated("deals", "companies", living)
            for record in page:
                deal = record["id"]
                ids.add(deal)
                gone += merged_records(record)
                if "deals" in spools:
                    linked = {
                        "contact_id": first_link(contacts.get(deal)),
                        "company_id": first_link(companies.get(deal)),
                    }
                    spools["deals"].add(record | linked | owners(record))
                for contact, types in contacts.get(deal, ()) if "deal_contacts" in spools else ():
                    spools["deal_contacts"].add(
                        {
                            "id": f"{deal}:{contact}",
                            "deal_id": deal,
                            "contact_id": contact,
                            "label": self.api.label(types),
                        }
                    )
        offers = self._offers(reading, Parents("deal_record_id", frozenset(ids)))
        if "deals" in offers:
            offers["deals"] = self._offer(reading, "deals", gone=tuple(gone))
        return offers

    def _read_interactions(self, reading: Reading) -> dict[str, Offer]:
        wanted = reading.columns["interactions"]
        properties = list(property_names(wanted))
        linked = {"contact_id": "contacts", "company_id": "companies", "deal_id": "deals"}
        linked = {field: other for field, other in linked.items() if field in wanted}
        for kind, channel in INTERACTIONS.items():
            for page in ahead(self.api.changed(kind, properties, reading)):
                living = [record for record in page if not record["archivedAt"]]
                links = {field: self.api.associated(kind, other, living) for field, other in linked.items()}
                for record in page:
                    own = record["id"]
                    others = {field: first_link(found.get(own)) for field, found in links.items()}
                    # Calls, meetings and letters are numbered apart.
                    reading.spools["interactions"].add(record | {"id": f"{channel}:{own}", "channel": channel} | others)
        return {"interactions": self._offer(reading, "interactions")}

    def _read_object(self, reading: Reading, name: str) -> dict[str, Offer]:
        """A custom object: its records refer to others by properties that hold their numbers."""
        kind, spool = str(self.source.entities[name].object), reading.spools[name]
        for page in ahead(self.api.changed(kind, list(property_names(reading.columns[name])), reading)):
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
            str(owner["id"]): owner_name(owner)
            for is_archived in (True, False)
            for page in self.api.paged(path, {"limit": LIST_PAGE, "archived": str(is_archived).lower()}, "owners")
            for owner in page
        }
        return lambda record: {"owner_name": names.get(str(record.get("hubspot_owner_id")))}

    def _read_campaigns(self, reading: Reading) -> dict[str, Offer]:
        """E-mail campaigns; they are never taken back, so one that is missing is not gone."""
        newest = before = int((reading.position or {}).get("updated", 0))
        for page in self.api.by_offset("/email/public/v1/campaigns/by-id", "campaigns", {"limit": EVENT_PAGE}):
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
        since = self.api.since(reading.position)
        parameters: Record = {"limit": EVENT_PAGE}
        if since:
            parameters["startTimestamp"] = milliseconds(since)
        if reading.until:
            parameters["endTimestamp"] = milliseconds(reading.until)
        for page in ahead(self.api.by_offset("/email/public/v1/events", "events", parameters)):
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
