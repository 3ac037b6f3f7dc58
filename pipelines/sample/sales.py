"""The sales desk of the CRM: who works where, deals, stages and conversations. Exported as the CRM does.

Add here what concerns business with companies. Contacts and permissions belong to `crm`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.campaigns import CAMPAIGNS
from pipelines.sample.chance import Array, Calendar, Chance, Random, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.records import later
from pipelines.sample.writing import formatted, german_amounts, german_moments

DEALS_PER_COMPANY = 1.5
INTERACTIONS_PER_CONTACT = 0.25
DEAL_STAGES = ("Anfrage", "Angebot", "Verhandlung", "Gewonnen", "Verloren")
SELLERS = ("A. Brandt", "M. Yilmaz", "K. Petersen")


@dataclass(frozen=True)
class Sales:
    company_contacts: pd.DataFrame
    deals: pd.DataFrame
    deal_contacts: pd.DataFrame
    stage_changes: pd.DataFrame
    interactions: pd.DataFrame


def keep_sales(contacts: pd.DataFrame, companies: pd.DataFrame, calendar: Calendar, chance: Chance) -> Sales:
    """Everything the sales desk wrote down until the day before as_of."""
    workers = np.flatnonzero((contacts["company"] >= 0).to_numpy() & contacts["last_name"].notna().to_numpy())
    deals = make_deals(contacts, companies, workers, calendar, chance)
    return Sales(
        employ(contacts, companies, chance),
        deals,
        invite_colleagues(deals, contacts, workers, chance),
        follow_stages(contacts, deals, calendar, chance),
        talk(contacts, deals, calendar, chance),
    )


def employ(contacts: pd.DataFrame, companies: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """One row per contact and employer; the former one ended on the day the contact's present one began."""
    random = chance.stream("company_contacts")
    present = contacts[contacts["company"] >= 0]
    former = present[present["former_company"] >= 0]
    years = random.integers(0, 1000, len(present)).astype("timedelta64[D]")
    # Who came from elsewhere began here when the other job ended.
    began = present["created_at"].to_numpy() - np.where(present["former_company"] >= 0, years * 0, years)
    changed = former["created_at"].to_numpy()
    jobs = pd.concat(
        [
            _jobs(present, companies, "company").assign(valid_from=began, is_primary="ja"),
            _jobs(former, companies, "former_company").assign(
                valid_from=changed - np.timedelta64(1500, "D"), valid_until=changed, is_primary="nein"
            ),
        ],
        ignore_index=True,
    )
    jobs["job_no"] = "T-" + numbers_as_texts(np.arange(len(jobs)) + chance.number(1), 6)
    return jobs


def _jobs(contacts: pd.DataFrame, companies: pd.DataFrame, column: str) -> pd.DataFrame:
    found = contacts[["record_id", "job_title", "noises"]].rename(columns={"record_id": "contact_no"})
    found = found.reset_index(drop=True)
    return found.assign(company_no=pick(companies["record_id"], contacts[column].to_numpy()))


def make_deals(
    contacts: pd.DataFrame, companies: pd.DataFrame, workers: Array, calendar: Calendar, chance: Chance
) -> pd.DataFrame:
    """One row per deal: `contact` (row), `company` (row), stage in the CRM's words, amount in cents, times."""
    random = chance.stream("deals")
    size = round(len(companies) * DEALS_PER_COMPANY) if len(workers) else 0
    contact = workers[random.integers(0, len(workers), size)] if size else np.zeros(0, dtype=int)
    days = later(contacts["since_days"].to_numpy()[contact], random)
    open_days = days - random.integers(5, 90, size)
    is_closed = open_days >= 1
    stage = np.where(is_closed, np.where(random.random(size) < 0.35, "Gewonnen", "Verloren"), pick_stage(size, random))
    deals = pd.DataFrame({"contact": contact, "company": contacts["company"].to_numpy()[contact], "days_ago": days})
    deals["stage"] = texts(stage)
    deals["amount"] = np.rint(random.lognormal(12.5, 1.1, size)).astype(np.int64)
    deals["created_at"] = calendar.moments(days, random)
    closed = np.maximum(calendar.moments(np.maximum(open_days, 1), random), deals["created_at"].to_numpy())
    deals["closed_at"] = pd.Series(closed).where(is_closed)
    deals["expected_on"] = deals["created_at"] + pd.Timedelta(days=45)
    lost = draw_texts(random, ["Preis", "Wettbewerb", "Kein Bedarf"], size)
    deals["lost_reason"] = lost.where(deals["stage"] == "Verloren")
    deals["owner"] = draw_texts(random, SELLERS, size)
    campaign = draw_texts(random, [c.record_id for c in CAMPAIGNS], size)
    deals["campaign"] = campaign.where(random.random(size) < 0.2)
    deals["deal_no"] = "V-" + numbers_as_texts(np.arange(size) + chance.number(1), 6)
    deals["contact_no"] = pick(contacts["record_id"], contact)
    deals["company_no"] = pick(companies["record_id"], deals["company"].to_numpy())
    deals["name"] = "Rahmenvertrag " + pick(companies["name"], deals["company"].to_numpy())
    return deals


def pick_stage(size: int, random: Random) -> Array:
    found: Array = np.array(DEAL_STAGES[:3], dtype=object)[random.integers(0, 3, size)]
    return found


def invite_colleagues(deals: pd.DataFrame, contacts: pd.DataFrame, workers: Array, chance: Chance) -> pd.DataFrame:
    """One row per deal and contact with a part in it."""
    random = chance.stream("deal_contacts")
    main = pd.DataFrame({"deal_no": deals["deal_no"], "contact_no": deals["contact_no"], "role": "Entscheider"})
    more = np.flatnonzero(random.random(len(deals)) < 0.4)
    other = workers[random.integers(0, len(workers), len(more))] if len(more) else np.zeros(0, dtype=int)
    others = pd.DataFrame({"deal_no": pick(deals["deal_no"], more), "contact_no": pick(contacts["record_id"], other)})
    found = pd.concat([main, others.assign(role="Fachabteilung")], ignore_index=True)
    return found.drop_duplicates(["deal_no", "contact_no"], ignore_index=True)


def follow_stages(contacts: pd.DataFrame, deals: pd.DataFrame, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per change of stage: contacts become leads and some of them customers; deals go from offer to end."""
    random = chance.stream("stage_changes")
    rows = np.flatnonzero(random.random(len(contacts)) < 0.3)
    since = contacts["since_days"].to_numpy()[rows]
    number = pick(contacts["record_id"], rows)
    first = pd.DataFrame({"contact_no": number, "from_stage": texts([None] * len(rows)), "stage": "Lead"})
    first["entered_at"] = contacts["created_at"].to_numpy()[rows]
    won = random.random(len(rows)) < 0.6
    then = pd.DataFrame({"contact_no": number, "from_stage": "Lead", "stage": "Interessent"})
    then["entered_at"] = np.maximum(calendar.moments(later(since, random), random), first["entered_at"].to_numpy())
    ends = deals[deals["closed_at"].notna()]
    closed = pd.DataFrame({"contact_no": ends["contact_no"], "company_no": ends["company_no"]})
    closed = closed.assign(
        deal_no=ends["deal_no"], from_stage="Angebot", stage=ends["stage"], entered_at=ends["closed_at"]
    )
    changes = pd.concat([first, then[won], closed], ignore_index=True)
    changes["change_no"] = "S-" + numbers_as_texts(np.arange(len(changes)) + chance.number(1), 6)
    return changes


def talk(contacts: pd.DataFrame, deals: pd.DataFrame, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per conversation: calls, meetings, letters, visits."""
    random = chance.stream("interactions")
    contact = np.repeat(np.arange(len(contacts)), random.poisson(INTERACTIONS_PER_CONTACT, len(contacts)))
    size = len(contact)
    days = later(contacts["since_days"].to_numpy()[contact], random)
    talks = pd.DataFrame({"contact_no": pick(contacts["record_id"], contact)})
    talks["channel"] = draw_texts(random, ["Anruf", "Termin", "Brief", "Besuch"], size, [70, 12, 10, 8])
    talks["direction"] = draw_texts(random, ["ein", "aus"], size, [4, 6])
    talks["started_at"] = calendar.moments(days, random)
    seconds = np.maximum(random.lognormal(5.2, 0.9, size), 10).astype(int)
    talks["seconds"] = numbers_as_texts(seconds).where(talks["channel"] == "Anruf")
    talks["outcome"] = draw_texts(random, ["erreicht", "nicht erreicht", "Rückruf vereinbart"], size, [6, 3, 1])
    latest = deals.drop_duplicates("contact_no", keep="last").set_index("contact_no")["deal_no"]
    talks["deal_no"] = talks["contact_no"].map(latest)
    talks["talk_no"] = "G-" + numbers_as_texts(np.arange(size) + chance.number(1), 6)
    return talks


def export_sales(sales: Sales) -> dict[str, pd.DataFrame]:
    """The desk's tables with the CRM's column names, everything as text."""
    jobs, deals, changes, talks = sales.company_contacts, sales.deals, sales.stage_changes, sales.interactions
    return {
        "company_contacts": pd.DataFrame(
            {
                "Nr": jobs["job_no"],
                "Kontakt-Nr": jobs["contact_no"],
                "Firmen-Nr": jobs["company_no"],
                "Funktion": jobs["job_title"],
                "Hauptfirma": jobs["is_primary"],
                "Von": german_moments(jobs["valid_from"]),
                "Bis": german_moments(jobs["valid_until"]),
            }
        ),
        "deals": pd.DataFrame(
            {
                "Vorgangs-Nr": deals["deal_no"],
                "Bezeichnung": deals["name"],
                "Kontakt-Nr": deals["contact_no"],
                "Firmen-Nr": deals["company_no"],
                "Phase": deals["stage"],
                "Volumen": german_amounts(deals["amount"]),
                "Verlustgrund": deals["lost_reason"],
                "Abschluss erwartet": formatted(deals["expected_on"], "%d.%m.%Y"),
                "Abgeschlossen am": german_moments(deals["closed_at"]),
                "Kampagne": deals["campaign"],
                "Betreuer": deals["owner"],
                "Angelegt am": german_moments(deals["created_at"]),
            }
        ),
        "deal_contacts": sales.deal_contacts.rename(
            columns={"deal_no": "Vorgangs-Nr", "contact_no": "Kontakt-Nr", "role": "Rolle"}
        ),
        "stage_changes": pd.DataFrame(
            {
                "Nr": changes["change_no"],
                "Kontakt-Nr": changes["contact_no"],
                "Firmen-Nr": changes["company_no"],
                "Vorgangs-Nr": changes["deal_no"],
                "Von": changes["from_stage"],
                "Nach": changes["stage"],
                "Am": german_moments(changes["entered_at"]),
            }
        ),
        "interactions": pd.DataFrame(
            {
                "Nr": talks["talk_no"],
                "Kontakt-Nr": talks["contact_no"],
                "Kanal": talks["channel"],
                "Richtung": talks["direction"],
                "Beginn": german_moments(talks["started_at"]),
                "Sekunden": talks["seconds"],
                "Ergebnis": talks["outcome"],
                "Vorgangs-Nr": talks["deal_no"],
            }
        ),
    }
