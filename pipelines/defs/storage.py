"""Dagster's own SQLite storage, with connections that stay open.

Dagster opens and closes each database file anew for every event. Closing the last connection to a file writes its
whole journal back and waits for the disk, and a new engine compiles every statement anew: about 9 ms an event, 12
seconds of a run with 700 events. Here the files stay open, and a commit waits for the operating system, not for the
disk: a power cut loses at most the last events of a run that it ended anyway.

What a step says of each of its outputs, 850 of 1,300 events, comes all at once at its end and is stored together with
the step's success, or as soon as anybody reads in this process. A process that is killed in that moment loses events
of a step that never succeeded.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, QueuePool, event

OPEN_FILES = 8  # the index, the run at work, and the runs a browser looks at
# Said once for each output of a step.
OF_AN_OUTPUT = {
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
}
WAITING_SECONDS = 1.0  # a browser may look at a step that takes long over its outputs


class Storage(DagsterSqliteStorage):
    """The storage that `instance.yaml` names; `base_dir` is DAGSTER_HOME, the files are where Dagster puts them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Storage:
        return cls.from_local(inst_data=inst_data, **config_value)


class EventLog(SqliteEventLogStorage):
    """One file per run and one index over them, each with one connection that is used in turn."""

    def __init__(self, base_dir: str) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._indexes: set[str] = set()
        self._waiting: list[EventLogEntry] = []
        self._waiting_since = 0.0
        self._transactions: dict[str, Connection] = {}
        super().__init__(base_dir)
        self._db_lock = threading.RLock()  # type: ignore[assignment]
        # The file's own change is seen late, because commits go to its journal.
        self._watcher = SqlPollingEventWatcher(self)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard not in self._initialized_dbs:
            with super()._connect(shard):  # makes the tables
                pass
        with self._db_lock:
            self._store_waiting()
            if shard in self._transactions:  # of this thread, which holds the lock
                yield self._transactions[shard]
                return
            with self._engine(shard).begin() as connection:
                self._transactions[shard] = connection
                try:
                    yield connection
                finally:
                    del self._transactions[shard]

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event at once, with those that waited, or let it wait for the others of its step."""
        with self._db_lock:
            if self._transactions or event.dagster_event_type not in OF_AN_OUTPUT:
                super().store_event(event)
                return
            now = time.monotonic()
            if not self._waiting:
                self._waiting_since = now
            self._waiting.append(event)
            if now - self._waiting_since > WAITING_SECONDS:
                self._store_waiting()

    def _store_waiting(self) -> None:
        """Store what waits; those who hold the lock call it before they read or write anything."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self.store_event_batch(waiting)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of them or none, in one transaction for each file."""
        with ExitStack() as transactions:
            for shard in sorted({INDEX_SHARD_NAME, *(entry.run_id for entry in events)}):
                transactions.enter_context(self._connect(shard))
            super().store_event_batch(events)

    def _engine(self, shard: str) -> Engine:
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _wait_for_the_system_only)
        self._engines[shard] = engine
        if len(self._engines) > OPEN_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def has_table(self, table_name: str) -> bool:
        """Asked for every event; what is there is not looked for again."""
        if table_name not in self._tables:
            with self.index_connection() as connection:
                if not connection.dialect.has_table(connection, table_name):
                    return False
            self._tables.add(table_name)
        return True

    def _has_asset_key_col_on_connection(self, connection: Connection, column_name: str) -> bool:
        """Asked for every event of an asset; what is there is not looked for again."""
        if column_name not in self._columns:
            if not super()._has_asset_key_col_on_connection(connection, column_name):
                return False
            self._columns.add(column_name)
        return True

    def has_secondary_index(self, name: str) -> bool:
        """Asked twice for every look at an asset; what is there is not looked for again."""
        if name not in self._indexes:
            if not super().has_secondary_index(name):
                return False
            self._indexes.add(name)
        return True

    def delete_events(self, run_id: str) -> None:
        """Also remove the run's file, which Dagster would leave behind empty."""
        super().delete_events(run_id)
        with self._db_lock:
            if run_id in self._engines:
                self._engines.pop(run_id).dispose()
            self._initialized_dbs.discard(run_id)
            for suffix in ("", "-wal", "-shm"):
                Path(self.path_for_shard(run_id) + suffix).unlink(missing_ok=True)

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Any) -> None:
        self._watcher.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        self._watcher.close()
        with self._db_lock:
            self._store_waiting()
            while self._engines:
                self._engines.popitem()[1].dispose()


def _wait_for_the_system_only(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
