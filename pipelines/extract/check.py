"""Look at the sources without landing anything: can they be reached, may we read them, does the mapping fit?

Add here what should be known before the first night. How a system is asked is in its connector.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipelines.configuration import Configuration, SourceConfig
from pipelines.errors import ConfigurationError, KundenstammError
from pipelines.extract.delivery import read_delivery
from pipelines.extract.files import find_files
from pipelines.extract.reading import entity_of
from pipelines.scratch import scratch_folder
from pipelines.settings import Settings
from pipelines.warehouse import connect


@dataclass(frozen=True)
class Finding:
    """One sentence about one source; `is_problem` when it cannot be read as configured."""

    source: str
    sentence: str
    is_problem: bool = False


def check_sources(
    settings: Settings, configuration: Configuration, only: Collection[str] | None = None
) -> Iterator[Finding]:
    """One finding or more per source, in the order of sources.yml. Secrets and values are in none of them."""
    for source in configuration.sources:
        if only and source.name not in only:
            continue
        if not source.enabled:
            yield Finding(source.name, "switched off; it is not asked")
            continue
        check = _check_files if source.connector == "files" else _check_system
        try:
            yield from check(settings, configuration, source)
        except KundenstammError as error:
            yield Finding(source.name, str(error), is_problem=True)


def assert_something_to_read(settings: Settings, configuration: Configuration) -> None:
    """A company without any record has nothing to publish.

    Raises:
        ConfigurationError: no source is switched on, and none was ever landed.
    """
    if not any(source.enabled or settings.landing_file(source.name).exists() for source in configuration.sources):
        raise ConfigurationError(
            [
                "sources.yml: no source is switched on, so there is nothing to read; describe a source there "
                "(`kundenstamm sources profile FILE` proposes the entry of a file) and take its `enabled: false` out."
            ]
        )


def _check_files(settings: Settings, configuration: Configuration, source: SourceConfig) -> Iterator[Finding]:
    """Every file is read and its values are converted, as a night does it, into a database that is thrown away."""
    for name in source.entities:
        try:
            with scratch_folder(settings.temp_dir) as folder, connect(None, settings) as connection:
                files = find_files(settings, configuration, source, name, folder)
                entity = entity_of(source, name)
                delivery = read_delivery(connection, settings, configuration, source, entity, files)
                row = connection.execute("select count(*) filter (where _field is not null) from arrived").fetchone()
                bad = delivery.delivered_count - int(
                    connection.execute("select count(*) from arrived").fetchall()[0][0]
                )
        except KundenstammError as error:
            yield Finding(source.name, str(error), is_problem=True)
            continue
        refused = (int(row[0]) if row else 0) + bad
        unmapped = f"; nobody mapped {', '.join(c.name for c in delivery.unmapped)}" if delivery.unmapped else ""
        refused_text = f", {refused:,} would be rejected" if refused else ""
        count = delivery.delivered_count
        yield Finding(source.name, f"{name}: {count:,} record{'' if count == 1 else 's'}{refused_text}{unmapped}")


def _check_system(settings: Settings, configuration: Configuration, source: SourceConfig) -> Iterator[Finding]:
    from pipelines.extract.connectors import open_connector

    del configuration
    yield from (Finding(source.name, sentence) for sentence in open_connector(source, settings).check())
