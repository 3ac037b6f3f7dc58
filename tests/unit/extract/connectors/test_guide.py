"""The examples of docs/sources.md are valid as they stand there."""

from __future__ import annotations

import re

import pytest

from pipelines.configuration.documents import parse
from pipelines.configuration.sources import SourcesConfig
from pipelines.settings import PROJECT_DIR

BLOCKS = re.findall(r"```yaml\n(.*?)```", (PROJECT_DIR / "docs" / "sources.md").read_text(encoding="utf-8"), re.DOTALL)
NAMED = {name: block for block in BLOCKS for name in re.findall(r"connector: (\w+)", block)}


def test_there_is_an_example_of_every_connector() -> None:
    assert set(NAMED) == {"files", "sql", "hubspot", "shopify", "zendesk"}


@pytest.mark.parametrize("name", NAMED)
def test_an_example_is_valid(name: str) -> None:
    block = NAMED[name]
    found = parse(block if block.startswith("sources:") else f"sources:\n{block}")
    if not found["sources"][0]["entities"]:  # the list of what every source may say
        found["sources"][0]["entities"] = {"customers": {"path": "customers.csv"}}
    (source,) = SourcesConfig.model_validate(found).sources
    assert source.connector == name


@pytest.mark.parametrize("connector", ["zendesk", "hubspot", "shopify"])
def test_a_vendor_without_entities_delivers_all_that_ship(connector: str) -> None:
    from pipelines.configuration.mappings import shipped_mapping

    entry = parse("sources:\n" + NAMED[connector])["sources"][0]
    del entry["entities"]
    (source,) = SourcesConfig.model_validate({"sources": [entry]}).sources
    assert list(source.entities) == list(shipped_mapping(connector))


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"url": "http://beispiel.zendesk.com"}, "begins with https://"),
        ({"url": "https://a:b@beispiel.zendesk.com"}, "holds no credentials"),
        ({"token": "abc123"}, "a secret must not stand here"),
        ({"tokens": "${A}"}, "tokens"),
    ],
)
def test_a_wrong_block_says_what_is_allowed(block: dict[str, str], sentence: str) -> None:
    entry = parse("sources:\n" + NAMED["zendesk"])["sources"][0]
    entry["zendesk"] |= block
    with pytest.raises(ValueError, match=sentence) as caught:
        SourcesConfig.model_validate({"sources": [entry]})
    assert "abc123" not in str(caught.value).partition("[type=")[0]


@pytest.mark.parametrize(
    ("entities", "sentence"),
    [
        ({"users": {"columns": {"source_record_id": "external_id"}}}, "ids are zendesk's own and stay as they ship"),
        ({"users": {"columns": {"source_record_id": None}}}, "ids are zendesk's own and stay as they ship"),
        ({"users": {"key": ["email"]}}, "name either `key` or `columns.source_record_id`"),
        ({"orders": {}}, "zendesk delivers no such records; allowed: users, tickets, ratings, companies"),
        ({"users": {"path": "users.csv"}}, "zendesk knows where its records are; take it out"),
        ({"users": {"object": "p_people"}}, "zendesk knows where its records are; take it out"),
    ],
)
def test_what_a_vendor_decides_cannot_be_changed(entities: dict[str, object], sentence: str) -> None:
    entry = parse("sources:\n" + NAMED["zendesk"])["sources"][0]
    with pytest.raises(ValueError, match=sentence):
        SourcesConfig.model_validate({"sources": [entry | {"entities": entities}]})


def test_any_entity_of_hubspot_may_be_a_custom_object_with_its_own_mapping() -> None:
    entry = parse("sources:\n" + NAMED["hubspot"])["sources"][0]
    own = {"object": "p_einwilligungen", "columns": {"kind": "art", "updated_at": None}}
    (source,) = SourcesConfig.model_validate({"sources": [entry | {"entities": {"permissions": own}}]}).sources
    assert source.entities["permissions"].columns == {
        "source_record_id": "id",
        "created_at": "createdAt",
        "deleted_at": "archivedAt",
        "kind": "art",
    }
    own["columns"] = {"source_record_id": "nummer"}
    with pytest.raises(ValueError, match="ids are hubspot's own and stay as they ship"):
        SourcesConfig.model_validate({"sources": [entry | {"entities": {"permissions": own}}]})
