"""From the files that a company has to its `sources.yml`: which are one source, and whose records they mean.

Add here what can only be told from several files, and how an entry is written for people. What one file tells is in
`profile`; only names, shares and types leave it, never a value.
"""

from __future__ import annotations

import fnmatch
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.configuration import FormatConfig
from pipelines.configuration.sources import FLAT_ENTITY, RESERVED_NAMES, mappable_columns
from pipelines.entities import PERSON_ENTITY, SYSTEM_COLUMNS, Column, entity_named
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.extract.delivery import read_unmapped
from pipelines.extract.files import TYPES, describe_file
from pipelines.extract.profile import Proposal, profile_file
from pipelines.extract.sheets import list_sheets
from pipelines.extract.words import fold_word
from pipelines.settings import Settings
from pipelines.warehouse import connect, identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST = 0.5  # so many of the numbers that a file names are records of another one: then these are meant
SHORTEST_PREFIX = 3  # letters that names of files have in common when they are parts of one delivery
COMMENT_WIDTH = 110
_UP_TO_DIGITS = re.compile(r"(?<=[^0-9])\d[\d\W_]*$")
NOTES = {
    "- name: ": "never changes: it is part of the identity of every record",
    "  controller: ": "the legal entity whose data this is, one of company.yml",
}


@dataclass(frozen=True)
class SourcesProposal:
    """The entries of a `sources.yml` as text, how much there is in them, and why files are in none of them.

    `countries` and `currencies` are what the files say of these, in capitals, with the number of records that say so.
    """

    text: str
    source_count: int
    entity_count: int
    doubt_count: int
    left_out: tuple[str, ...]
    countries: Mapping[str, int]
    currencies: Mapping[str, int]


@dataclass(frozen=True, order=True)
class _Found:
    """A file, or one of several sheets of a workbook; `given` is the folder that it was found in, None when named."""

    path: Path
    sheet: str | None
    given: Path | None = field(compare=False)

    @property
    def called(self) -> str:
        return f"{self.path.name} ({self.sheet})" if self.sheet else self.path.name


@dataclass
class _Source:
    """One source in the making, by entity. `beside` says which other entity's file an entity is read from."""

    name: str
    folder: Path
    role: str
    controller: str
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, list[_Found]] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)

    def add(self, proposal: Proposal, file: _Found) -> None:
        """Add what a file holds. Persons that are read from a file of their own are not read beside other records."""
        main, *others = proposal.entry["entities"]
        if main in self.beside:
            owner = self.entities[self.beside[main]]
            _forget_mail_reference(owner, self.drop(main))
        for name in (main, *others):
            if name in self.entities:
                _forget_mail_reference(self.entities[main], proposal.entry["entities"][name])
                continue
            # A copy each: what two entities share would be written as an anchor.
            self.entities[name] = {**proposal.entry["entities"][name], "format": dict(proposal.entry["format"])}
            self.files[name] = [file]
            self.doubts[name] = list(proposal.doubts) if name == main else []
            self.notes[name] = list(proposal.notes) if name == main else []
            if name != main:
                self.beside[name] = main

    def takes(self, proposal: Proposal) -> bool:
        """Whether what a file holds can be one more entity; orders are in a file of their own or on their lines."""
        told = proposal.entry["entities"]
        main = next(iter(told))
        with_orders = {
            name for one in (self.entities, told) for name, config in one.items() if _has_orders(name, config)
        }
        return (main not in self.entities or main in self.beside) and len(with_orders) <= 1

    def drop(self, name: str) -> dict[str, Any]:
        """Take out an entity that is read beside another one; returns what was said of it."""
        del self.beside[name], self.files[name], self.doubts[name], self.notes[name]
        return self.entities.pop(name)

    @property
    def entry(self) -> dict[str, Any]:
        forms = [config["format"] for config in self.entities.values()]
        is_common = all(form == forms[0] for form in forms)
        own = {"format"} if is_common else set()
        return {
            "name": self.name,
            "role": self.role,
            "controller": self.controller,
            "connector": "files",
            "path": str(self.folder),
            **({"format": forms[0]} if is_common else {}),
            "entities": {
                name: {key: value for key, value in config.items() if key not in own}
                for name, config in self.entities.items()
            },
        }


def _has_orders(name: str, config: Mapping[str, Any]) -> bool:
    carried = set(config.get("columns", {})) - {c.name for c in (*FLAT_ENTITY.columns, *SYSTEM_COLUMNS)}
    return name == "orders" or (name == FLAT_ENTITY.name and bool(carried))


def propose_sources(settings: Settings, paths: Sequence[Path], *, controller: str) -> SourcesProposal:
    """Propose the entries for files, and for all files below folders.

    Args:
        settings: limits and the temp folder.
        paths: files and folders.
        controller: a legal entity of company.yml.

    Raises:
        SourceError: when a file that is named cannot be read, or nothing can be.
    """
    proposals, left_out = [], []
    for found in _list_files(paths):
        try:
            proposal = profile_file(settings, found.path, controller=controller, sheet=found.sheet)
            if found.given and not any("columns" in config for config in proposal.entry["entities"].values()):
                raise SourceError("no column of it is known by its name.")
            proposals.append((found, proposal))
        except SourceError as error:
            if found.given is None:
                raise
            left_out.append(f"{found.called} is left out: {str(error).removeprefix(f'{found.path.parent}: ')}")
    with connect(None, settings) as connection:
        values = _Values(connection, settings)
        sources = _group(values, proposals)
        left_out += _find_referred(values, sources)
        countries = _count_words(values, sources, "country")
        currencies = _count_words(values, sources, "currency")
    sources = [source for source in sources if source.entities]
    if not sources:
        raise SourceError(" ".join([f"There is no file that can be a source in {_named(paths)}.", *left_out]))
    return SourcesProposal(
        text="\n".join(write_entry(source.entry, source.doubts, source.notes) for source in sources),
        source_count=len(sources),
        entity_count=sum(len(source.entities) for source in sources),
        doubt_count=sum(len(doubts) for source in sources for doubts in source.doubts.values()),
        left_out=tuple(left_out),
        countries=countries,
        currencies=currencies,
    )


def _count_words(values: _Values, sources: Sequence[_Source], name: str) -> Counter[str]:
    """What the files say in a column of ours, and how many records do."""
    found: Counter[str] = Counter()
    for source in sources:
        for entity, config in source.entities.items():
            column = config.get("columns", {}).get(name)
            if isinstance(column, str):
                found.update(values.count(source.files[entity], column))
    return found


def write_entry(
    entry: Mapping[str, Any], doubts: Mapping[str, Iterable[str]], notes: Mapping[str, Iterable[str]]
) -> str:
    """An entry as it stands in `sources.yml`, with the doubts and notes about each entity as comments above it."""
    import yaml

    lines = []
    for line in yaml.safe_dump([dict(entry)], sort_keys=False, allow_unicode=True, width=1000).splitlines():
        note = next((note for start, note in NOTES.items() if line.startswith(start)), None)
        lines.append(f"{line}  # {note}" if note else line)
        entity = line.removeprefix("    ").removesuffix(":")
        if line == f"    {entity}:":
            told = [f"Doubt: {doubt}." for doubt in doubts.get(entity, ())]
            told += [f"{note[0].upper()}{note[1:]}." for note in notes.get(entity, ())]
            for sentence in told:
                lines += _comment(sentence)
    return textwrap.indent("\n".join(lines) + "\n", "  ")


def _comment(sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence,
        COMMENT_WIDTH,
        initial_indent="      # ",
        subsequent_indent="      #   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _list_files(paths: Sequence[Path]) -> list[_Found]:
    """Every file once; of workbooks with several sheets, every sheet."""
    found: dict[Path, Path | None] = {}
    for given in paths:
        path = given.expanduser().absolute()
        if path.is_dir():
            for file in sorted(p for p in path.rglob("*") if p.is_file() and not _is_hidden(p.relative_to(path))):
                found.setdefault(file, path)
        else:
            found[path] = None
    return [_Found(path, sheet, given) for path, given in found.items() for sheet in _list_sheets(path)]


def _list_sheets(path: Path) -> Sequence[str | None]:
    sheets = list_sheets(path) if TYPES.get(path.suffix.lower()) == "workbook" else []
    return sheets if len(sheets) > 1 else (None,)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "~$")) for part in path.parts)


def _group(values: _Values, proposals: Sequence[tuple[_Found, Proposal]]) -> list[_Source]:
    """One source for what one folder holds of one role; what is there twice is a source of its own, or a part.

    So are orders whose buyers have other numbers than the customers have: they come out of another system.
    """
    roles: dict[Path, set[str]] = {}
    for file, proposal in proposals:
        roles.setdefault(file.path.parent, set()).add(proposal.entry["role"])
    sources: list[_Source] = []
    for file, proposal in proposals:
        folder, role = file.path.parent, proposal.entry["role"]
        main = next(iter(proposal.entry["entities"]))
        own = [source for source in sources if (source.folder, source.role) == (folder, role)]
        if any(_is_part(source, main, file, proposals) for source in own):
            continue
        source = next((s for s in own if s.takes(proposal) and _names_the_same(values, s, proposal, file)), None)
        if source is None:
            named = "" if file.given is None or folder == file.given else _as_name(folder.name)
            wanted = role if not named else named if len(roles[folder]) == 1 else f"{named}_{role}"
            taken = {source.name for source in sources}
            name = _name_source(_as_name(file.path.name.split(".")[0]) if wanted in taken else wanted, role, taken)
            source = _Source(name, folder, role, proposal.entry["controller"])
            sources.append(source)
        source.add(proposal, file)
    return sources


def _names_the_same(values: _Values, source: _Source, proposal: Proposal, file: _Found) -> bool:
    """Whether the persons that are told of beside other records are those of the file that has nothing but persons."""
    persons = PERSON_ENTITY.get(source.role, "")
    told = proposal.entry["entities"]
    if persons not in source.entities or persons not in told:
        return True
    here, there = (source.entities[persons], source.files[persons]), (told[persons], [file])
    (beside, named_in), (apart, listed_in) = (here, there) if persons in source.beside else (there, here)
    named, listed = (config.get("columns", {}).get("source_record_id") for config in (beside, apart))
    if not isinstance(named, str) or not isinstance(listed, str) or named == beside["columns"].get("email"):
        return True
    return values.share(named_in, named, listed_in, listed) >= MOST


def _is_part(source: _Source, main: str, file: _Found, proposals: Sequence[tuple[_Found, Proposal]]) -> bool:
    """Whether the file is one more part of what a source delivers; then all parts are read by a pattern."""
    if main not in source.entities or main in source.beside:
        return False
    first = source.files[main][0]
    shapes = {found: _shape_of(proposal) for found, proposal in proposals if found.path.parent == source.folder}
    if first.sheet or shapes[first] != shapes[file]:
        return False
    alike = [found for found in shapes if shapes[found] == shapes[first]]
    for parts in (sorted(alike), sorted(found for found in alike if _without_digits(found) == _without_digits(first))):
        pattern = _find_pattern([part.path.name for part in parts], [found.path.name for found in shapes])
        if pattern and file in parts:
            break
    else:
        return False
    source.files[main] = parts
    for name in (main, *(n for n, m in source.beside.items() if m == main)):
        source.entities[name]["path"] = pattern
    told = "together they are taken for all records; say `delivery: increments` if each file holds only what is new"
    source.doubts[main] = [told, *(doubt for doubt in source.doubts[main] if doubt != told)]
    return True


def _shape_of(proposal: Proposal) -> tuple[str, Any, Any]:
    """What files have in common that are parts of one delivery."""
    main, config = next(iter(proposal.entry["entities"].items()))
    return main, config.get("columns"), proposal.entry["format"]


def _without_digits(found: _Found) -> str:
    return re.sub(r"\d+", "", found.path.name)


def _find_pattern(names: Sequence[str], others: Sequence[str]) -> str | None:
    """A pattern of all these names and none of the others; if possible, also of the files of later days and years."""
    prefix = _common_start(names)
    suffix = _common_start([name.removeprefix(prefix)[::-1] for name in names])[::-1]
    for start, end in ((_UP_TO_DIGITS.sub("", prefix), suffix.lstrip("0123456789")), (prefix, suffix)):
        pattern = f"{start}*{end}"
        if len(start) >= SHORTEST_PREFIX and sorted(fnmatch.filter(others, pattern)) == sorted(names):
            return pattern
    return None


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]


def _as_name(text: str) -> str:
    """`Kontakte 2026` as `kontakte_2026`."""
    return "_".join(word for part in re.split(r"[\W_]+", text) if (word := fold_word(part)))


def _name_source(wanted: str, role: str, taken: set[str]) -> str:
    """A name that is allowed and not taken."""
    name = wanted[:28] if wanted[:1].isalpha() else f"{role}_{wanted}"[:28]
    name = f"{name}_{role}" if name in RESERVED_NAMES else name
    number = 2
    while (found := name if number == 2 else f"{name}_{number - 1}") in taken:
        number += 1
    return found


def _forget_mail_reference(config: dict[str, Any], persons: Mapping[str, Any]) -> None:
    """Persons whose id was their mail address are not read beside these records, so no record refers to them by it."""
    columns = persons.get("columns", {})
    if (key := columns.get("source_record_id")) is not None and key == columns.get("email"):
        mapped = config.get("columns", {})
        for column in [c for c, target in mapped.items() if target == key and c.endswith("_record_id")]:
            if column != "source_record_id":
                del mapped[column]


class _Values:
    """The values of columns of files in tables of one connection, each made once. None leaves it."""

    def __init__(self, connection: DuckDBPyConnection, settings: Settings) -> None:
        self._connection, self._settings = connection, settings
        self._tables: dict[tuple[tuple[_Found, ...], str], str] = {}

    def share(self, files: Sequence[_Found], column: str, known_files: Sequence[_Found], known_column: str) -> float:
        """How many of the distinct values of a column are values of another one."""
        values, known = self._table(files, column), self._table(known_files, known_column)
        row = self._connection.execute(
            f"select coalesce(avg((value in (select value from {known}))::integer), 0) "
            f"from (select distinct value from {values})"
        ).fetchone()
        return float(row[0]) if row else 0.0

    def count(self, files: Sequence[_Found], column: str) -> dict[str, int]:
        """How many records have which value, in capitals."""
        rows = self._connection.execute(
            f"select upper(trim(value)) as word, sum(times)::bigint from {self._table(files, column)} group by word"
        )
        return {str(word): int(times) for word, times in rows.fetchall()}

    def _table(self, files: Sequence[_Found], column: str) -> str:
        key = (tuple(files), column)
        if key not in self._tables:
            name = f"values_{len(self._tables)}"
            self._connection.execute(f"create temp table {name} (value text, times bigint)")
            for file in files:
                form = FormatConfig(sheet=file.sheet)
                read_unmapped(self._connection, self._settings, describe_file(file.path), form)
                kinds = {row[0]: row[1] for row in self._connection.execute("describe delivered").fetchall()}
                text = contract.as_text(identifier(column), kinds[column])
                self._connection.execute(
                    f"insert into {name} select {text} as value, count(*) from delivered where value is not null "
                    f"group by value"
                )
            self._tables[key] = name
        return self._tables[key]


def _find_referred(values: _Values, sources: Sequence[_Source]) -> list[str]:
    """Say under `references` whose records are meant, where they are not the source's own.

    Returns why entities were taken out: their records name persons, and no file has any.
    """
    left_out = []
    for source in sources:
        for name in [n for n in source.entities if n not in source.beside]:
            entity = entity_named(name)
            assert entity is not None  # noqa: S101 - a proposal names one of ours
            found = {
                column.name: target
                for column in mappable_columns(entity).values()
                if column.references and (target := _referred_source(values, sources, source, name, column))
            }
            if source.role not in PERSON_ENTITY and any(
                c.references == "person" and c.name not in found for c in entity.columns
            ):
                del source.entities[name]
                files = ", ".join(file.called for file in source.files[name])
                left_out.append(f"{files} was left out: its records ({name}) name persons, but no file has any.")
            elif found:
                source.entities[name]["references"] = found
    return left_out


def _referred_source(
    values: _Values, sources: Sequence[_Source], source: _Source, name: str, column: Column
) -> str | None:
    """The source that a reference means when it is not its own."""
    target = source.entities[name].get("columns", {}).get(column.name)

    def wanted(other: _Source) -> str:
        return PERSON_ENTITY.get(other.role, "") if column.references == "person" else column.references or ""

    def referred(other: _Source) -> str | None:
        name = wanted(other)
        return name if name in other.entities and name not in other.beside else None

    others = [(other, entity) for other in sources if other is not source and (entity := referred(other))]
    if isinstance(target, str) and referred(source) is None:
        shares = []
        for other, entity in others:
            key = other.entities[entity].get("columns", {}).get("source_record_id")
            if isinstance(key, str):
                share = values.share(source.files[name], target, other.files[entity], key)
                shares.append((share, other.name))
        share, best = max(shares, default=(0.0, ""))
        if share >= MOST:
            source.doubts[name].append(
                f"{share:.0%} of the values of '{target}' are records of {best}: these are meant"
            )
            if source.beside.get(beside := wanted(source)) == name:
                source.drop(beside)
            return best
    if column.references == "person" and source.role not in PERSON_ENTITY and others:
        if target is not None:
            source.doubts[name].append(
                f"whose persons '{target}' names could not be told from the values; name the source under `references`"
            )
        return others[0][0].name
    return None


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths) or "nothing"
