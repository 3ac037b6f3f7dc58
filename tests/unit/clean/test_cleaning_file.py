"""`cleaning.yml`: what may stand in it, what is said of a mistake, and that the shipped file names every rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from pipelines.clean.addresses import BLOCKS as ADDRESS_BLOCKS
from pipelines.clean.attributes import BLOCKS as ATTRIBUTE_BLOCKS
from pipelines.clean.attributes import birth_date_blocks
from pipelines.clean.companies import company_blocks
from pipelines.clean.emails import BLOCKS as EMAIL_BLOCKS
from pipelines.clean.names import BLOCKS as NAME_BLOCKS
from pipelines.clean.phones import BLOCKS as PHONE_BLOCKS
from pipelines.configuration import cleaning as models
from pipelines.configuration import load_configuration
from pipelines.configuration.documents import parse
from pipelines.errors import ConfigurationError
from pipelines.settings import PROJECT_DIR
from tests.unit.clean.conftest import AS_OF

GENERIC = {"lookup", "replace", "pattern"}
SHIPPED = PROJECT_DIR / "config" / "cleaning.yml"


def blocks(settings: Any) -> dict[str, Any]:
    return {
        "name": NAME_BLOCKS,
        "address": ADDRESS_BLOCKS,
        "attributes": ATTRIBUTE_BLOCKS,
        "birth_date": birth_date_blocks(AS_OF.date()),
        "email": EMAIL_BLOCKS,
        "phone": PHONE_BLOCKS,
        "company": company_blocks(settings),
    }


def names_of(annotated: Any) -> set[str]:
    """Every value that `rule` may have in a list of these entries."""
    return {
        name for member in get_args(get_args(annotated)[0]) for name in get_args(member.model_fields["rule"].annotation)
    }


def test_every_rule_that_may_be_named_exists_and_is_in_the_shipped_file(settings: Any) -> None:
    written = parse(SHIPPED.read_text(encoding="utf-8"))
    for section, known in blocks(settings).items():
        field = models.CleaningConfig.model_fields[section]
        allowed = names_of(get_args(field.annotation)[0])
        assert allowed - GENERIC == set(known), section
        shipped = {entry if isinstance(entry, str) else entry["rule"] for entry in written[section]}
        assert shipped == set(known), section


def test_every_rule_is_explained(settings: Any) -> None:
    text = (PROJECT_DIR / "docs" / "cleaning.md").read_text(encoding="utf-8")
    named = {name for known in blocks(settings).values() for name in known} | GENERIC
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []


MISTAKES = {
    "a rule that does not exist": ("name: [placeholder]", ["cleaning.yml, line 1: 'name[0]'", "'placeholders'"]),
    "a rule of another list": ("email: [name_casing]", ["'email[0]'", "'lower_case'"]),
    "an unknown parameter": ("name:\n  - {rule: name_casing, wrods: [x]}", ["line 2", "wrods", "not a known key"]),
    "a value outside of its range": (
        "address: [{rule: city_typo, min_share: 0.2}]",
        ["min_share", "greater than or equal to 0.5", "found 0.2"],
    ),
    "an unknown risk": ("name: [{rule: name_casing, risk: maybe}]", ["risk", "'apply' or 'propose'", "found 'maybe'"]),
    "a birth date that would be changed": (
        "birth_date: [{rule: birth_date_day_month_swapped, risk: apply}]",
        ["risk", "'propose'"],
    ),
    "an unknown field": (
        "address: [{rule: lookup, field: town, values: {a: b}}]",
        ["'town'", "street, house_number, postal_code, city, region, country"],
    ),
    "no regular expression": ("address: [{rule: replace, field: city, pattern: '(x'}]", ["no regular expression"]),
    "a pattern that the engine lacks": (
        "address: [{rule: pattern, field: city, pattern: '(?=x)y'}]",
        ["looking ahead", "write a simpler pattern"],
    ),
    "an unknown list": ("phones: []", ["'phones' is not a known key"]),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(settings: Any, text: str, said: list[str]) -> None:
    (settings.config_dir / "cleaning.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(settings)
    assert [part for part in said if part not in str(caught.value)] == []


def test_a_company_without_the_file_has_the_shipped_one_and_a_written_empty_list_switches_off(settings: Any) -> None:
    assert load_configuration(settings).cleaning.name
    (settings.config_dir / "cleaning.yml").write_text("name: []", encoding="utf-8")
    assert load_configuration(settings).cleaning == models.CleaningConfig()


@pytest.mark.parametrize("file", ["cleaning.yml", "buying_center.yml"])
@pytest.mark.parametrize("text", ["", "\n# name:\n#   - placeholders\n", "---\n", "{}", "null"])
def test_a_file_that_says_nothing_is_a_mistake(settings: Any, file: str, text: str) -> None:
    (settings.config_dir / file).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(settings)
    assert str(caught.value).count(f"{file}: the file says nothing") == 1
    assert "remove it to have what is shipped" in str(caught.value)


def test_the_shipped_file_is_small() -> None:
    assert len(Path(SHIPPED).read_text(encoding="utf-8").splitlines()) < 100
