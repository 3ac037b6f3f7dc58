"""HubSpot: what its words become, merges and archived records, links that go, and more results than a search shows."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.configuration.mappings import shipped_mapping
from pipelines.errors import SourceError
from pipelines.extract.connectors import open_connector
from pipelines.settings import Settings
from tests.conftest import SHARED_DATA
from tests.unit.extract.connectors.conftest import Nights
from tests.unit.extract.connectors.vendors import HUBSPOT, TOKEN, hubspot_record

EXPORTS = SHARED_DATA / "fixtures" / "fivetran" / "hubspot"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)


@pytest.fixture
def nights_of(settings: Settings, configuration: Configuration) -> Any:
    def make(url: str, **entities: Any) -> Nights:
        entry = HUBSPOT.entry(url)
        entry["entities"] |= entities
        return Nights(settings, configuration, entry)

    return make


def test_two_nights_in_our_words(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        nights = nights_of(server.url, contacts={"identifiers": {"loyalty_number": "card"}})
        nights.load()
        assert nights.landed(
            "select source_record_id, lifecycle_stage, company_record_id, identifiers::text, merged_into_record_id, "
            "deleted_at is not null from contacts where source_record_id in ('90', '100', '101', '105') order by 1"
        ) == [
            ("100", "sql", "501", '{"loyalty_number":"K0"}', None, False),
            ("101", "customer", "501", '{"loyalty_number":"K1"}', None, False),
            ("105", "customer", None, '{"loyalty_number":"K5"}', None, True),
            ("90", None, None, None, "102", False),
        ]
        assert nights.landed("select stage, entered_at::text from stage_changes where contact_record_id = '101'") == [
            ("lead", "2026-11-01 08:00:01"),
            ("customer", "2026-11-02 08:00:01"),
        ]
        assert nights.landed(
            "select company_record_id, role, is_primary from company_contacts where contact_record_id = '100' "
            "order by 1"
        ) == [("500", "Einkauf", False), ("501", None, True)]
        assert nights.landed(
            "select status, channel, kind, purpose, given_at is not null, withdrawn_at is not null from permissions "
            "where contact_record_id in ('100', '101', '102') order by contact_record_id"
        ) == [
            ("granted", "email", "consent", "advertising", True, False),
            ("withdrawn", "email", "consent", "advertising", False, True),
        ]
        assert nights.landed(
            "select contact_record_id, company_record_id, is_won, is_lost, closed_at is null, "
            "expected_close_date::text "
            "from deals where source_record_id in ('700', '701', '703') order by source_record_id"
        ) == [
            ("100", "502", False, False, True, "2026-11-09"),
            (None, None, True, False, False, None),
            ("102", None, False, True, False, None),
        ]
        assert nights.landed(
            "select kind, count(*), bool_or(is_machine), any_value(bounce_type) from touches "
            "group by kind order by kind"
        ) == [("bounced", 3, False, "hard"), ("opened", 3, True, None), ("sent", 4, False, None)]
        assert nights.landed(
            "select source_record_id, channel, direction, duration_seconds from interactions "
            "where source_record_id in ('call:300', 'meeting:300') order by 1"
        ) == [("call:300", "call", "inbound", 61), ("meeting:300", "meeting", None, None)]
        HUBSPOT.change(served)
        counts = nights.load()["contacts"].counts
    assert (counts.new, counts.deleted) == (1, 2)
    # A merged contact keeps what was known of it; a link that was cut is gone.
    assert nights.landed("select email, merged_into_record_id from contacts where source_record_id = '107'") == [
        ("contact7@example.com", "106")
    ]
    assert nights.landed(
        "select source_record_id from company_contacts where _absent_since is not null order by 1"
    ) == [
        ("100:500",),
        ("101:500",),  # an archived contact has no links any more
        ("101:501",),
    ]
    assert nights.landed("select source_record_id from deal_contacts where _absent_since is not null") == [("700:101",)]
    assert nights.landed("select name from campaigns where source_record_id = '1'") == [("Mailing neu",)]


def test_owners_are_found_by_their_number_and_asked_for_once_a_read(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        served.owners = [
            {"id": "7", "firstName": "Anna", "lastName": "Berger", "email": "a@x.example", "archived": False},
            {"id": "8", "firstName": None, "lastName": None, "email": "left@x.example", "archived": True},
        ]
        for record, owner in zip(served.objects["contacts"], ("7", "8", "9", ""), strict=False):
            record["properties"]["hubspot_owner_id"] = owner
        served.objects["deals"][0]["properties"]["hubspot_owner_id"] = "7"
        nights = nights_of(server.url)
        nights.load()
    assert nights.landed("select owner from contacts order by source_record_id limit 4") == [
        ("Anna Berger",),
        ("left@x.example",),
        (None,),
        (None,),
    ]
    assert nights.landed("select owner from deals where source_record_id = '700'") == [("Anna Berger",)]
    asked = [request for request in server.requests if request.path == "/crm/owners/2026-03"]
    assert [request.query["archived"] for request in asked] == ["true", "false"] * 2  # of contacts, and of deals


def test_an_owner_who_stays_a_number_needs_no_scope(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        served.scopes = served.scopes - {"owners"}
        served.objects["contacts"][0]["properties"]["hubspot_owner_id"] = "7"
        nights = nights_of(server.url)
        nights.entry["entities"] = {"contacts": {"columns": {"owner": "hubspot_owner_id"}}}
        nights.load()
    assert nights.landed("select owner from contacts where source_record_id = '100'") == [("7",)]


def test_of_several_contacts_a_label_names_the_main_one(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        main = {"category": "USER_DEFINED", "typeId": 34, "label": "Hauptkontakt"}
        links = served.links["deals", "contacts"]
        links[0] = (*links[0][:2], [*links[0][2], main])
        nights = nights_of(server.url)
        nights.entry["hubspot"]["primary_labels"] = ["Hauptkontakt"]
        nights.entry["entities"] = {"deals": None, "deal_contacts": None}
        nights.load()
    assert nights.landed("select contact_record_id from deals where source_record_id = '700'") == [("101",)]
    assert nights.landed("select role from deal_contacts where source_record_id = '700:101'") == [(None,)]


def test_an_increment_asks_for_what_changed_only(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        nights = nights_of(server.url)
        nights.load()
        HUBSPOT.change(served)
        before = len(server.requests)
        nights.load()
        searches = [r.body for r in server.requests[before:] if r.path.endswith("contacts/search")]
    assert [f["operator"] for f in searches[0]["filterGroups"][0]["filters"]] == ["GTE", "GT"]
    assert len(searches) == 1


def test_a_search_of_more_than_ten_thousand_results_is_read_to_its_end(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        nights = nights_of(server.url)
        nights.entry["entities"] = {"companies": None}
        nights.load()
        served.page_size = 200
        served.objects["companies"] += [hubspot_record(10_000 + n, 22, name=f"Neu {n}") for n in range(10_450)]
        counts = nights.load()["companies"].counts
    assert (counts.new, counts.delivered, counts.repeated) == (10_450, 10_450, 0)


def test_the_paths_of_the_numbered_version(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        served.version = "v3"
        nights = nights_of(server.url)
        nights.entry["hubspot"]["version"] = "v3"
        reports = nights.load()
    assert reports["contacts"].counts.new == 19
    assert "/crm/v4/associations/contacts/companies/batch/read" in {r.path for r in server.requests}


def test_a_missing_scope_names_what_may_not_be_read(nights_of: Any) -> None:
    with HUBSPOT.running() as (served, server):
        served.scopes = served.scopes - {"deals"}
        with pytest.raises(SourceError, match=r"may not read /crm/objects/2026-03/deals \(403\); grant it the scope"):
            nights_of(server.url).load()


def test_a_property_that_does_not_exist_is_found_before_and_while_reading(nights_of: Any, settings: Settings) -> None:
    with HUBSPOT.running() as (_, server):
        nights = nights_of(server.url, contacts={"columns": {"gender": "geschlecht"}})
        with pytest.raises(SourceError, match="no record has the field geschlecht"):
            nights.load()
        for record in server.answer.__self__.objects["contacts"]:  # type: ignore[attr-defined]
            record["properties"] |= dict.fromkeys(
                t for t in shipped_mapping("hubspot")["contacts"]["columns"].values() if isinstance(t, str)
            )
        connector = open_connector(nights.configuration().sources[0], settings)
        with pytest.raises(SourceError, match="HubSpot has no property geschlecht"):
            connector.check()


@pytest.mark.parametrize(
    ("entity", "file", "own"),
    [
        # `_fivetran_*` are the extractor's; the others are properties of that company, or not of the record itself.
        (
            "contacts",
            "contact_data.csv",
            {"email_1", "annualrevenue", "created_at", "first_conversion_date"},
        ),
        (
            "companies",
            "company_data.csv",
            {"description", "address_2", "state", "annualrevenue", "hs_all-funky-a9384-syntax"},
        ),
    ],
)
def test_every_field_of_an_export_is_mapped_or_reported(entity: str, file: str, own: set[str]) -> None:
    if not (EXPORTS / file).is_file():
        pytest.skip("the exports of a hosted extractor are not on this machine")
    mapping = shipped_mapping("hubspot")[entity]
    used = {t for t in mapping["columns"].values() if isinstance(t, str)} | set(mapping["unused"])
    used |= {w for t in mapping["columns"].values() if isinstance(t, dict) for w in re.findall(r"\w+", t["sql"])}
    with (EXPORTS / file).open(encoding="utf-8") as stream:
        columns = next(csv.reader(stream))
    properties = {c.removeprefix("property_") for c in columns if c.startswith("property_")}
    assert properties - used == own
