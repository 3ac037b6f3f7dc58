"""Zendesk Support: incremental cursor exports, which tell of deleted users and tickets, and satisfaction ratings.

Add here what Zendesk calls its things and how its exports page. The mapping is in `configuration/mappings/zendesk.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors.http import Client, ahead
from pipelines.extract.offers import Gone, Offer, Position, Reading
from pipelines.extract.spool import flatten
from pipelines.settings import Settings

# An answer can be changed until its ticket is closed, 28 days after it was solved.
RATING_SECONDS = 35 * 86_400
PAGE_SIZE = 100
Record = dict[str, Any]
EXPORTS: dict[str, Record] = {"users": {}, "tickets": {"include": "metric_sets"}}


class Zendesk:
    """One account of `sources.yml`."""

    tells_deletions = True

    def __init__(self, source: SourceConfig, settings: Settings) -> None:
        assert source.zendesk is not None  # noqa: S101 - the configuration was validated
        config = source.zendesk
        self.source = source
        self.client = Client(
            f"{source.name} (Zendesk)",
            expand(config.url, settings).rstrip("/"),
            {},
            auth=(f"{expand(config.email, settings)}/token", expand(config.token, settings)),
        )

    def read(self, reading: Reading) -> dict[str, Offer]:
        readers = {"users": self._export, "tickets": self._export, "ratings": self._rate, "companies": self._organize}
        return {name: readers[name](name, reading) for name in reading.entities}

    def rewind(self, position: Position, since: datetime) -> Position:
        del position
        return {"start_time": _seconds(since)}

    def check(self) -> list[str]:
        user = self.client.get("/api/v2/users/me")["user"]
        if not user.get("id"):
            raise SourceError(
                f"{self.client.who}: the credential was not recognized; check `email` and the token's variable."
            )
        found = [f"signed in as {user.get('role', 'unknown')}"]
        for name in self.source.entities:
            path = {"ratings": "/api/v2/satisfaction_ratings", "companies": "/api/v2/incremental/organizations"}
            start = {"start_time": int(datetime.now(UTC).timestamp()) - 86_400}
            page = self.client.get(path.get(name, f"/api/v2/incremental/{name}/cursor"), start)
            items = page.get({"ratings": "satisfaction_ratings", "companies": "organizations"}.get(name, name), [])
            found.append(f"{name}: {len(items)} of the last day can be read")
        return found

    def _export(self, name: str, reading: Reading) -> Offer:
        """Users or tickets: each once for every time it changed, to the end of the stream."""
        spool, cursor = reading.spools[name], None
        for records, after in ahead(self._pages(name, reading.position or {}, reading.until)):
            cursor = after or cursor
            for record in _before(records, reading.until):
                is_gone = record.get("status") == "deleted" or record.get("active") is False
                record["deleted_at"] = record.get("updated_at") if is_gone else None
                spool.add(_with_custom_fields(flatten(record)))
        gone = () if reading.position else tuple(self._list_deleted(name))
        position: Position = {"cursor": cursor} if cursor else reading.position or {"start_time": 0}
        return Offer(spool.finish(), is_complete=not reading.position, position=position, gone=gone)

    def _pages(
        self, name: str, position: Position, until: datetime | None
    ) -> Iterator[tuple[list[Record], str | None]]:
        """Pages in the order of change, as far as to what changed at `until`."""
        # The specification wants a start time beside the cursor, which then decides.
        parameters: Record = {"start_time": position.get("start_time", 0), **EXPORTS[name]}
        if "cursor" in position:
            parameters["cursor"] = position["cursor"]
        while True:
            page = self.client.get(f"/api/v2/incremental/{name}/cursor", parameters)
            after = page.get("after_cursor")
            yield page[name], after
            if page["end_of_stream"] or _has_passed(page[name], until):
                return
            self._assert_moved(parameters.get("cursor"), after, name)
            parameters["cursor"] = after

    def _list_deleted(self, name: str) -> Iterator[Gone]:
        """What was deleted for good is no longer exported."""
        for record in self._listed(f"/api/v2/deleted_{name}", f"deleted_{name}", {}):
            yield Gone(str(record["id"]), record.get("deleted_at") or record.get("updated_at"))

    def _rate(self, name: str, reading: Reading) -> Offer:
        spool, since = reading.spools[name], int((reading.position or {}).get("start_time", 0))
        newest = since
        parameters = {"score": "received", **({"start_time": max(since - RATING_SECONDS, 0)} if since else {})}
        if reading.until:
            parameters["end_time"] = _seconds(reading.until)
        for record in self._listed("/api/v2/satisfaction_ratings", "satisfaction_ratings", parameters):
            spool.add(flatten(record))
            newest = max(newest, _epoch(record["created_at"]))
        newest = min(newest, _seconds(reading.now))
        return Offer(spool.finish(), is_complete=not reading.position, position={"start_time": newest})

    def _organize(self, name: str, reading: Reading) -> Offer:
        spool, start = reading.spools[name], int((reading.position or {}).get("start_time", 0))
        while True:
            page = self.client.get("/api/v2/incremental/organizations", {"start_time": start})
            for record in _before(page["organizations"], reading.until):
                spool.add(flatten(record))
            end = page.get("end_time") or start
            if page["end_of_stream"] or _has_passed(page["organizations"], reading.until):
                return Offer(spool.finish(), is_complete=not reading.position, position={"start_time": end})
            self._assert_moved(start, end, name)
            start = end

    def _listed(self, path: str, key: str, parameters: Record) -> Iterator[Record]:
        """The items of a list that pages by cursor."""
        parameters = {**parameters, "page[size]": PAGE_SIZE}
        while True:
            page = self.client.get(path, parameters)
            yield from page[key]
            meta = page.get("meta") or {}
            if not meta.get("has_more"):
                return
            self._assert_moved(parameters.get("page[after]"), meta.get("after_cursor"), key)
            parameters["page[after]"] = meta["after_cursor"]

    def _assert_moved(self, before: object, after: object, what: str) -> None:
        if after is None or after == before:
            raise SourceError(
                f"{self.client.who}: the pages of {what} do not go on though they are not at their end; nothing was "
                f"landed. Start again, and report it to Zendesk when it stays."
            )


def _with_custom_fields(record: Record) -> Record:
    """`custom_fields`, a list of ids and values, as one field each."""
    for entry in record.pop("custom_fields", None) or []:
        record[f"custom_fields.{entry['id']}"] = entry.get("value")
    return record


def _before(records: list[Record], until: datetime | None) -> list[Record]:
    """The records that changed before a moment; all when there is none."""
    return [r for r in records if until is None or _epoch(r["updated_at"]) < _seconds(until)]


def _has_passed(records: list[Record], until: datetime | None) -> bool:
    return until is not None and bool(records) and _epoch(records[-1]["updated_at"]) >= _seconds(until)


def _seconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
