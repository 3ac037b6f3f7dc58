"""Load one source: take what it offers, land the difference, and report. One transaction per entity.

Add a step of a load here; what a step does belongs into the module named after it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from pipelines.configuration import Configuration, SourceConfig
from pipelines.configuration.sources import is_flat
from pipelines.entities import Entity
from pipelines.errors import SourceError
from pipelines.extract.changes import Landed, land
from pipelines.extract.delivery import forget_delivery, read_delivery
from pipelines.extract.files import DeliveredFile
from pipelines.extract.gone import mark_gone
from pipelines.extract.landing import (
    contract_digest,
    create_entity_tables,
    fingerprints,
    is_read_already,
    last_load,
    move_cursor,
    move_position,
    open_landing,
    remember_files,
    write_failure,
    write_load,
)
from pipelines.extract.offers import Offer, Parents
from pipelines.extract.orders import ORDERS, derive_orders
from pipelines.extract.reading import entity_of, offered, streams_of
from pipelines.extract.report import Counts, LoadReport, UnmappedColumn
from pipelines.settings import Settings
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class _Request:
    """What was asked of a load, as `load_source` says it; moments are UTC without zone."""

    run_id: str
    now: datetime
    only: Collection[str] | None
    approved_shrink: str | None
    full: bool
    since: datetime | None
    until: datetime | None

    def wants(self, source: SourceConfig, name: str) -> bool:
        """Whether an entity is to be loaded, itself or for the orders on its lines."""
        return self.only is None or bool(_landed_with(source, name) & set(self.only))


def load_source(
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    *,
    run_id: str,
    now: datetime,
    only: Collection[str] | None = None,
    approved_shrink: str | None = None,
    full: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[LoadReport]:
    """Land what a source delivers.

    Args:
        settings: data folder and limits.
        configuration: the company's.
        source: one of its sources.
        run_id: stamped on every row that is landed.
        now: the time of the load; UTC when it has no zone.
        only: entities to load, all when None; `orders` of a flat export are loaded with their lines.
        since: read again what changed since then, where a source is read in increments.
        until: with `since`, and only what changed before then; the next read begins where it would have.
        approved_shrink: the reason why a delivery may shrink beyond `max_shrink`; kept in the load record.
        full: read files again that did not change.

    Returns:
        One report per landed entity, in the order of sources.yml.

    Raises:
        SourceError: when a delivery cannot be read or must not be landed, and the source does not allow to go on with
            what is landed; entities before it are landed, it is not.
    """
    if not source.enabled:
        return _report_disabled(settings, source)
    request = _Request(
        run_id,
        _utc(now),
        only,
        approved_shrink,
        full,
        since=_utc(since) if since else None,
        until=_utc(until) if until else None,
    )
    reports: list[LoadReport] = []
    try:
        _load_streams(settings, configuration, source, request, reports)
    except SourceError as error:
        if source.if_failed == "stop":
            raise
        loaded = {report.entity for report in reports}
        missing = [n for n in source.landed_entities if n not in loaded and (only is None or n in only)]
        reports += _keep_landed(settings, configuration, source, request, missing, error)
    return reports


def _load_streams(
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    request: _Request,
    reports: list[LoadReport],
) -> None:
    """Land one stream after the other, adding to `reports` what was committed."""
    with open_landing(settings, configuration, source) as connection:
        for stream in streams_of(source):
            names = [name for name in stream if request.wants(source, name)]
            if not names:
                continue
            with offered(
                connection,
                settings,
                configuration,
                source,
                names,
                now=request.now,
                full=request.full,
                since=request.since,
                until=request.until,
            ) as offers:
                for name in names:
                    load = _Load(connection, settings, configuration, source, entity_of(source, name), request)
                    reports += load.run(offers[name])


def _keep_landed(
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    request: _Request,
    names: Collection[str],
    error: SourceError,
) -> list[LoadReport]:
    """Go on with what an earlier load landed, and remember why.

    Raises:
        SourceError: there is nothing, or it is older than the source allows.
    """
    reports = []
    oldest = request.now - timedelta(days=source.max_age_days)
    with open_landing(settings, configuration, source) as connection:
        for name in names:
            last = last_load(connection, name)
            if last is None or last["loaded_at"] < oldest:
                age = f"was last read on {last['loaded_at']:%Y-%m-%d}" if last else "was never read"
                raise SourceError(
                    f"{error} Nothing can be kept either: {source.name}.{name} {age}, and max_age_days allows "
                    f"{source.max_age_days}."
                ) from None
            live = last["live_count"]
            text = (
                f"{source.name}.{name} could not be loaded; the {live} records of {last['loaded_at']:%Y-%m-%d %H:%M} "
                f"UTC are kept. {error}"
            )
            write_failure(connection, name, run_id=request.run_id, failed_at=request.now, message=text)
            reports.append(
                LoadReport(source.name, name, "kept", Counts(), live, 0.0, text, loaded_at=last["loaded_at"])
            )
    return reports


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _landed_with(source: SourceConfig, name: str) -> set[str]:
    return {name, ORDERS.name} if is_flat(name, source.entities[name]) else {name}


class _Load:
    """One entity of one source, with the orders of its lines when it is flat."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        settings: Settings,
        configuration: Configuration,
        source: SourceConfig,
        entity: Entity,
        request: _Request,
    ) -> None:
        self.connection, self.settings, self.configuration = connection, settings, configuration
        self.source, self.entity, self.request = source, entity, request
        self.is_flat = is_flat(entity.name, source.entities[entity.name])
        self.started = perf_counter()

    def run(self, offer: Offer) -> list[LoadReport]:
        """Recognize files that were read already, or read and land them; everything or nothing is committed."""
        files = offer.files
        contract = contract_digest(self.configuration, self.source, self.entity)
        if offer.is_increment and not files:
            return self._note_nothing_new()
        is_known = offer.position is None and is_read_already(self.connection, self.entity, files, contract)
        if is_known and not self.request.full:
            return self._note_unchanged(files)
        delivery = read_delivery(
            self.connection, self.settings, self.configuration, self.source, self.entity, files, offer.types
        )
        if self.is_flat and not any(f.name == "order_record_id" for f in delivery.fields):
            raise SourceError(
                f"{self.source.name}.{self.entity.name}: columns named order_<column> describe orders, but no line "
                f"says to which order it belongs; map `order_record_id` in sources.yml."
            )
        self.connection.execute("begin")
        create_entity_tables(self.connection, self.entity)
        named_count = mark_gone(self.connection, self.entity, offer.gone)
        landed = self._land(
            self.entity,
            is_keyed=delivery.is_keyed,
            delivered_count=delivery.delivered_count + named_count,
            is_complete=offer.is_complete,
            parents=offer.parents,
            keeps_newer=offer.is_increment,
        )
        reports = [self._write(self.entity, landed, files, offer.stated | delivery.detected, delivery.unmapped)]
        if self.is_flat:
            create_entity_tables(self.connection, ORDERS)
            orders = self._land(ORDERS, is_keyed=True, delivered_count=derive_orders(self.connection))
            reports.append(self._write(ORDERS, orders, files, {}, ()))
        if offer.is_increment:
            remember_files(self.connection, self.entity, files, contract)
        elif offer.position is None:
            move_cursor(self.connection, self.entity, files, contract)
        else:
            move_position(self.connection, self.entity, offer.position, contract)
        self.connection.execute("commit")
        forget_delivery(self.connection)
        return reports

    def _land(
        self,
        entity: Entity,
        *,
        is_keyed: bool,
        delivered_count: int,
        is_complete: bool = True,
        parents: Parents | None = None,
        keeps_newer: bool = False,
    ) -> Landed:
        return land(
            self.connection,
            entity,
            is_keyed=is_keyed,
            delivered_count=delivered_count,
            max_shrink=self.source.max_shrink,
            approved_shrink=self.request.approved_shrink,
            run_id=self.request.run_id,
            now=self.request.now,
            where=f"{self.source.name}.{entity.name}",
            is_complete=is_complete,
            parents=parents,
            keeps_newer=keeps_newer,
        )

    def _write(
        self,
        entity: Entity,
        landed: Landed,
        files: list[DeliveredFile],
        detected: dict[str, str],
        unmapped: tuple[UnmappedColumn, ...],
        status: str = "loaded",
    ) -> LoadReport:
        seconds = perf_counter() - self.started
        message = _sentence(self.source, entity, landed.counts, status)
        write_load(
            self.connection,
            entity,
            run_id=self.request.run_id,
            loaded_at=self.request.now,
            seconds=seconds,
            status=status,
            counts=landed.counts,
            live_count=landed.live_count,
            control_amounts=landed.control_amounts,
            files=fingerprints(files),
            detected=detected,
            unmapped=[asdict(c) for c in unmapped],
            approved_shrink=self.request.approved_shrink,
            message=message,
        )
        return LoadReport(
            source=self.source.name,
            entity=entity.name,
            status=status,
            counts=landed.counts,
            live_count=landed.live_count,
            seconds=seconds,
            message=message,
            detected=detected,
            unmapped=unmapped,
            loaded_at=self.request.now,
        )

    def _note_nothing_new(self) -> list[LoadReport]:
        """Record a load of increments without a file that was not landed before."""
        last = last_load(self.connection, self.entity.name)
        assert last is not None  # noqa: S101 - without a load, no file was landed before
        self.connection.execute("begin")
        landed = Landed(Counts(), last["live_count"], last["control_amounts"])
        reports = [self._write(self.entity, landed, [], {}, (), status="unchanged")]
        self.connection.execute("commit")
        return reports

    def _note_unchanged(self, files: list[DeliveredFile]) -> list[LoadReport]:
        """Record a load of the very same files: what reading them again would count."""
        self.connection.execute("begin")
        reports = []
        for entity in (self.entity, ORDERS) if self.is_flat else (self.entity,):
            last = last_load(self.connection, entity.name)
            if last is None:
                raise SourceError(
                    f"{self.source.name}.{entity.name}: the landing file has a cursor but no load record; load the "
                    f"source again in full."
                )
            landed = Landed(last["counts"].delivered_again(), last["live_count"], last["control_amounts"])
            unmapped = tuple(UnmappedColumn(**c) for c in last["unmapped"])
            reports.append(self._write(entity, landed, files, last["detected"], unmapped, status="unchanged"))
        self.connection.execute("commit")
        return reports


def _report_disabled(settings: Settings, source: SourceConfig) -> list[LoadReport]:
    file = settings.landing_file(source.name)
    if not file.exists():
        text = f"{source.name} is switched off and was never loaded."
        return [LoadReport(source.name, n, "disabled", Counts(), 0, 0.0, text) for n in source.landed_entities]
    reports = []
    with connect(file, settings, read_only=True) as connection:
        for name in source.landed_entities:
            last = last_load(connection, name)
            live = last["live_count"] if last else 0
            since = f" of {last['loaded_at']:%Y-%m-%d %H:%M} UTC" if last else ""
            text = f"{source.name} is switched off; the {live} {name.replace('_', ' ')}{since} are kept."
            loaded_at = last["loaded_at"] if last else None
            reports.append(LoadReport(source.name, name, "disabled", Counts(), live, 0.0, text, loaded_at=loaded_at))
    return reports


def _sentence(source: SourceConfig, entity: Entity, counts: Counts, status: str) -> str:
    shown = {n: v for n, v in counts.as_dict().items() if v and n != "delivered"}
    what = ", ".join(f"{value} {name}" for name, value in shown.items()) or "no record"
    again = ""
    if status == "unchanged":
        again = "the files did not change; " if counts.delivered else "no file is new; "
    return f"{source.name}.{entity.name}: {again}{counts.delivered} delivered: {what}."
