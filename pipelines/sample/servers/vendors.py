"""The sample company with its CRM at HubSpot, its shop at Shopify and its support desk at Zendesk: servers and sources.

Add a vendor of the company here. What a server holds is in `crm`, `shop` and `zendesk`; how it is mapped in
`sources.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.configuration.documents import read_document
from pipelines.entities import ENTITIES, entity_named
from pipelines.sample.servers.crm import merge_contacts, read_crm
from pipelines.sample.servers.hubspot import HubspotServer
from pipelines.sample.servers.numbers import number_in_sql
from pipelines.sample.servers.serving import VendorServer
from pipelines.sample.servers.shop import read_shop
from pipelines.sample.servers.zendesk import ZendeskServer, read_support_desk

Source = dict[str, Any]

# The sources whose records have numbers of a vendor; every source that refers to them has to name these.
NUMBERED = ("crm", "shop")
TOKEN = "sample"  # noqa: S105 - of servers on loopback
SOURCES_FILE = Path(__file__).with_name("sources.yml")
_COLUMN = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Vendors:
    """The running servers; `environment` is what the entries of `sources.yml` name."""

    servers: Mapping[str, VendorServer]
    crm: HubspotServer
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        addresses = {f"KUNDENSTAMM_{name.upper()}": server.url for name, server in self.servers.items()}
        return {**addresses, "KUNDENSTAMM_TOKEN": TOKEN, "KUNDENSTAMM_SAMPLE": str(self.folder)}

    def merge_contacts(self) -> int:
        """What the CRM's staff did since the first night; returns how many contacts are gone by it."""
        return merge_contacts(self.crm, self.folder / "crm")


@contextmanager
def running_vendors(folder: Path) -> Iterator[Vendors]:
    """Servers of the sample in a folder, before contacts were merged."""
    crm = read_crm(folder / "crm", token=TOKEN)
    servers = {
        "hubspot": VendorServer(crm.answer),
        "shopify": VendorServer(read_shop(folder / "shop", token=TOKEN).answer),
        "zendesk": VendorServer(ZendeskServer(read_support_desk(folder / "support"), token=TOKEN).answer),
    }
    with servers["hubspot"].running(), servers["shopify"].running(), servers["zendesk"].running():
        yield Vendors(servers, crm, folder)


def list_vendor_sources(shipped: Sequence[Source]) -> list[Source]:
    """The sources of a company at its vendors: their entries, and the other shipped ones with the vendors' numbers."""
    own = list(read_document(SOURCES_FILE).data["sources"])
    names = {source["name"] for source in own}
    return own + [refer_by_number(source) for source in shipped if source["name"] not in names]


def refer_by_number(source: Source) -> Source:
    """The source with every reference to records of a vendor by the vendor's number."""
    return source | {
        "entities": {name: _with_numbers(source, name, config) for name, config in source["entities"].items()}
    }


def _with_numbers(source: Source, name: str, config: Source) -> Source:
    entity = ENTITIES.get((source["role"], name)) or entity_named(name)
    assert entity is not None  # noqa: S101 - a shipped source
    columns, references = dict(config["columns"]), config.get("references", {})
    for column in entity.columns:
        target = columns.get(column.name)
        if column.references and target and references.get(column.name, source["name"]) in NUMBERED:
            columns[column.name] = {"sql": number_in_sql(_expression(target))}
    for name_of_own in ("source_record_id", "merged_into_record_id"):
        if source["name"] in NUMBERED and name_of_own in columns:
            columns[name_of_own] = {"sql": number_in_sql(_expression(columns[name_of_own]))}
    return config | {"columns": columns}


def _expression(target: Any) -> str:
    if isinstance(target, str):
        return target if _COLUMN.fullmatch(target) else f'"{target}"'
    return f"({target['sql']})"
