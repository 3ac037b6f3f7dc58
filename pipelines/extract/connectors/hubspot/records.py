"""What a record of HubSpot becomes: flat, with what it says of merged ones, and what it names of its owner.

Add here what can be told from one record. How records are asked for is in `api`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.extract.offers import Gone

Record = dict[str, Any]

# What a record has beside its properties, or gets from us.
OWN_FIELDS = frozenset(
    ["id", "createdAt", "updatedAt", "archivedAt", "contact_id", "company_id", "deal_id", "channel", "owner_name"]
)


def property_names(columns: Sequence[str]) -> Iterator[str]:
    """HubSpot's properties among the fields that the mapping names."""
    yield from (c for c in columns if c not in OWN_FIELDS)
    if "owner_name" in columns:
        yield "hubspot_owner_id"


def owner_name(owner: Record) -> str | None:
    names = (owner.get("firstName"), owner.get("lastName"))
    return " ".join(name for name in names if name) or owner.get("email")


def lay_flat(record: Record) -> Record:
    """A record with its properties beside its id; an empty property is none."""
    properties = {name: value or None for name, value in record["properties"].items()}
    return {
        **properties,
        "id": str(record["id"]),
        "createdAt": record.get("createdAt"),
        "updatedAt": record.get("updatedAt"),
        "archivedAt": record.get("archivedAt") if record.get("archived") else None,
    }


def merged_records(record: Record) -> list[Gone]:
    """The records that became this one: HubSpot no longer delivers them."""
    ids = str(record.get("hs_merged_object_ids") or "").split(";")
    return [Gone(i.strip(), merged_into=record["id"]) for i in ids if i.strip() and i.strip() != record["id"]]


def first_link(links: Sequence[tuple[str, list[Record]]] | None) -> str | None:
    return links[0][0] if links else None


def milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
