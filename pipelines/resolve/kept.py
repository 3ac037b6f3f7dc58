"""What a run keeps of its matching, so that the next one computes only what a changed record touches.

A cache and nothing else: without it, or with a damaged one, or under another model, configuration or code, everything
is computed in full, and the tables of schema `identity` are the same. It holds what the scratch catalog held: what
records say, folded, and what follows for values, groups and pairs; so its mode is that of the folder, the owner's
alone. Add a table here when a phase of `increments` reads what it does not compute anew.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.clean.cache import CACHE_FOLDER
from pipelines.resolve.comparisons import DERIVED, RAREST
from pipelines.resolve.records import SCRATCH
from pipelines.tables import write_plainly
from pipelines.warehouse import OWN_STORAGE, WITHOUT_LOG, literal, log_privately

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from duckdb import DuckDBPyConnection

    from pipelines.configuration.identity import IdentityConfig
    from pipelines.resolve.model import Model
    from pipelines.settings import Settings

CACHE_FILE = "identity.duckdb"
KEPT = "kept"  # the catalog that the file is attached as

# Of the scratch catalog, what is kept of matching. `numbers` also has what the record says, as one hash.
TABLES = (
    *("numbers", "default_dates", "records", "common_names", "nicknames", "first_names"),
    *("forms", "carriers", "identifier_values", "shared_values", "home_values"),
    *("known_identifiers", "torn_at", "torn", "torn_groups", "descriptions", "profiles", "groups", "accepted"),
    *("refused", "exact_edges", "exact_refusals", "scored_profiles", "known_counts", "in_blocks", "blocked"),
    *("divided", "block_parts", "oversized", "scores", "judged_scores"),
)

# And what is kept of what follows from it.
CHOSEN = ("scored_candidates", "must_links", "cannot_links", "clustered", "cluster_refusals")

# What follows cheaply from the rest of a profile: who is read is told it anew.
NOT_KEPT = ("birth_day", "email_plain", "email_digits", "email_domain")

# What of a table is kept where no later phase reads all of it.
NARROWED = {
    "records": "* exclude (identifiers, generation)",
    "profiles": "n, members",
    "scored_profiles": f"* exclude ({', '.join(NOT_KEPT)})",
}


def complete(profiles: str) -> str:
    """SQL for these rows of the kept `scored_profiles`, a `from` clause, with what is not kept because it follows."""
    return f"select *, {', '.join(f'{DERIVED[name]} as {name}' for name in NOT_KEPT)} from ({profiles})"


# What is read when pairs are already judged: nothing kept depends on it.
_READ_LATER = {"match_probability", "learn_anew_on_drift"}


class Keeper:
    """Writes the tables of a full run into a new file, which replaces the old one when all are there.

    They are written by a thread with a connection of its own, while the run goes on: where that waits for one core, the
    other one writes. What cannot be written is not kept; that is no failure, but stands in the build's log.
    """

    def __init__(self, connection: DuckDBPyConnection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._file = cache_file(settings)
        self._new = self._file.with_suffix(f".{os.getpid()}")
        self._writing: _Writing | None = None

    def open(self) -> None:
        import duckdb

        self.close()
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            options = f"{WITHOUT_LOG}, storage_version {literal(OWN_STORAGE)}"
            self._connection.execute(f"attach {literal(self._new)} as {KEPT} ({options})")
            self._writing = _Writing(ThreadPoolExecutor(max_workers=1), self._connection.cursor(), [])
            self._new.chmod(0o600)
        except (duckdb.Error, OSError) as error:
            self._give_up(error)

    def keep(self, *tables: str) -> None:
        """Copy tables of the scratch catalog, which nothing changes from now on."""
        if self._writing:
            for table in tables:
                query = f"select {NARROWED.get(table, '*')} from {SCRATCH}.main.{table}"
                self._writing.begin(f"{KEPT}.{table}", query)

    def finish(self, digest: str, model_digest: str, ids_digest: str) -> None:
        """Say what the tables are good for, and put the file in its place."""
        import duckdb

        if not self._writing:
            return
        try:
            for written in self._writing.written:
                written.result()
            write_mark(self._connection, digest, model_digest, ids_digest)
            self._detach(self._writing)
            self._new.replace(self._file)
        except (duckdb.Error, OSError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        log_privately(self._settings, error)
        self.close()

    def close(self) -> None:
        """Leave nothing of what was not finished."""
        if self._writing:
            self._writing.stop()
            self._detach(self._writing)
        with suppress(OSError):
            self._new.unlink()

    def _detach(self, writing: _Writing) -> None:
        self._writing = None
        writing.end()
        self._connection.execute(f"detach {KEPT}")


@dataclass(frozen=True)
class _Writing:
    """The thread that writes one table after the other, its connection, and what it was asked for."""

    thread: ThreadPoolExecutor
    connection: DuckDBPyConnection
    written: list[Future[None]]

    def begin(self, table: str, query: str) -> None:
        self.written.append(self.thread.submit(write_plainly, self.connection, table, query))

    def stop(self) -> None:
        for written in self.written:
            written.cancel()
        self.connection.interrupt()

    def end(self) -> None:
        self.thread.shutdown()
        self.connection.close()


@contextmanager
def attached(connection: DuckDBPyConnection, settings: Settings, *, read_only: bool) -> Iterator[None]:
    """The file of the last run as catalog `kept`.

    What changes in it is brought to the disk at the end, at once: a night that fails or is killed leaves it as it was.
    """
    option = "read_only" if read_only else WITHOUT_LOG
    connection.execute(f"attach {literal(cache_file(settings))} as {KEPT} ({option})")
    try:
        connection.execute("set checkpoint_threshold = '1TB'")  # else the engine does it whenever 16 MB were changed
        yield
        if not read_only:
            connection.execute(f"checkpoint {KEPT}")
    finally:
        connection.execute(f"detach {KEPT}; reset checkpoint_threshold")


def cache_file(settings: Settings) -> Path:
    return settings.data_dir / CACHE_FOLDER / CACHE_FILE


def is_complete(connection: DuckDBPyConnection) -> bool:
    """Whether the file of the last run has all tables that a night continues from."""
    rows = connection.execute("select table_name from duckdb_tables() where database_name = ?", [KEPT]).fetchall()
    return {*TABLES, *CHOSEN, "mark"} <= {name for (name,) in rows}


def write_mark(connection: DuckDBPyConnection, digest: str, model_digest: str, ids_digest: str) -> None:
    """Say under which conditions the tables of the file are what a full run gives, and which ids that gave."""
    connection.execute(
        f"create or replace table {KEPT}.mark as select {literal(digest)} as digest, "
        f"{literal(model_digest)} as model_digest, {literal(ids_digest)} as ids_digest"
    )


def load_known_scores(connection: DuckDBPyConnection, settings: Settings, model: Model) -> None:
    """Insert into `scores` the pairs of `blocked_pairs` that this model has weighed before, and take them out there.

    None when the file is missing, damaged, or of another model.
    """
    import duckdb

    if not cache_file(settings).exists() or not model.is_learned:
        return
    try:
        with attached_beside(connection, settings) as catalog:
            connection.execute(_KNOWN.format(kept=catalog), [digest_model(connection, model)])
    except duckdb.Error:  # damaged or of another form; this run replaces it
        connection.execute("delete from scores")
        return
    connection.execute("delete from blocked_pairs where (join_key_l, join_key_r) in (select (a, b) from scores)")


@contextmanager
def attached_beside(connection: DuckDBPyConnection, settings: Settings) -> Iterator[str]:
    """The file of the last run, to be read while a new one is written; yields the name of its catalog."""
    connection.execute(f"attach {literal(cache_file(settings))} as kept_before (read_only)")
    try:
        yield "kept_before"
    finally:
        connection.execute("detach kept_before")


def digest_matching(connection: DuckDBPyConnection, model: Model, identity: IdentityConfig) -> str:
    """Names everything but the records that a kept table depends on: code, configuration, model, engine."""
    used = (
        _digest_code(),
        identity.model_dump_json(exclude=_READ_LATER),
        digest_model(connection, model),
    )
    return hashlib.sha256(repr(used).encode()).hexdigest()


def digest_model(connection: DuckDBPyConnection, model: Model) -> str:
    """Names everything but the two profiles that a score depends on."""
    import duckdb
    import splink

    parameters = [(c.name, c.missing, c.levels) for c in model.comparisons]
    frequencies = connection.execute(_FREQUENCIES).fetchone()
    used = (
        *(model.version, model.prior, model.profile_count, parameters, RAREST, frequencies),
        *(splink.__version__, duckdb.__version__),
    )
    return hashlib.sha256(repr(used).encode()).hexdigest()


def _digest_code() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for file in (*sorted(here.glob("*.py")), here.parent / "first_names.py", here.parent / "clean" / "functions.py"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


_FREQUENCIES = """
select md5(string_agg(row(field, value, frequency)::text, chr(10) order by field, value nulls last)) from frequencies
"""

# Equal content is equal whichever of the two has the lower number.
_KNOWN = """
insert into scores
with known as (
    select distinct least(l.content, r.content) as content_a, greatest(l.content, r.content) as content_b,
        match_weight, match_probability
    from {kept}.scores join {kept}.scored_profiles as l on l.n = a join {kept}.scored_profiles as r on r.n = b
    where (select model_digest from {kept}.mark) = $1
)
select join_key_l, join_key_r, known.match_weight, known.match_probability
from blocked_pairs
join scored_profiles as l on l.n = join_key_l join scored_profiles as r on r.n = join_key_r
join known on known.content_a = least(l.content, r.content) and known.content_b = greatest(l.content, r.content)
"""
