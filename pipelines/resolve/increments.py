"""Scores carried from one run to the next: a pair whose records say what they said is not weighed again.

A cache and nothing else: a score depends on the two profiles and the model alone, so a run that finds it gives exactly
what a run without it gives. It holds hashes and weights, and only those of the last run. How a pair is weighed is in
`scoring`.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.clean.cache import CACHE_FOLDER
from pipelines.resolve.comparisons import RAREST
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.resolve.model import Model
    from pipelines.settings import Settings

CACHE_FILE = "scored_pairs.duckdb"


def load_known_scores(connection: DuckDBPyConnection, settings: Settings, model: Model) -> int:
    """Insert into `scores` the pairs of `blocked_pairs` that this model has weighed before, and take them out there.

    Returns their number; none when the file is missing, damaged, or of another model.
    """
    import duckdb

    file = _file(settings)
    if not file.exists() or not model.is_learned:
        return 0
    try:
        with _attached(connection, file, "read_only"):
            connection.execute(_KNOWN, [_digest(connection, model)])
    except duckdb.Error:  # damaged or of another form; this run replaces it
        connection.execute("delete from scores")
        return 0
    connection.execute("delete from blocked_pairs where (join_key_l, join_key_r) in (select (a, b) from scores)")
    row = connection.execute("select count(*) from scores").fetchone()
    return int(row[0]) if row else 0


def save_scores(connection: DuckDBPyConnection, settings: Settings, model: Model) -> None:
    """Replace the file by all of `scores`. A cache that cannot be written is no failure."""
    import duckdb

    if not model.is_learned:
        return
    file = _file(settings)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    digest = _digest(connection, model)
    try:
        with _attached(connection, new, "read_write"):
            connection.execute(_SAVED.format(digest=literal(digest)))
        new.replace(file)
    except (duckdb.Error, OSError):
        new.unlink(missing_ok=True)


@contextmanager
def _attached(connection: DuckDBPyConnection, file: Path, option: str) -> Iterator[None]:
    connection.execute(f"attach {literal(file)} as scored_pairs_file ({option})")
    try:
        yield
    finally:
        connection.execute("detach scored_pairs_file")


def _file(settings: Settings) -> Path:
    return settings.data_dir / CACHE_FOLDER / CACHE_FILE


def _digest(connection: DuckDBPyConnection, model: Model) -> str:
    """Names everything but the two profiles that a score depends on."""
    import duckdb
    import splink

    parameters = [(c.name, c.missing, c.levels) for c in model.comparisons]
    frequencies = connection.execute(_FREQUENCIES).fetchone()
    used = (model.version, model.prior, parameters, RAREST, frequencies, splink.__version__, duckdb.__version__)
    return hashlib.sha256(repr(used).encode()).hexdigest()


_FREQUENCIES = """
select md5(string_agg(row(field, value, frequency)::text, chr(10) order by field, value nulls last)) from frequencies
"""


# Equal content is equal whichever of the two has the lower number.
_KNOWN = """
insert into scores
select join_key_l, join_key_r, known.match_weight, known.match_probability
from blocked_pairs
join scored_profiles as l on l.n = join_key_l join scored_profiles as r on r.n = join_key_r
join scored_pairs_file.scored_pairs as known
  on known.content_a = least(l.content, r.content) and known.content_b = greatest(l.content, r.content)
where (select digest from scored_pairs_file.model) = $1
"""

_SAVED = """
create table scored_pairs_file.model as select {digest} as digest;
create table scored_pairs_file.scored_pairs as
select distinct least(l.content, r.content) as content_a, greatest(l.content, r.content) as content_b,
    match_weight, match_probability
from scores join scored_profiles as l on l.n = a join scored_profiles as r on r.n = b
"""
