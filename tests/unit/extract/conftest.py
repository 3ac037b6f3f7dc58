"""A source under test: a folder of files, its entry of `sources.yml`, and what it landed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import LoadReport, build_raw, load_source
from pipelines.settings import Settings
from pipelines.warehouse import connect

FIRST_LOAD = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


@dataclass
class Source:
    """One source with one entity; every load is a day later than the one before."""

    folder: Path
    settings: Settings
    company: Configuration
    entity: str = "contacts"
    role: str = "crm"
    file: str = "contacts.csv"
    mapping: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    loads: int = 0

    def configuration(self, **changes: Any) -> Configuration:
        entry = {
            "name": "crm",
            "role": self.role,
            "controller": self.company.company.controllers[0],
            "path": str(self.folder),
            "entities": {self.entity: {"path": self.file, **self.mapping}},
            **self.options,
            **changes,
        }
        return replace(self.company, sources_file=SourcesConfig.model_validate({"sources": [entry]}))

    def write(self, content: str | bytes | Iterable[str], file: str | None = None) -> None:
        text = content if isinstance(content, str | bytes) else "".join(f"{line}\n" for line in content)
        (self.folder / (file or self.file)).write_bytes(text.encode() if isinstance(text, str) else text)

    def load(self, *, changes: dict[str, Any] | None = None, **options: Any) -> LoadReport:
        return self.load_all(changes=changes, **options)[0]

    def load_all(self, *, changes: dict[str, Any] | None = None, **options: Any) -> list[LoadReport]:
        configuration = self.configuration(**(changes or {}))
        now = FIRST_LOAD + timedelta(days=self.loads)
        self.loads += 1
        return load_source(
            self.settings, configuration, configuration.sources[0], run_id=f"run{self.loads}", now=now, **options
        )

    def landed(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings.landing_file("crm"), self.settings, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def raw(self, query: str, **options: Any) -> list[tuple[Any, ...]]:
        self.settings.build_dir.mkdir(parents=True, exist_ok=True)
        with connect(self.settings.build_warehouse, self.settings) as connection:
            build_raw(connection, self.settings, self.configuration(), **options)
            return connection.execute(query).fetchall()


@pytest.fixture
def source(tmp_path: Path, settings: Settings, configuration: Configuration) -> Source:
    folder = tmp_path / "delivery"
    folder.mkdir()
    return Source(folder, settings, configuration, mapping={"columns": {"source_record_id": "id"}})
