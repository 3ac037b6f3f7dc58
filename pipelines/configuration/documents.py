"""One YAML file as data, with the line of every key, so that a problem can be pointed at.

Add here what is wrong with a file as YAML. What is wrong with its content is for the models and `load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
# The parser in C is ten times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


WRONG_KEY = "[key]"  # what pydantic appends to the path of a key that is not allowed


@dataclass(frozen=True)
class Document:
    """One file as read. With `problems`, `data` must not be used. An empty or missing file is an empty mapping."""

    name: str
    data: Any = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def locate(self, path: KeyPath) -> str:
        """The file and the line of the key, or of the nearest one above it: a missing key has no line."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.name}, line {line}" if line else self.name

    def find_texts(self, start: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
        """Every text at or below a key path, in the order of the file."""
        yield from _find_texts(self.find(start), start)

    def find(self, path: KeyPath) -> Any:
        """What stands at a key path, or None."""
        value = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def read_document(file: Path) -> Document:
    """Parse one file. Never raises for its content."""
    if not file.exists():
        return Document(file.name)
    try:
        return _parse_document(file.name, file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return _broken(file.name, "", "the file is not UTF-8; save it as UTF-8")
    except IsADirectoryError:
        return _broken(file.name, "", "it is a folder; put the file there, or remove it")
    except OSError as error:
        return _broken(file.name, "", f"the file cannot be read ({error.strerror}); check its permissions")


@lru_cache(maxsize=64)
def _parse_document(name: str, text: str) -> Document:
    """The same text is parsed once a process: every step of a run reads all files. Nobody changes what is in them."""
    try:
        loader = LOADER(text)
        node = loader.get_single_node()
        if node is None:
            return Document(name)
        lines: dict[KeyPath, int] = {}
        problems = tuple(_note_lines(node, (), lines, name))
        return Document(name, loader.construct_document(node), lines, problems)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        # What the parser quotes may be a secret that begins with a sign of YAML; signs themselves are short.
        reason = re.sub(r"'[^']{6,}'", "'...'", getattr(error, "problem", None) or "it cannot be parsed")
        return _broken(name, where, f"not valid YAML ({reason}); check indentation and colons there")
    except ValueError as error:  # something that looks like a date and is none
        return _broken(name, "", f"not valid YAML ({error}); put text that looks like a date in quotes")
    except RecursionError:
        return _broken(name, "", "an anchor refers to itself; remove it")


def parse(text: str) -> Any:
    """The text of a YAML file as plain data.

    Raises:
        yaml.YAMLError: it is none.
    """
    return LOADER(text).get_single_data()


def dotted(path: KeyPath) -> str:
    """A key path as people write it: `sources[0].entities.orders`."""
    named = [step for step in path if step != WRONG_KEY]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in named).lstrip(".")


def _broken(name: str, where: str, reason: str) -> Document:
    return Document(name, problems=(f"{name}{where}: {reason}.",))


def _note_lines(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Iterator[str]:
    """Fill `lines`; yields a sentence for every key that is given twice."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            child = (*path, str(key.value))
            if child in seen:
                yield f"{name}, line {key.start_mark.line + 1}: '{dotted(child)}' is given twice; remove one."
            seen.add(child)
            lines[child] = key.start_mark.line + 1
            yield from _note_lines(value, child, lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _note_lines(value, (*path, index), lines, name)


def _find_texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _find_texts(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_texts(inner, (*path, index))
