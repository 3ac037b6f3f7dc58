"""Ids of a night, in which only what changed is named: they are those that naming everything gives."""

from __future__ import annotations

from duckdb import DuckDBPyConnection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.resolve.renaming import rename_touched
from pipelines.resolve.slices import Slices
from tests.unit.resolve.test_ids import AT, Clusters, Ledger

NAMED = ("members", "id_history", "id_events")


LEFT = ("known_ids", "known_events", "published_members", "former_members", "clusters")


def _drop_all(connection: DuckDBPyConnection, but: tuple[str, ...] = ()) -> None:
    for kind in ("view", "table"):
        names = connection.execute(f"select {kind}_name from duckdb_{kind}s() where not internal").fetchall()
        for (name,) in names:
            if name not in but:
                connection.execute(f"drop {kind} {name}")


class Nights(Ledger):
    """A ledger whose every version is named twice: what changed, and everything; both must be the same."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        _drop_all(connection)
        super().__init__(connection)
        self.published: Clusters = []
        self.deleted = ""

    def name_night(self, clusters: Clusters, deleted: str) -> dict[str, list[tuple[object, ...]]]:
        """The tables that naming the changed clusters alone gives, were they the next version."""
        run = self.connection.execute
        was, now = ({frozenset(c) for c in of_it} for of_it in (self.published, clusters))
        there, is_there = (set().union(*of_it) for of_it in (was, now))
        changed = (there ^ is_there) | {r for r in there & is_there if (r in deleted) != (r in self.deleted)}
        touched = set().union(*(was ^ now), *(c for c in now if c & changed), changed)
        run("create or replace table records (n integer, record_key text, is_live boolean, created_at timestamp)")
        run("create or replace table clustered (n integer, cluster integer)")
        run("create or replace table regrouped_records (n integer)")
        run("create or replace table changes (record_key text, n integer, was_there boolean, is_there boolean)")
        for number, cluster in enumerate(clusters):
            for record in cluster:
                n = ord(record)
                run(
                    f"insert into records values ({n}, '{record}', {record not in deleted}, "
                    f"timestamp '2020-01-01 {n - 97:02}:00:00'); insert into clustered values ({n}, {number})"
                )
        for record in touched:
            run(f"insert into regrouped_records values ({ord(record)})")
        for record in changed:
            run(f"insert into changes values ('{record}', {ord(record)}, {record in there}, {record in is_there})")
        rename_touched(Slices(self.connection, "memory.main"), f"v{self.version + 1:03}", AT)
        found = {table: run(f"from {table} order by all").fetchall() for table in NAMED}
        _drop_all(self.connection, but=LEFT)
        return found

    def live(self, clusters: Clusters, deleted: str) -> None:
        _drop_all(self.connection, but=LEFT)
        found = self.name_night(clusters, deleted)
        self.publish(clusters, deleted)
        for table in NAMED:
            assert found[table] == self.connection.execute(f"from {table} order by all").fetchall(), table
        self.published, self.deleted = clusters, deleted


RECORDS = "abcdefghij"
PLACES = st.integers(0, 6)  # where a record is: one of six clusters, or not delivered
MOVES = st.dictionaries(st.sampled_from(RECORDS), PLACES, max_size=2)


@hypothesis_settings(max_examples=6, derandomize=True)
@given(
    first=st.lists(PLACES, min_size=len(RECORDS), max_size=len(RECORDS)),
    nights=st.lists(st.tuples(MOVES, st.sets(st.sampled_from(RECORDS), max_size=1)), min_size=1, max_size=6),
)
def test_naming_what_changed_is_naming_everything(
    connection: DuckDBPyConnection, first: list[int], nights: list[tuple[dict[str, int], set[str]]]
) -> None:
    """One record or two go elsewhere, or are away for some nights, while the other clusters stay as they are."""
    ledger = Nights(connection)
    places = dict(zip(RECORDS, first, strict=True))
    for moves, deleted in [({}, set()), *nights]:
        places |= moves
        clusters = ({record for record, place in places.items() if place == number} for number in range(6))
        ledger.live([cluster for cluster in clusters if cluster], "".join(deleted))
