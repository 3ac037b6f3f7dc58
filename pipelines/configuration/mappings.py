"""The mappings that ship with the connectors of vendors, and how an owner's entry of `sources.yml` changes them.

Add a vendor as `<connector>.yml` in this folder's `mappings/`, in the form of `sources.yml`. The models are in
`sources`; what a vendor's field is called in the end is for its connector.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pipelines.configuration.documents import parse

FOLDER = Path(__file__).parent / "mappings"
# Parts of an entity in which an owner's keys stand beside the shipped ones; `null` takes a shipped one out.
# What every custom object of a vendor has; the rest is its owner's.
OBJECT_COLUMNS = {
    "source_record_id": "id",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "deleted_at": "archivedAt",
}
MERGED = ("columns", "defaults", "references", "identifiers", "custom")


def with_shipped_mapping(source: Any) -> Any:
    """A source as read from `sources.yml`, its entities completed by the mapping that ships with its connector.

    Without `entities` all are delivered for which a mapping ships; else the ones that are named.
    """
    if not isinstance(source, dict):
        return source
    shipped = shipped_mapping(source.get("connector"))
    if not shipped:
        return source
    own = source.get("entities", None)
    if own is None:
        own = dict.fromkeys(shipped)
    if not isinstance(own, dict):
        return source
    return source | {"entities": {name: _merge(_usual(shipped, name, config), config) for name, config in own.items()}}


@cache
def shipped_mapping(connector: Any) -> dict[str, dict[str, Any]]:
    """Entities by name in the form of `sources.yml`, with `unused`: the fields that are left out on purpose."""
    file = FOLDER / f"{connector}.yml"
    if not isinstance(connector, str) or not connector.isidentifier() or not file.is_file():
        return {}
    found = parse(file.read_text(encoding="utf-8"))
    return dict(found["entities"])


def object_mapping(name: Any) -> dict[str, Any]:
    """The mapping of an entity that is a custom object; nothing where none is named."""
    return {"columns": OBJECT_COLUMNS} if name else {}


def _usual(shipped: dict[str, dict[str, Any]], name: str, own: Any) -> dict[str, Any]:
    own_object = own.get("object") if isinstance(own, dict) else None
    return object_mapping(own_object) or shipped.get(name, {})


def _merge(shipped: dict[str, Any], own: Any) -> Any:
    usual = {key: value for key, value in shipped.items() if key != "unused"}
    if own is None:
        return usual
    if not isinstance(own, dict):
        return own
    merged = usual | own
    for part in MERGED:
        both = [p for p in (usual.get(part), own.get(part)) if isinstance(p, dict)]
        if both:
            united = {key: value for entries in both for key, value in entries.items()}
            merged[part] = {key: value for key, value in united.items() if value is not None}
    return merged
