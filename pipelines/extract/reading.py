"""What a source offers: its files, or what its connector fetches, from where the last read ended.

Add here what holds for every connector: when everything is read again, and what the position of a read says. How one
system is read belongs into its module of `connectors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.configuration import Configuration, SourceConfig
from pipelines.configuration.mappings import shipped_mapping
from pipelines.entities import Entity
from pipelines.errors import SourceError
from pipelines.extract.fields import expected_columns, referred_columns
from pipelines.extract.files import find_files
from pipelines.extract.landing import (
    contract_digest,
    is_read_already,
    known_stamps,
    read_contents,
    read_position,
)
from pipelines.extract.offers import Connector, Offer, Reading
from pipelines.extract.spool import Spool
from pipelines.scratch import scratch_folder
from pipelines.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def streams_of(source: SourceConfig) -> list[tuple[str, ...]]:
    """The entities of a source that are read together, in the order of landing."""
    from pipelines.extract.connectors import streams_of_vendor

    together = streams_of_vendor(source.connector)
    apart = {name for name, config in source.entities.items() if config.object}
    named = [tuple(name for name in stream if name in source.entities.keys() - apart) for stream in together]
    known = {name for stream in named for name in stream}
    return [stream for stream in named if stream] + [(name,) for name in source.entities if name not in known]


def entity_of(source: SourceConfig, name: str) -> Entity:
    entity = source.find_entity(name)
    assert entity is not None  # noqa: S101 - the configuration was validated
    return entity


@contextmanager
def offered(
    connection: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    names: Sequence[str],
    *,
    now: datetime,
    full: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, Offer]]:
    """What the source has of entities that are read together; files that were written for it are removed in the end.

    A position is `read_at` and `full_at`, when the read and the last complete one began, and `next`, which only the
    connector understands. Entities of one stream that were interrupted between their commits begin at the oldest.
    What is read `until` a moment is read once more: the position stays where it was.

    Raises:
        SourceError: a file is missing, or the system cannot be read, or not from or to such a moment.
    """
    _assert_window(source, full=full, since=since, until=until)
    if source.connector == "files":
        with scratch_folder(settings.temp_dir) as folder:
            yield {
                name: _offer_files(connection, settings, configuration, source, name, folder, full=full)
                for name in names
            }
        return
    from pipelines.extract.connectors import open_connector

    connector = open_connector(source, settings)
    positions = {
        name: read_position(connection, name, contract_digest(configuration, source, entity_of(source, name)))
        for name in names
    }
    position = None if full else _begin(source, positions, connector, now, since, until)
    entities = {name: entity_of(source, name) for name in names}
    wanted = {
        name: tuple(
            dict.fromkeys(
                (*expected_columns(entity, source.entities[name]), *referred_columns(connection, source.entities[name]))
            )
        )
        for name, entity in entities.items()
    }
    with scratch_folder(settings.temp_dir) as folder:
        unused = {name: shipped_mapping(source.connector).get(name, {}).get("unused", ()) for name in names}
        spools = {name: Spool(folder, name, columns, unused[name]) for name, columns in wanted.items()}
        begin = position["next"] if position else None
        offers = connector.read(Reading(tuple(names), begin, spools, wanted, now, until))
        begun = now.replace(tzinfo=UTC).isoformat()
        stamped = {}
        for name in names:
            offer = offers[name]
            stamp = {
                "read_at": begun,
                "full_at": begun if offer.is_complete or position is None else position["full_at"],
            }
            asked = f"{since:%Y-%m-%d %H:%M} UTC" if since else position_text(position)
            window = f"what changed since {asked}" + (f" and before {until:%Y-%m-%d %H:%M} UTC" if until else "")
            stated = {"read": "in full" if offer.is_complete else window}
            _assert_fields_exist(source, name, spools[name], offer)
            reached = positions[name] if until else {**stamp, "next": dict(offer.position or {})}
            stamped[name] = replace(offer, position=reached, stated=stated | offer.stated)
        yield stamped


def position_text(position: Mapping[str, Any] | None) -> str:
    """When a position was read, for people."""
    return f"{datetime.fromisoformat(position['read_at']):%Y-%m-%d %H:%M} UTC" if position else "the beginning"


def _offer_files(
    connection: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    name: str,
    folder: Path,
    *,
    full: bool,
) -> Offer:
    """All files of an entity; of increments those whose content was not landed yet, in the order of their names."""
    contract = contract_digest(configuration, source, entity_of(source, name))
    own = folder / name
    own.mkdir()
    if source.entities[name].delivery != "increments":
        known = {} if full else known_stamps(connection, name, contract)
        files = find_files(settings, configuration, source, name, own, known=known)
        if known and not is_read_already(connection, entity_of(source, name), files, contract):
            files = find_files(settings, configuration, source, name, own)
        return Offer(files)
    landed = {} if full else read_contents(connection, name, contract)
    known = {} if full else known_stamps(connection, name, contract)
    found = find_files(settings, configuration, source, name, own, known=known, may_be_none=bool(landed))
    new = {file.sha256: file for file in found if file.sha256 not in landed}
    return Offer(list(new.values()), is_complete=False, is_increment=True)


def _assert_window(source: SourceConfig, *, full: bool, since: datetime | None, until: datetime | None) -> None:
    """A window is for what is read in increments, and has a beginning."""
    problem = None
    if source.connector == "files" and (since or until):
        problem = "files are read whole, not since or until a moment; use `full` to read them again"
    elif full and (since or until):
        problem = "`full` reads everything; leave out `since` and `until`, or `full`"
    elif until and (since is None or until <= since):
        problem = "`until` ends a window, so it needs an earlier `since`"
    if problem:
        raise SourceError(f"{source.name}: {problem}. Nothing was landed.")


def _begin(
    source: SourceConfig,
    positions: Mapping[str, dict[str, Any] | None],
    connector: Connector,
    now: datetime,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any] | None:
    """From where to read; None to read everything, which a window never does."""
    found = [p for p in positions.values() if p is not None]
    if len(found) < len(positions):
        if until is not None:
            raise SourceError(
                f"{source.name}: {', '.join(n for n, p in positions.items() if p is None)} was never read with this "
                f"mapping, so there is nothing to complete; read it in full before a window. Nothing was landed."
            )
        return None
    oldest = dict(min(found, key=lambda p: p["read_at"]))
    full_at = min(datetime.fromisoformat(p["full_at"]) for p in found)
    is_due = now.replace(tzinfo=UTC) - full_at >= timedelta(days=source.full_every_days)
    if is_due and until is None and not connector.tells_deletions:
        return None
    oldest["full_at"] = full_at.isoformat()
    if since is not None:
        oldest["next"] = connector.rewind(oldest["next"], since)
    return oldest


def _assert_fields_exist(source: SourceConfig, name: str, spool: Spool, offer: Offer) -> None:
    """A field that the owner mapped and no record of a complete read has is misspelled, not empty.

    Raises:
        SourceError: naming the fields.
    """
    shipped = {
        t for t in shipped_mapping(source.connector).get(name, {}).get("columns", {}).values() if isinstance(t, str)
    }
    config = source.entities[name]
    own = [t for t in config.columns.values() if isinstance(t, str)] + list(config.identifiers.values())
    own += [c.from_ for c in config.custom.values()]
    missing = sorted(set(own) - shipped - spool.seen)
    if offer.is_complete and spool.row_count and missing:
        raise SourceError(
            f"{source.name}.{name}: no record has the field {', '.join(missing)}, which sources.yml maps; correct its "
            f"spelling. Fields are {', '.join(sorted(spool.seen)[:60])}."
        )
