"""Read and validate what people decided: all files, all problems at once, each with place, finding and remedy.

Add a file of `config/` here. `overrides.csv` of the data folder belongs to it: it decides about the result as `config/`
does, so that a change of it asks for a new build as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipelines.configuration.activation import AudiencesConfig, ExclusionsConfig, PermissionsConfig
from pipelines.configuration.buying_center import BuyingCenterConfig
from pipelines.configuration.cleaning import CleaningConfig
from pipelines.configuration.company import CompanyConfig
from pipelines.configuration.documents import Document, KeyPath, dotted, read_document
from pipelines.configuration.identity import IdentityConfig
from pipelines.configuration.sources import SourceConfig, SourcesConfig
from pipelines.configuration.survivorship import SurvivorshipConfig
from pipelines.configuration.value import ValueConfig
from pipelines.errors import ConfigurationError
from pipelines.overrides import Overrides, read_overrides
from pipelines.settings import PROJECT_DIR, Settings

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

# What stands below such a key is never repeated in a message: it may be what should have been a variable.
SECRET_KEY = re.compile(r"password|passwd|secret|token|credential|api_?key|webhook|user", re.IGNORECASE)

# The file of each part; a part whose model has defaults for everything may be missing.
FILES: dict[str, tuple[str, type[BaseModel]]] = {
    "company": ("company.yml", CompanyConfig),
    "sources_file": ("sources.yml", SourcesConfig),
    "cleaning": ("cleaning.yml", CleaningConfig),
    "identity": ("identity.yml", IdentityConfig),
    "survivorship": ("survivorship.yml", SurvivorshipConfig),
    "permissions": ("permissions.yml", PermissionsConfig),
    "exclusions": ("exclusions.yml", ExclusionsConfig),
    "audiences_file": ("audiences.yml", AudiencesConfig),
    "value": ("value.yml", ValueConfig),
    "buying_center": ("buying_center.yml", BuyingCenterConfig),
}
# A company that has no such file of its own has the shipped one: in a list, what is left out is off.
SHIPPED = frozenset({"cleaning.yml", "buying_center.yml"})


@dataclass(frozen=True)
class Configuration:
    """The valid configuration of one company. Variables such as `${HOME}` are kept as written; see `expand`."""

    company: CompanyConfig
    sources_file: SourcesConfig
    cleaning: CleaningConfig
    identity: IdentityConfig
    survivorship: SurvivorshipConfig
    permissions: PermissionsConfig
    exclusions: ExclusionsConfig
    audiences_file: AudiencesConfig
    value: ValueConfig
    buying_center: BuyingCenterConfig
    directory: Path
    overrides: Overrides = field(default_factory=Overrides)

    @property
    def sources(self) -> list[SourceConfig]:
        return self.sources_file.sources

    def source(self, name: str) -> SourceConfig:
        return next(s for s in self.sources if s.name == name)

    def as_dict(self) -> dict[str, Any]:
        """What decides about the data, as plain data and without the values of variables: fit for a manifest.

        Alerts are left out: they hold addresses of people, and changing them changes no figure. Overrides name people
        as well; their number and the digest of their file stand for them.
        """
        parts = {part: getattr(self, part).model_dump(mode="json", by_alias=True) for part in FILES}
        del parts["company"]["alerts"]
        parts["overrides"] = {"count": len(self.overrides.rows), "sha256": self.overrides.digest}
        return parts

    @property
    def digest(self) -> str:
        """SHA-256 of the configuration as plain data, first 16 hexadecimal characters."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_configuration(settings: Settings, environment: Mapping[str, str] | None = None) -> Configuration:
    """Read every file of `settings.config_dir`, and the overrides of `settings.data_dir`.

    Raises:
        ConfigurationError: with one sentence for each problem in any file.
    """
    environment = os.environ if environment is None else environment
    if not settings.config_dir.is_dir():
        raise ConfigurationError(
            [f"{settings.config_dir}: there is no such configuration folder; name one with --config."]
        )
    documents = {part: read_document(_locate(settings, file_name)) for part, (file_name, _) in FILES.items()}
    problems: list[str] = []
    parts: dict[str, Any] = {}
    for part, (_, model) in FILES.items():
        document = documents[part]
        problems += document.problems
        if document.problems:
            continue
        if document.name in SHIPPED and not document.data:
            problems.append(
                f"{document.name}: the file says nothing, which would switch everything off that it is for; "
                f"remove it to have what is shipped, or write what shall apply (an empty list, such as "
                f"`{_first_list(model)}: []`, is none)."
            )
            continue
        try:
            parts[part] = model.model_validate(document.data)
        except ValidationError as error:
            problems += [_sentence(document, problem) for problem in error.errors()]
    known = sorted(name for name, _ in FILES.values())
    for file in sorted(settings.config_dir.glob("*.y*ml")):
        if file.name not in known:
            problems.append(f"{file.name}: this file is not known; allowed: {', '.join(known)}.")
    problems += _cross_check(documents)
    problems += _unset_variables(documents, environment, settings)
    sources = parts.get("sources_file")
    decided = read_overrides(settings.overrides_file, sources.sources if sources else None)
    problems += decided.problems
    if problems:
        raise ConfigurationError(problems)
    return Configuration(**parts, directory=settings.config_dir, overrides=decided.overrides)


def _first_list(model: type[BaseModel]) -> str:
    return next(iter(model.model_fields))


def _locate(settings: Settings, file_name: str) -> Path:
    own = settings.config_dir / file_name
    return PROJECT_DIR / "config" / file_name if file_name in SHIPPED and not own.exists() else own


def load_company(settings: Settings, environment: Mapping[str, str] | None = None) -> CompanyConfig:
    """`company.yml` alone: when the night is and whom to alert, also when another file is invalid.

    Raises:
        ConfigurationError: with one sentence for each problem in this file.
    """
    environment = os.environ if environment is None else environment
    file_name, _ = FILES["company"]
    document = read_document(settings.config_dir / file_name)
    if document.problems:
        raise ConfigurationError(list(document.problems))
    try:
        company = CompanyConfig.model_validate(document.data)
    except ValidationError as error:
        raise ConfigurationError([_sentence(document, problem) for problem in error.errors()]) from None
    if problems := _unset_variables({"company": document, "sources_file": Document("")}, environment, settings):
        raise ConfigurationError(problems)
    return company


def expand(text: str, settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Replace `${NAME}` by its value; `${KUNDENSTAMM_SAMPLE}` defaults to the sample in the data folder."""
    environment = os.environ if environment is None else environment
    return VARIABLE.sub(lambda match: _variable(match[1], environment, settings) or "", text)


def _variable(name: str, environment: Mapping[str, str], settings: Settings) -> str | None:
    default = str(settings.sample_dir) if name == "KUNDENSTAMM_SAMPLE" else None
    return environment.get(name) or default


def _sentence(document: Document, problem: Any) -> str:
    """One pydantic problem as a sentence with file, line and key path."""
    path: KeyPath = tuple(problem["loc"])
    where, key, kind = document.locate(path), dotted(path) or "the file", problem["type"]
    if kind == "extra_forbidden":
        return f"{where}: '{key}' is not a known key; remove it or correct its spelling."
    if kind == "missing":
        return f"{where}: '{key}' is missing; add it."
    message = {
        "string_type": "must be text; put it in quotes",
        "model_type": "must hold keys with values",
        "model_attributes_type": "must hold keys with values",
        "list_type": "must be a list",
        "tuple_type": "must be a list",
        "dict_type": "must hold keys with values",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "finite_number": "must be a number",
    }.get(kind) or problem["msg"].removeprefix("Value error, ").removesuffix(".").replace("Input should be", "must be")
    return f"{where}: '{key}': {message}{_found(path, problem.get('input'))}."


def _found(path: KeyPath, value: object) -> str:
    """The wrong value, when it is short and certainly no secret."""
    is_secret = any(SECRET_KEY.search(step) for step in path if isinstance(step, str))
    is_shown = isinstance(value, str | int | float | bool) and len(str(value)) <= 60 and not is_secret
    return f", found {value!r}" if is_shown else ""


def _cross_check(documents: Mapping[str, Document]) -> list[str]:
    """What one file says about another: controllers exist, priorities name sources.

    Works on the files as read, so that these problems show beside all others; what has the wrong shape is passed over.
    """
    company, sources, audiences, survivorship = (
        documents[part] for part in ("company", "sources_file", "audiences_file", "survivorship")
    )
    problems = []
    controllers = [text for _, text in company.find_texts(("controllers",))]
    if controllers:
        for document, part in ((sources, "sources"), (audiences, "audiences")):
            for index in range(_length(document, part)):
                path: KeyPath = (part, index, "controller")
                named = document.find(path)
                if isinstance(named, str) and named not in controllers:
                    problems.append(
                        f"{document.locate(path)}: '{dotted(path)}' names '{named}', which is no controller of "
                        f"company.yml; allowed: {', '.join(controllers)}."
                    )
    names = [sources.find(("sources", index, "name")) for index in range(_length(sources, "sources"))]
    known = sorted(name for name in names if isinstance(name, str))
    if known:
        for part in ("default", "groups"):
            for path, named in survivorship.find_texts((part,)):
                if "sources" in path and named not in known:
                    problems.append(
                        f"{survivorship.locate(path)}: '{dotted(path)}' names '{named}', which is not a source of "
                        f"sources.yml; allowed: {', '.join(known)}."
                    )
    return problems


def _unset_variables(
    documents: Mapping[str, Document], environment: Mapping[str, str], settings: Settings
) -> list[str]:
    """A variable that an enabled source or an alert needs must be set."""
    sources = documents["sources_file"]
    places = [(documents["company"], ())] + [
        (sources, ("sources", index))
        for index in range(_length(sources, "sources"))
        if sources.find(("sources", index, "enabled")) is not False
    ]
    first_use: dict[str, str] = {}
    for document, start in places:
        for path, text in document.find_texts(start):
            for name in VARIABLE.findall(text):
                first_use.setdefault(name, f"{document.locate(path)}: '{dotted(path)}'")
    return [
        f"{where} needs the environment variable {name}, which is not set; set it and start again."
        for name, where in first_use.items()
        if _variable(name, environment, settings) is None
    ]


def _length(document: Document, part: str) -> int:
    items = document.find((part,))
    return len(items) if isinstance(items, list) else 0
