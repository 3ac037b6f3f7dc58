"""Zendesk: what its words become, what its specification allows, and records it only names."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipelines.configuration import Configuration
from pipelines.configuration.mappings import shipped_mapping
from pipelines.sample.servers.serving import VendorServer
from pipelines.sample.servers.zendesk import ZendeskServer
from pipelines.settings import Settings
from tests.conftest import SHARED_DATA
from tests.unit.extract.connectors.conftest import Nights, free_port
from tests.unit.extract.connectors.vendors import TOKEN, ZENDESK, moment

SPECIFICATION = SHARED_DATA / "specs" / "zendesk_support_openapi.yaml"
EXPORTS = SHARED_DATA / "fixtures" / "fivetran" / "zendesk"
SCHEMAS = {
    "users": ("UserForAdmin", ""),
    "tickets": ("TicketObject", ""),
    "ratings": ("SatisfactionRatingObject", ""),
    "companies": ("OrganizationObject", ""),
}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    if not SPECIFICATION.is_file():
        pytest.skip("the specification of Zendesk Support is not on this machine")

    class Loader(yaml.CSafeLoader):
        """Also takes a lone `=`, which the specification has as a value."""

    Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
    found: dict[str, Any] = yaml.load(SPECIFICATION.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a safe loader
    return found


def test_a_ticket_and_its_people_in_our_words(settings: Settings, configuration: Configuration) -> None:
    with ZENDESK.running() as (_, server):
        entry = ZENDESK.entry(server.url)
        entry["entities"] = {
            "users": {"identifiers": {"loyalty_number": "user_fields.card"}},
            "tickets": {"columns": {"category": "custom_fields.1001"}},
            "ratings": None,
            "companies": None,
        }
        nights = Nights(settings, configuration, entry)
        reports = nights.load()
    assert nights.landed(
        "select priority, status, channel, category, requester_record_id, first_reply_at::text, tags, deleted_at::text "
        "from tickets where source_record_id in ('4001', '4005') order by source_record_id"
    ) == [
        ("normal", "open", "web", "Versand", "901", "2026-11-03 08:01:31", '["vip"]', None),
        ("normal", None, "web", "Versand", "905", "2026-11-03 08:01:35", '["vip"]', "2026-11-04 08:00:05"),
    ]
    assert nights.landed(
        "select full_name, is_employee, company_record_id, identifiers::text, deleted_at is not null from users "
        "where source_record_id in ('900', '903') order by source_record_id"
    ) == [
        ("User 0", True, "70", '{"loyalty_number":"K0"}', False),
        ("User 3", False, "71", '{"loyalty_number":"K3"}', True),
    ]
    assert nights.landed("select score::text, scale_max::text, kind from ratings where source_record_id = '1'") == [
        ("0.0000", "1.0000", "csat")
    ]
    assert nights.landed("select domain from companies where source_record_id = '70'") == [("firma0.example.com",)]
    assert not any(report.unmapped for report in reports.values())


def test_a_user_deleted_for_good_keeps_what_was_known_of_him(settings: Settings, configuration: Configuration) -> None:
    with ZENDESK.running() as (served, server):
        nights = Nights(settings, configuration, {**ZENDESK.entry(server.url), "entities": {"users": None}})
        nights.load()
        lost = served.tables["users"].pop(7)
        served.tables["deleted_users"].append({"id": lost["id"], "updated_at": moment(21)})
        counts = nights.load(full=True)["users"].counts
        assert (counts.deleted, counts.changed) == (1, 1)
        # The same event once more is nothing new.
        assert nights.load(full=True)["users"].counts.changed == 0
    assert nights.landed("select email, deleted_at::text from users where source_record_id = '907'") == [
        ("user7@example.com", "2026-11-21 08:00:00")
    ]


def test_every_request_is_legal(
    settings: Settings, configuration: Configuration, specification: dict[str, Any]
) -> None:
    with ZENDESK.running() as (served, server):
        nights = Nights(settings, configuration, ZENDESK.entry(server.url))
        nights.load()
        ZENDESK.change(served)
        nights.load()
        requests = list(server.requests)
    paths, shared = specification["paths"], specification["components"]["parameters"]
    assert len({request.path for request in requests}) == 6
    for request in requests:
        path = paths[request.path]
        operation = path[request.method.lower()]
        declared = {}
        for parameter in (*path.get("parameters", []), *operation.get("parameters", [])):
            known = shared[parameter["$ref"].rsplit("/", 1)[-1]] if "$ref" in parameter else parameter
            declared[known["name"]] = known
        required = {name for name, p in declared.items() if p.get("required") and p["in"] == "query"}
        assert required <= request.query.keys(), request.path
        # What the specification only tells in words: filters of ratings, paging by cursor, sideloads.
        told = operation["description"]
        for name in request.query.keys() - declared.keys():
            word = {"page[size]": "Cursor pagination", "page[after]": "Cursor pagination", "include": "Sideloading"}
            assert word.get(name, name) in told, (request.path, name)


@pytest.mark.parametrize("entity", SCHEMAS)
def test_every_field_of_the_specification_is_mapped_or_named_as_unused(
    entity: str, specification: dict[str, Any]
) -> None:
    schema = specification["components"]["schemas"][SCHEMAS[entity][0]]
    parts = [
        specification["components"]["schemas"][p["$ref"].rsplit("/", 1)[-1]] if "$ref" in p else p
        for p in schema.get("allOf", [schema])
    ]
    fields = {name for part in parts for name in part.get("properties", {})}
    assert (
        fields - accounted(entity)
        == {
            "users": {"user_fields"},  # the company's own: named in sources.yml or reported as unmapped
            "tickets": {"custom_fields", "via"},  # by their parts
            "ratings": set(),
            "companies": {"organization_fields"},
        }[entity]
    )


def test_a_metric_set_is_accounted_for_too(specification: dict[str, Any]) -> None:
    fields = specification["components"]["schemas"]["TicketMetricObject"]["properties"]
    names = {f"metric_set.{name}" for name in fields}
    assert names - accounted("tickets") == {"metric_set.reply_time_in_seconds"}  # by its parts


@pytest.mark.parametrize(
    ("entity", "file", "own"),
    [
        # Not of Zendesk's answers: the extractor's own, or fields that Zendesk dropped.
        ("users", "user_data.csv", {"_fivetran_synced", "authenticity_token"}),
        ("tickets", "ticket_data.csv", {"_fivetran_synced", "system_client", "merged_ticket_ids"}),
        ("companies", "organization_data.csv", {"_fivetran_synced"}),
    ],
)
def test_every_field_of_an_export_is_mapped_or_named_as_unused(entity: str, file: str, own: set[str]) -> None:
    if not (EXPORTS / file).is_file():
        pytest.skip("the exports of a hosted extractor are not on this machine")
    with (EXPORTS / file).open(encoding="utf-8") as stream:
        columns = set(next(csv.reader(stream)))
    known = {name.replace(".", "_") for name in accounted(entity)}
    assert {c for c in columns if c not in known and not any(c.startswith(f"{k}_") for k in known)} == own


def accounted(entity: str) -> set[str]:
    """The vendor's fields that the shipped mapping uses or names as unused."""
    mapping = shipped_mapping("zendesk")[entity]
    used = {t for t in mapping["columns"].values() if isinstance(t, str)}
    words = {w for t in mapping["columns"].values() if isinstance(t, dict) for w in re.findall(r"[\w.]+", t["sql"])}
    return used | words | set(mapping["unused"])


def test_the_specifications_own_examples_are_read(
    settings: Settings, configuration: Configuration, specification: dict[str, Any]
) -> None:
    examples = specification["components"]["examples"]

    def example(name: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = examples[name]["value"][key]
        return found

    tables = {
        "users": example("CursorBasedExportIncrementalUsersResponseExample", "users"),
        "tickets": example("CursorBasedExportIncrementalTicketsResponseExample", "tickets"),
        "organizations": example("ExportIncrementalOrganizationsResponseExample", "organizations"),
        "satisfaction_ratings": example("SatisfactionRatingsResponseExample", "satisfaction_ratings"),
        "deleted_users": example("DeletedUsersResponseExample", "deleted_users"),
    }
    with VendorServer(ZendeskServer(tables, token=TOKEN).answer).running() as server:
        nights = Nights(settings, configuration, ZENDESK.entry(server.url))
        reports = nights.load()
    assert {name: (r.counts.delivered, r.counts.rejected) for name, r in reports.items()} == {
        "users": (len(tables["users"]) + len(tables["deleted_users"]), 0),
        "tickets": (len(tables["tickets"]), 0),
        "ratings": (2, 0),
        "companies": (1, 0),
    }
    assert nights.landed("select type, priority, status, channel, created_at::text from tickets") == [
        ("incident", "high", "open", "web", "2009-07-20 22:55:29")
    ]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that was not written for us: it answers from the specification and refuses what that does not allow."""
    program = shutil.which("prism") or shutil.which("prism", path="node_modules/.bin")
    if program is None or not SPECIFICATION.is_file():
        pytest.skip("no mock server of the specification: npm install @stoplight/prism-cli, and the specification")
    port, log = free_port(), tmp_path_factory.mktemp("prism") / "prism.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [program, "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(SPECIFICATION)],
            stdout=output,
            stderr=output,
        )
    try:
        for _ in range(600):
            if "is listening" in log.read_text():
                break
            assert server.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize("entity", ["users", "tickets", "ratings", "companies"])
def test_a_mock_of_the_specification_refuses_no_request(
    entity: str, prism: str, settings: Settings, configuration: Configuration
) -> None:
    nights = Nights(settings, configuration, ZENDESK.entry(prism, (entity,)))
    first, second = nights.load()[entity].counts, nights.load()[entity].counts
    assert first.new == first.delivered > 0
    assert (second.new, second.changed, second.rejected) == (0, 0, 0)
