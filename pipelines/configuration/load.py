"""Read and validate `config/`: all files, all problems at once, each with file, line, key path, finding and remedy."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.configuration.activation import AudiencesConfig, ExclusionsConfig, PermissionsConfig
from pipelines.configuration.company import CompanyConfig
from pipelines.configuration.identity import IdentityConfig
from pipelines.configuration.sources import SourceConfig, SourcesConfig
from pipelines.configuration.survivorship import SurvivorshipConfig
from pipelines.configuration.value import ValueConfig
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

# The file of each part; a part whose model has defaults for everything may be missing.
FILES: dict[str, tuple[str, type[BaseModel]]] = {
    "company": ("company.yml", CompanyConfig),
    "sources_file": ("sources.yml", SourcesConfig),
    "identity": ("identity.yml", IdentityConfig),
    "survivorship": ("survivorship.yml", SurvivorshipConfig),
    "permissions": ("permissions.yml", PermissionsConfig),
    "exclusions": ("exclusions.yml", ExclusionsConfig),
    "audiences_file": ("audiences.yml", AudiencesConfig),
    "value": ("value.yml", ValueConfig),
}


@dataclass(frozen=True)
class Configuration:
    """The valid configuration of one company. Variables such as `${HOME}` are kept as written; see `expand`."""

    company: CompanyConfig
    sources_file: SourcesConfig
    identity: IdentityConfig
    survivorship: SurvivorshipConfig
    permissions: PermissionsConfig
    exclusions: ExclusionsConfig
    audiences_file: AudiencesConfig
    value: ValueConfig
    directory: Path

    @property
    def sources(self) -> list[SourceConfig]:
        return self.sources_file.sources

    def source(self, name: str) -> SourceConfig:
        return next(s for s in self.sources if s.name == name)

    def as_dict(self) -> dict[str, Any]:
        """The configuration as plain data, without the values of variables: fit for a manifest."""
        return {
            f.name: getattr(self, f.name).model_dump(mode="json", by_alias=True)
            for f in fields(self)
            if f.name != "directory"
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the configuration as plain data, first 16 hexadecimal characters."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_configuration(settings: Settings, environment: Mapping[str, str] | None = None) -> Configuration:
    """Read every file of `settings.config_dir`.

    Raises:
        ConfigurationError: with one sentence for each problem in any file.
    """
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    parts: dict[str, Any] = {}
    if not settings.config_dir.is_dir():
        raise ConfigurationError(
            [f"{settings.config_dir}: there is no such configuration folder; name one with --config."]
        )
    for part, (file_name, model) in FILES.items():
        file = settings.config_dir / file_name
        data, lines, found = _read(file)
        problems += found
        if found:
            continue
        try:
            parts[part] = model.model_validate(data)
        except ValidationError as error:
            problems += [_sentence(file_name, problem, lines) for problem in error.errors()]
    known = {name for name, _ in FILES.values()}
    for file in sorted(settings.config_dir.glob("*.y*ml")):
        if file.name not in known:
            problems.append(f"{file.name}: this file is not known; allowed: {', '.join(sorted(known))}.")
    problems += _cross_check(parts)
    problems += _unset_variables(parts, environment, settings)
    if problems:
        raise ConfigurationError(problems)
    return Configuration(**parts, directory=settings.config_dir)


def expand(text: str, settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Replace `${NAME}` by the environment's value; `${KUNDENSTAMM_SAMPLE}` defaults to the sample in the data folder."""
    environment = os.environ if environment is None else environment
    return VARIABLE.sub(lambda match: _variable(match[1], environment, settings) or "", text)


def _variable(name: str, environment: Mapping[str, str], settings: Settings) -> str | None:
    default = str(settings.sample_dir) if name == "KUNDENSTAMM_SAMPLE" else None
    return environment.get(name) or default


def _read(file: Path) -> tuple[Any, dict[tuple[str | int, ...], int], list[str]]:
    """Parse one YAML file to (data, line of each key path, problems)."""
    if not file.exists():
        return {}, {}, []
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        return {}, {}, [f"{file.name}: the file is not UTF-8; save it as UTF-8."]
    except OSError as error:
        return {}, {}, [f"{file.name}: the file cannot be read ({error.strerror}); check its permissions."]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "it cannot be parsed"
        return {}, {}, [f"{file.name}{where}: not valid YAML ({reason}); check indentation and colons there."]
    if node is None:
        return {}, {}, []
    lines: dict[tuple[str | int, ...], int] = {}
    problems: list[str] = []
    _note_lines(node, (), lines, problems, file.name)
    return yaml.safe_load(text), lines, problems


def _note_lines(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    problems: list[str],
    file_name: str,
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            child = (*path, str(key.value))
            if child in lines:
                problems.append(
                    f"{file_name}, line {key.start_mark.line + 1}: '{_dotted(child)}' is given twice; remove one."
                )
            lines[child] = key.start_mark.line + 1
            _note_lines(value, child, lines, problems, file_name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines, problems, file_name)


def _sentence(file_name: str, problem: Any, lines: dict[tuple[str | int, ...], int]) -> str:
    """One pydantic problem as a sentence with file, line and key path."""
    path = tuple(problem["loc"])
    while path and path not in lines:  # a union adds the name of the branch, a missing key has no line
        path = path[:-1]
    line = lines.get(path)
    where = f"{file_name}, line {line}" if line else file_name
    key = _dotted(tuple(problem["loc"])) or "the file"
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"{where}: '{key}' is not a known key; remove it or correct its spelling."
    if kind == "missing":
        return f"{where}: '{key}' is missing; add it."
    message = problem["msg"].removeprefix("Value error, ")
    found = problem.get("input")
    shown = f", found {found!r}" if isinstance(found, str | int | float | bool) and len(str(found)) <= 60 else ""
    return f"{where}: '{key}': {message}{shown}."


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _cross_check(parts: Mapping[str, Any]) -> list[str]:
    """What one file says about another: controllers exist, priorities name sources."""
    company, sources = parts.get("company"), parts.get("sources_file")
    if company is None or sources is None:
        return []
    problems = []
    names = {s.name for s in sources.sources}
    allowed = ", ".join(company.controllers)
    for source in sources.sources:
        if source.controller not in company.controllers:
            problems.append(
                f"sources.yml: source '{source.name}' names the controller '{source.controller}', "
                f"which company.yml does not have; allowed: {allowed}."
            )
    if (audiences := parts.get("audiences_file")) is not None:
        problems += [
            f"audiences.yml: audience '{a.name}' names the controller '{a.controller}', which company.yml does not "
            f"have; allowed: {allowed}."
            for a in audiences.audiences
            if a.controller not in company.controllers
        ]
    if (survivorship := parts.get("survivorship")) is not None:
        named = {n for group in survivorship.source_priority.values() for n in group}
        for name in sorted((named | set(survivorship.default_priority)) - names):
            problems.append(
                f"survivorship.yml: '{name}' is not a source of sources.yml; allowed: {', '.join(sorted(names))}."
            )
    return problems


def _unset_variables(parts: Mapping[str, Any], environment: Mapping[str, str], settings: Settings) -> list[str]:
    """A variable that an enabled source or an alert needs must be set."""
    used: dict[str, str] = {}
    if (sources := parts.get("sources_file")) is not None:
        for source in sources.sources:
            if source.enabled:
                for name in VARIABLE.findall(source.model_dump_json(by_alias=True)):
                    used.setdefault(name, f"sources.yml: source '{source.name}'")
    if (company := parts.get("company")) is not None:
        for name in VARIABLE.findall(company.model_dump_json()):
            used.setdefault(name, "company.yml")
    return [
        f"{where} needs the environment variable {name}, which is not set; set it and start again."
        for name, where in used.items()
        if _variable(name, environment, settings) is None
    ]
