"""The sample's CRM as a HubSpot: what HubSpot has is where HubSpot has it, all else in properties and custom objects.

Add here where a field of the CRM lives at HubSpot; `sources.yml` beside this file says how it is mapped. How HubSpot
answers is in `hubspot`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pipelines.sample.servers.hubspot import HubspotServer
from pipelines.sample.servers.numbers import number

Record = dict[str, Any]
Row = dict[str, str | None]

BERLIN = ZoneInfo("Europe/Berlin")
STAGES = {"Kunde": "customer", "Interessent": "opportunity", "Lead": "lead"}
# The files whose rows are records of a custom object; their properties are named like their columns.
OBJECTS = {
    "contact_methods": "p_kontaktwege",
    "company_contacts": "p_anstellungen",
    "permissions": "p_einwilligungen",
    "stage_changes": "p_phasen",
}
CALLS = {"Anruf": "calls", "Brief": "postal_mail"}  # all else is a meeting
CREATED = "2024-01-01T00:00:00Z"  # of what has no time of its own
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "-": "_", " ": "_"})


def read_crm(folder: Path, **options: Any) -> HubspotServer:
    """The CRM of a sample's folder before its staff merged contacts; `merge_contacts` does that."""
    contacts = list(_rows(folder / "contacts.csv"))
    deals = list(_rows(folder / "deals.csv"))
    talks = list(_rows(folder / "interactions.csv"))
    main = {deal["Vorgangs-Nr"]: deal["Kontakt-Nr"] for deal in deals}
    owners = sorted({deal["Betreuer"] for deal in deals if deal["Betreuer"]})
    objects = {
        "contacts": [_contact(row) for row in contacts],
        "companies": [_company(row) for row in _rows(folder / "companies.csv")],
        "deals": [_deal(row, owners) for row in deals],
        "calls": [],
        "meetings": [],
        "postal_mail": [],
    }
    links: dict[tuple[str, str], list[tuple[str, str, list[Record]]]] = {
        ("deals", "companies"): [_link(d["Vorgangs-Nr"], d["Firmen-Nr"], 5) for d in deals if d["Firmen-Nr"]],
        ("deals", "contacts"): [
            _link(
                row["Vorgangs-Nr"],
                row["Kontakt-Nr"],
                3,
                row["Rolle"],
                main[row["Vorgangs-Nr"]] == row["Kontakt-Nr"] and "Hauptkontakt",
            )
            for row in _rows(folder / "deal_contacts.csv")
        ],
    }
    for talk in talks:
        kind = CALLS.get(str(talk["Kanal"]), "meetings")
        objects[kind].append(_talk(talk))
        for other, column in (("contacts", "Kontakt-Nr"), ("deals", "Vorgangs-Nr")):
            if talk[column]:
                links.setdefault((kind, other), []).append(_link(talk["Nr"], talk[column], 200))
    for file, kind in OBJECTS.items():
        objects[kind] = [_own_object(row) for row in _rows(folder / f"{file}.csv")]
    return HubspotServer(
        objects,
        links,
        owners=[
            {"id": str(n), "firstName": name.split()[0], "lastName": " ".join(name.split()[1:]), "archived": False}
            for n, name in enumerate(owners, start=1)
        ],
        **options,
    )


def merge_contacts(served: HubspotServer, folder: Path) -> int:
    """Merge the contacts that the CRM's staff merged: HubSpot forgets the one and names it at the other."""
    merged = {number(r["Kontakt-Nr"]): number(r["Aufgegangen in"]) for r in _rows(folder / "contacts.csv")}
    merged = {one: other for one, other in merged.items() if other is not None}
    contacts = {record["id"]: record for record in served.objects["contacts"]}
    for one, other in merged.items():
        properties = contacts[str(other)]["properties"]
        properties["hs_merged_object_ids"] = ";".join(filter(None, (properties.get("hs_merged_object_ids"), one)))
    served.objects["contacts"] = [record for id_, record in contacts.items() if id_ not in merged]
    return len(merged)


def _rows(file: Path) -> Iterator[Row]:
    """The rows of one of the CRM's files; an empty cell is None."""
    with file.open(encoding="cp1252", newline="") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            yield {name: value or None for name, value in row.items()}


def _record(row: Row, key: str, properties: Record, deleted_at: str | None = None) -> Record:
    created = _utc(row.get("Angelegt am")) or CREATED
    return {
        "id": number(str(row[key])),
        "properties": properties,
        "createdAt": created,
        "updatedAt": _utc(row.get("Geändert am")) or created,
        "archived": deleted_at is not None,
        "archivedAt": deleted_at,
    }


def _contact(row: Row) -> Record:
    properties = {
        "salutation": row["Anrede"],
        "firstname": row["Vorname"],
        "lastname": row["Nachname"],
        "email": row["E-Mail"],
        "phone": row["Telefon"],
        "mobilephone": row["Mobil"],
        "address": row["Straße"],
        "zip": row["PLZ"],
        "city": row["Ort"],
        "country": row["Land"],
        "company": row["Firma"],
        "associatedcompanyid": number(row["Firmen-Nr"]),
        "jobtitle": row["Position"],
        "lifecyclestage": STAGES.get(str(row["Status"])),
    }
    own = ("Titel", "Name", "Geburtsdatum", "Geschlecht", "Herkunft", "Kundenkarte", "Interesse", "Verstorben")
    properties |= {_property(name): row[name] for name in (*own, "Mitarbeiterin")}
    return _record(row, "Kontakt-Nr", properties, _utc(row["Gelöscht am"]))


def _company(row: Row) -> Record:
    properties = {
        "name": row["Name"],
        "domain": row["Domain"],
        "address": row["Straße"],
        "zip": row["PLZ"],
        "city": row["Ort"],
        "industry": row["Branche"],
        "numberofemployees": row["Mitarbeiter"],
    }
    own = ("Rechtsform", "USt-IdNr", "Registernummer", "Jahresumsatz", "Schlüsselkunde")
    properties |= {_property(name): row[name] for name in own}
    return _record(row, "Firmen-Nr", properties)


def _deal(row: Row, owners: list[str]) -> Record:
    is_won, is_closed = row["Phase"] == "Gewonnen", row["Phase"] in {"Gewonnen", "Verloren"}
    properties = {
        "dealname": row["Bezeichnung"],
        "pipeline": "Vertrieb",
        "dealstage": row["Phase"],
        "hs_is_closed": str(is_closed).lower(),
        "hs_is_closed_won": str(is_won).lower(),
        "closed_lost_reason": row["Verlustgrund"],
        "amount": row["Volumen"] and row["Volumen"].replace(",", "."),
        "deal_currency_code": "EUR",
        "closedate": _utc(row["Abgeschlossen am"]),
        "hubspot_owner_id": str(owners.index(row["Betreuer"]) + 1) if row["Betreuer"] else None,
        **{_property(name): row[name] for name in ("Abschluss erwartet", "Kampagne")},
    }
    return _record(row, "Vorgangs-Nr", properties)


def _talk(row: Row) -> Record:
    direction = {"ein": "inbound", "aus": "outbound"}.get(str(row["Richtung"]))
    properties = {"hs_timestamp": _utc(row["Beginn"]), "ergebnis": row["Ergebnis"], "kanal": row["Kanal"]}
    if row["Kanal"] == "Anruf":
        properties |= {
            "hs_call_direction": direction and direction.upper(),
            "hs_call_duration": row["Sekunden"] and f"{row['Sekunden']}000",
        }
    else:
        properties["richtung"] = direction
    return _record(row, "Nr", properties)


def _own_object(row: Row) -> Record:
    """Numbers of other records become HubSpot's; all else is as the CRM wrote it."""
    properties = {_property(name): number(v) if name.endswith("-Nr") else v for name, v in row.items() if name != "Nr"}
    return _record(row, "Nr", properties)


def _link(
    one: str | None, other: str | None, kind: int, *labels: str | Literal[False] | None
) -> tuple[str, str, list[Record]]:
    types: list[Record] = [{"category": "HUBSPOT_DEFINED", "typeId": kind, "label": None}]
    types += [{"category": "USER_DEFINED", "typeId": 1000, "label": label} for label in labels if label]
    return number(str(one)), number(str(other)), types


def _property(column: str) -> str:
    """HubSpot's internal name of a column: `Gültig ab` is gueltig_ab."""
    return column.lower().translate(_LETTERS)


def _utc(text: str | None) -> str | None:
    """`31.12.2025 14:05:00` on the clock in Berlin; of an hour that comes twice the second one is meant."""
    if text is None:
        return None
    moment = datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(fold=1, tzinfo=BERLIN)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
