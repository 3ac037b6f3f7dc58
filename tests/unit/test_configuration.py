"""A wrong configuration is told in full before anything runs: every problem, with file, line, key and remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.configuration import Configuration, load_configuration
from pipelines.configuration.documents import read_document
from pipelines.configuration.load import expand
from pipelines.errors import ConfigurationError
from pipelines.settings import PROJECT_DIR, Settings

COMPANY = """\
name: Beispiel Handels GmbH
controllers: [Beispiel Handels GmbH]
"""
SOURCES = """\
sources:
  - name: crm
    role: crm
    controller: Beispiel Handels GmbH
    path: ${CRM_FOLDER}
    entities:
      contacts:
        path: contacts.csv
        columns: {source_record_id: id}
  - name: shop
    role: shop
    controller: Beispiel Handels GmbH
    enabled: true
    entities:
      customers:
        path: customers.csv
"""

MORE_SOURCE = """\
  - name: crm_{0}
    role: crm
    controller: Beispiel Handels GmbH
    entities: {{contacts: {{path: contacts.csv}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small valid configuration."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "company.yml").write_text(COMPANY)
    (folder / "sources.yml").write_text(SOURCES)
    (folder / "permissions.yml").write_text("channels: {email: [consent]}\n")
    return folder


def load(folder: Path, **environment: str) -> Configuration:
    settings = Settings.from_environment(
        {"KUNDENSTAMM_CONFIG_DIR": str(folder), "KUNDENSTAMM_DATA_DIR": str(folder.parent / "data")}
    )
    return load_configuration(settings, {"CRM_FOLDER": "somewhere", **environment})


def problems_of(folder: Path, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, **environment)
    assert str(caught.value) == "\n".join(caught.value.sentences)
    return caught.value.sentences


def replace_by_folder(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).mkdir()

    return change


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return change


def write(file: str, text: str | bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def test_the_shipped_configuration_is_valid(settings: Settings) -> None:
    assert load_configuration(settings).directory == PROJECT_DIR / "config"


def test_files_whose_values_all_have_defaults_may_be_missing(folder: Path) -> None:
    assert load(folder).value.top_share == 0.2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            replace("company.yml", "name:", "nmae:"),
            ["company.yml, line 1: 'name' is missing; add it.", "company.yml, line 1: 'nmae' is not a known key"],
            id="a misspelt key",
        ),
        pytest.param(
            replace("sources.yml", "role: shop", "role: shopping"),
            [
                "sources.yml, line 11: 'sources[1].role': must be 'crm', 'shop', 'support', 'marketing', "
                "'web', 'erp' or 'enrichment', found 'shopping'."
            ],
            id="a value that is not allowed",
        ),
        pytest.param(
            replace("sources.yml", "enabled: true", "enabled: perhaps"),
            ["sources.yml, line 13: 'sources[1].enabled': must be true or false"],
            id="a value of another type",
        ),
        pytest.param(
            replace_by_folder("company.yml"),
            ["company.yml: it is a folder; put the file there, or remove it."],
            id="a folder",
        ),
        pytest.param(
            write("company.yml", COMPANY + "nightly_at: 12:30\n"),
            ["company.yml, line 3: 'nightly_at': must be text; put it in quotes"],
            id="a time without quotes",
        ),
        pytest.param(
            write("company.yml", COMPANY + "name: Another\n"),
            ["company.yml, line 3: 'name' is given twice; remove one."],
            id="a key given twice",
        ),
        pytest.param(
            replace("sources.yml", "role: crm", "role: crm\n   controller: x"),
            ["sources.yml, line 4: not valid YAML ("],
            id="invalid YAML",
        ),
        pytest.param(
            write("value.yml", "top_share: 2026-13-45\n"),
            ["value.yml: not valid YAML (month must be in 1..12); put text that looks like a date in quotes."],
            id="a date that is none",
        ),
        pytest.param(
            write("value.yml", "top_share: !!python/name:os.system 1\n"),
            ["value.yml, line 1: not valid YAML (could not determine a constructor"],
            id="a tag that runs code",
        ),
        pytest.param(
            write("value.yml", "&a top_share: [*a]\nwindow_days: &b [*b]\n"),
            ["value.yml: an anchor refers to itself; remove it."],
            id="an anchor that refers to itself",
        ),
        pytest.param(
            write("value.yml", "top_share: 0.2 # für alle".encode("cp1252")),
            ["value.yml: the file is not UTF-8; save it as UTF-8."],
            id="another encoding",
        ),
        pytest.param(
            write("company.yml", "- just a list\n"),
            ["company.yml, line 1: 'the file': must hold keys with values."],
            id="a list in place of keys",
        ),
        pytest.param(write("sources.yml", ""), ["sources.yml: 'sources' is missing; add it."], id="an empty file"),
        pytest.param(
            lambda folder: (folder / "company.yml").unlink(),
            ["company.yml: 'name' is missing; add it.", "company.yml: 'controllers' is missing; add it."],
            id="a file that must be there",
        ),
        pytest.param(
            write("segmets.yml", "a: 1\n"),
            ["segmets.yml: this file is not known; allowed: audiences.yml, buying_center.yml, cleaning.yml,"],
            id="an unknown file",
        ),
        pytest.param(
            replace(
                "sources.yml", "    controller: Beispiel Handels GmbH\n    path", "    controller: Nobody\n    path"
            ),
            [
                "sources.yml, line 4: 'sources[0].controller' names 'Nobody', which is no controller of company.yml; "
                "allowed: Beispiel Handels GmbH."
            ],
            id="an unknown controller",
        ),
        pytest.param(
            write("survivorship.yml", "default:\n  sources: [crm, erp]\ngroups:\n  email: {sources: [web]}\n"),
            [
                "survivorship.yml, line 2: 'default.sources[1]' names 'erp', which is not a source of sources.yml; "
                "allowed: crm, shop.",
                "survivorship.yml, line 4: 'groups.email.sources[0]' names 'web'",
            ],
            id="priorities of unknown sources",
        ),
        pytest.param(
            write("survivorship.yml", "default: {strategies: [newest, most_recent]}\ngroups:\n  shoes: {}\n"),
            [
                "survivorship.yml, line 1: 'default.strategies[0]': must be 'source_priority', 'most_recent', "
                "'most_frequent', 'most_complete' or 'longest_verified', found 'newest'.",
                "survivorship.yml, line 3: 'groups.shoes': must be 'name', 'email'",
            ],
            id="a strategy and a group of fields that do not exist",
        ),
        pytest.param(
            write("survivorship.yml", "groups:\n  email: {strategies: [most_recent, most_recent]}\n"),
            ["survivorship.yml, line 2: 'groups.email.strategies': 'most_recent' is named twice"],
            id="a strategy named twice",
        ),
        pytest.param(
            write("survivorship.yml", "groups:\n  name: {strategies: [longest_verified]}\n"),
            ["groups.name: longest_verified is only for the groups email, phone, mobile, address; remove it."],
            id="a name that nobody can verify",
        ),
        pytest.param(
            replace("sources.yml", "name: shop", "name: crm"),
            ["sources.yml, line 1: 'the file': two sources are named 'crm'; a name must be unique."],
            id="two sources of one name",
        ),
        pytest.param(
            write("sources.yml", SOURCES + "".join(MORE_SOURCE.format(number) for number in range(59))),
            ["sources.yml, line 1: 'the file': there are 61 sources; allowed are 60, so unite some of them."],
            id="more sources than can be told apart",
        ),
        pytest.param(
            replace("sources.yml", "name: shop", "name: raw"),
            ["sources.yml, line 10: 'sources[1].name': the name 'raw' is used by the warehouse itself; choose another"],
            id="a reserved name",
        ),
        pytest.param(
            replace("sources.yml", "source_record_id: id", "surname: id"),
            ["entities.contacts.columns.surname: not a canonical column of contacts; use `custom`"],
            id="a column that is not canonical",
        ),
        pytest.param(
            replace("sources.yml", "      customers:", "      custmers:"),
            ["entities.custmers: there is no such entity; allowed: attributes, campaign_steps,"],
            id="an unknown entity",
        ),
        pytest.param(
            write(
                "sources.yml", SOURCES.replace("role: shop", "role: erp").replace("      customers:", "      orders:")
            ),
            ["shop.entities.orders.references.customer_record_id: source 'shop' has no persons; name the source"],
            id="a reference to persons that the source cannot have",
        ),
        pytest.param(
            replace("sources.yml", "${CRM_FOLDER}", "${UNSET_FOLDER}"),
            [
                "sources.yml, line 5: 'sources[0].path' needs the environment variable UNSET_FOLDER, which is not set; "
                "set it and start again."
            ],
            id="a variable that is not set",
        ),
    ],
)
def test_a_problem_is_a_sentence_with_file_line_and_remedy(
    folder: Path, change: Callable[[Path], None], expected: list[str]
) -> None:
    change(folder)
    found = problems_of(folder)
    assert len(found) == len(expected), found
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence
        assert sentence.endswith(".")


def test_all_problems_of_all_files_are_told_at_once(folder: Path) -> None:
    replace("sources.yml", "role: shop", "role: shopping")(folder)
    replace("sources.yml", "${CRM_FOLDER}", "${UNSET_FOLDER}")(folder)
    write("company.yml", COMPANY + "colour: red\ncountry: germany\n")(folder)
    write("value.yml", "top_share: 7\n top: x\n")(folder)
    write("exclusions.yml", "just_bought_days: -1\n")(folder)
    write("audiences.yml", "audiences:\n  - {name: x, controller: Nobody}\n")(folder)
    write("unknown.yaml", "")(folder)

    found = "\n".join(problems_of(folder))
    for part in (
        "company.yml, line 3: 'colour' is not a known key",
        "company.yml, line 4: 'country'",
        "sources.yml, line 11: 'sources[1].role'",
        "sources.yml, line 5: 'sources[0].path' needs the environment variable UNSET_FOLDER",
        "value.yml, line 2: not valid YAML",
        "exclusions.yml, line 1: 'just_bought_days'",
        "audiences.yml, line 2: 'audiences[0].where' is missing",
        "audiences.yml, line 2: 'audiences[0].controller' names 'Nobody'",
        "unknown.yaml: this file is not known",
    ):
        assert part in found


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "nowhere") == [
        f"{tmp_path / 'nowhere'}: there is no such configuration folder; name one with --config."
    ]


SECRET = "hunter2-Geheim"
MAIL = "alerts:\n  email: {to: [a@example.org], sender: b@example.org, host: localhost, "


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("company.yml", f"{COMPANY}{MAIL}password: {SECRET}}}\n", id="a password in the file"),
        pytest.param("company.yml", f"{COMPANY}{MAIL}password: [{SECRET}]}}\n", id="of the wrong shape"),
        pytest.param("company.yml", f"{COMPANY}{MAIL}pasword: {SECRET}}}\n", id="under a misspelt key"),
        pytest.param(
            "company.yml", f"{COMPANY}alerts: {{webhook: {{url: [{SECRET}]}}}}\n", id="a webhook of the wrong shape"
        ),
        pytest.param("sources.yml", f"{SOURCES}    api_token: {SECRET}\n", id="a token no connector knows"),
        pytest.param("company.yml", f"{COMPANY}alerts: {{start_by: *{SECRET}}}\n", id="in a line that is no YAML"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(folder: Path, file: str, text: str) -> None:
    (folder / file).write_text(text)
    assert SECRET not in "\n".join(problems_of(folder))


def test_values_of_variables_are_in_no_manifest_and_no_digest(folder: Path) -> None:
    write("company.yml", f"{COMPANY}{MAIL}password: '${{MAIL_PASSWORD}}'}}\n")(folder)
    configuration = load(folder, MAIL_PASSWORD=SECRET)
    assert SECRET not in str(configuration.as_dict())
    assert "a@example.org" not in str(configuration.as_dict())
    assert configuration.as_dict()["sources_file"]["sources"][0]["path"] == "${CRM_FOLDER}"
    assert load(folder, MAIL_PASSWORD="x", CRM_FOLDER="elsewhere").digest == configuration.digest


def test_the_digest_tells_configurations_apart(folder: Path) -> None:
    before = load(folder).digest
    assert load(folder).digest == before
    write("value.yml", "top_share: 0.3\n")(folder)
    assert load(folder).digest != before


def test_a_file_is_parsed_once_and_again_when_its_text_changed(folder: Path) -> None:
    first = read_document(folder / "company.yml")
    assert read_document(folder / "company.yml") is first
    (folder / "company.yml").write_text(COMPANY.replace("Beispiel", "Muster"))
    assert read_document(folder / "company.yml").data["name"] == "Muster Handels GmbH"


def test_the_place_of_the_folder_does_not_change_the_digest(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy" / "config")
    assert load(tmp_path / "copy" / "config").digest == load(folder).digest


def test_a_source_that_is_switched_off_needs_no_variables(folder: Path) -> None:
    replace("sources.yml", "${CRM_FOLDER}", "${UNSET_FOLDER}\n    enabled: false")(folder)
    assert not load(folder).source("crm").enabled


def test_the_sample_is_where_the_data_is_unless_said_otherwise(settings: Settings) -> None:
    assert expand("${KUNDENSTAMM_SAMPLE}/crm", settings, {}) == f"{settings.sample_dir}/crm"
    assert expand("${KUNDENSTAMM_SAMPLE}/crm", settings, {"KUNDENSTAMM_SAMPLE": "x"}) == "x/crm"
