"""The tutorials: every command, query, file and setting that they show, on the sample company."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from pipelines.audit import Catalogue, load_catalogue
from pipelines.cli import app
from pipelines.configuration import load_configuration
from pipelines.errors import ConfigurationError
from pipelines.publish import open_reader
from pipelines.sample import read_defects
from pipelines.settings import PROJECT_DIR, Settings
from tests.integration.company import Company, copy_configuration

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KUNDENSTAMM = ".venv/bin/kundenstamm"
LOCAL = {"cat", "cp", "echo", "grep", "ls", "mkdir"}
# What a tutorial adds itself, in a run that is not repeated here: queries about it answer without rows.
ADDED = ("'fairs'", "'champions_by_post'")
# A customer of the tutorials' sample, for whom somebody of this one stands in.
SOMEBODY = "hannelore.bachmoser@web.de"
# Written only when something is broken.
MAYBE = {".data/build/errors.log"}
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.+?)^```$", re.M | re.S)
_COMMAND = re.compile(r"^(?P<line>.+<<'EOF'.*\n(?:.*\n)*?EOF|.+)$", re.M)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """One block of code; `shown` are the blocks of output that follow it directly."""

    page: str
    language: str
    text: str
    shown: tuple[str, ...]

    @property
    def commands(self) -> list[str]:
        return [match["line"] for match in _COMMAND.finditer(self.text)]


@dataclass(frozen=True)
class Query:
    page: str
    sql: str
    restricted: bool
    columns: tuple[str, ...]


def _read_page(file: Path) -> list[Block]:
    found = [(match["language"], match["text"]) for match in _BLOCK.finditer(file.read_text(encoding="utf-8"))]
    blocks = []
    for index, (language, text) in enumerate(found):
        shown = []
        for following, output in found[index + 1 :]:
            if following != "text":
                break
            shown.append(output)
        if language != "text":
            blocks.append(Block(file.stem, language, text, tuple(shown)))
    return blocks


PAGES = sorted((PROJECT_DIR / "docs" / "tutorials").glob("*.md"))
BLOCKS = [block for page in PAGES for block in _read_page(page)]
PROSE = {page.stem: _BLOCK.sub("", page.read_text(encoding="utf-8")) for page in PAGES}
COMMANDS = [(block, command) for block in BLOCKS if block.language == "sh" for command in block.commands]


def _queries(block: Block) -> Iterator[Query]:
    tables = [output for output in block.shown if output.startswith("┌")]
    headers = [tuple(re.findall(r"[^│\s]+", table.splitlines()[1])) for table in tables]
    if block.language == "sql":
        yield Query(block.page, block.text, False, headers[0])
    asked = [shlex.split(c)[2:] for c in block.commands if c.startswith(f"{KUNDENSTAMM} sql ")]
    for arguments, header in zip(asked, headers, strict=bool(asked)):
        yield Query(block.page, arguments[-1], "--restricted" in arguments, header)


QUERIES = [query for block in BLOCKS for query in _queries(block)]


@pytest.fixture(scope="module")
def checkout(published_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a person has in front of them: a folder with `config/`, and `.data/` after the first run."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_configuration(folder / "config")
    (folder / ".data").mkdir()
    for path in (*published_company.data.iterdir(), published_company.sample):
        (folder / ".data" / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def readers(published_company: Company) -> Iterator[dict[bool, DuckDBPyConnection]]:
    settings = published_company.settings
    with open_reader(settings) as usual, open_reader(settings, restricted=True) as restricted:
        yield {False: usual, True: restricted}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(load_configuration(Settings.from_environment({})))


def test_there_is_one_for_each_who_uses_it_and_readme_leads_to_it() -> None:
    names = [page.name for page in PAGES]
    assert names == ["analyst.md", "data-engineer.md", "data-protection.md", "owner.md"]
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert all(f"](docs/tutorials/{name})" in readme for name in names)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.page}: {' '.join(query.sql.split())[:60]}")
def test_a_query_answers_with_the_columns_and_rows_that_are_shown(
    readers: dict[bool, DuckDBPyConnection], query: Query
) -> None:
    [(address,)] = readers[True].sql("select min(email) from marts.customer_profiles").fetchall()
    answer = readers[query.restricted].sql(query.sql.replace(SOMEBODY, address))
    assert tuple(answer.columns) == query.columns
    assert answer.fetchone() is not None or any(name in query.sql for name in ADDED)


@pytest.mark.parametrize(("block", "command"), COMMANDS, ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_a_command_is_understood(block: Block, command: str) -> None:
    program, *arguments = shlex.split(command.splitlines()[0])
    if program == KUNDENSTAMM:
        context = _subcommands()[arguments[0]].make_context(arguments[0], arguments[1:])
        read_defects(context.params.get("defect") or [])
    elif program == "make":
        makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
        for word in arguments:
            name, is_variable, _ = word.partition("=")
            assert re.search(rf"^{name} \?=" if is_variable else rf"^{name}:.*##", makefile, re.M), word
    else:
        assert program in LOCAL, f"{block.page} uses {program}"


@pytest.mark.parametrize("page", PROSE)
def test_the_commands_tables_and_rules_that_the_text_names_exist(
    readers: dict[bool, DuckDBPyConnection], catalogue: Catalogue, page: str
) -> None:
    named = set(re.findall(r"`kundenstamm (\w+)", PROSE[page]))
    assert named <= set(_subcommands())
    tables = set(re.findall(r"`((?:marts|activation|audit|meta)\.\w+)`", PROSE[page]))
    published = readers[True].execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    assert tables <= {name for (name,) in published}
    for rule in re.findall(r"\b[A-Z]{3}-\d{3}\b", PROSE[page]):
        catalogue.rule(rule.lower().replace("-", "_"))


def test_a_refusal_is_shown_in_the_words_of_its_rule(catalogue: Catalogue) -> None:
    shown = [line for block in BLOCKS for output in block.shown for line in output.splitlines()]
    told = [line for line in shown if re.match(r"[A-Z]{3}-\d{3} ", line)]
    assert told
    for line in told:
        rule = catalogue.rule(line[:7].lower().replace("-", "_"))
        assert line.startswith(f"{rule.display_id} {rule.description} Found: ")
        assert line.endswith(f" Owner: {rule.owner}. {rule.remedy}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_that_the_text_names_exist(checkout: Path, page: Path) -> None:
    prose = PROSE[page.stem]
    for name in {word for word in _INLINE.findall(prose) if re.fullmatch(r"\.?\w[\w.-]*/[\w./-]*", word)} - MAYBE:
        roots = [checkout] if name.startswith(".data/") else [PROJECT_DIR, checkout / ".data" / "published" / "current"]
        assert any((root / name).exists() for root in roots), name
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PROSE)
def test_what_is_typed_in_order_makes_the_files_and_findings_that_are_shown(
    checkout: Path, tmp_path: Path, page: str
) -> None:
    folder = tmp_path / "checkout"
    shutil.copytree(checkout, folder, symlinks=True)
    for block in (block for block in BLOCKS if block.page == page and block.language == "sh"):
        typed = ""
        for command in block.commands:
            if command.split()[0] in LOCAL:
                typed += f"{command}\n"
            elif "--config" in command:
                _type(folder, typed)
                _check_configuration(folder / command.split()[-1], block)
                typed = ""
        printed = _type(folder, typed)
        if all(command.split()[0] in LOCAL for command in block.commands):
            for line in "".join(block.shown).splitlines():
                assert any(set(line.split()) <= set(found.split()) for found in printed.splitlines()), line


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=lambda block: block.page)
def test_a_snippet_of_configuration_is_valid(tmp_path: Path, block: Block) -> None:
    copy_configuration(tmp_path / "config")
    file = tmp_path / "config" / block.text.splitlines()[0].removeprefix("# ")
    assert file.exists()
    file.write_text(block.text)
    load_configuration(Settings(tmp_path / ".data", tmp_path / "config", "1GB", 1))


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=lambda block: block.page)
def test_a_snippet_of_python_prints_rows(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], block: Block
) -> None:
    monkeypatch.chdir(checkout)
    exec(block.text, {})  # noqa: S102 - it is the project's own page
    assert "champions" in capfd.readouterr().out


def _subcommands() -> dict[str, typer.core.TyperCommand]:
    return typer.main.get_command(app).commands  # type: ignore[attr-defined,no-any-return]


def _type(folder: Path, lines: str) -> str:
    """Carry out what is typed in this folder; returns what it prints."""
    done = subprocess.run(["bash", "-c", lines], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), lines
    return done.stdout


def _check_configuration(directory: Path, block: Block) -> None:
    """It is valid, or its problems are those that are shown."""
    shown = [line for output in block.shown for line in output.splitlines() if re.match(r"\w+\.yml, line ", line)]
    try:
        load_configuration(Settings(directory.parent / ".data", directory, "1GB", 1))
        problems = []
    except ConfigurationError as error:
        problems = str(error).splitlines()
    assert problems == shown
