"""A load that dies leaves the old state or the new one, never something between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import duckdb
import pytest

from pipelines.errors import SourceError
from pipelines.extract import Counts, changes
from tests.unit.extract.conftest import Source

# Loads contacts.csv and dies by SIGKILL at the statement that starts with a given text.
DYING_LOAD = """
import json, os, signal, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import duckdb
from pipelines.configuration import load_configuration
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import load_source
from pipelines.settings import Settings

fatal, after, entry = sys.argv[1], sys.argv[2] == "after", json.loads(sys.argv[3])

class Dying:
    def __init__(self, connection):
        self.connection = connection
    def execute(self, query, *parameters):
        hit = query.strip().startswith(fatal)
        if hit and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = self.connection.execute(query, *parameters)
        if hit:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    def __getattr__(self, name):
        return getattr(self.connection, name)

connect = duckdb.connect
duckdb.connect = lambda *args, **options: Dying(connect(*args, **options))
settings = Settings.from_environment()
configuration = replace(
    load_configuration(settings), sources_file=SourcesConfig.model_validate({"sources": [entry]})
)
load_source(settings, configuration, configuration.sources[0], run_id="dying", now=datetime(2026, 2, 1, tzinfo=UTC))
"""


@pytest.mark.parametrize(
    ("fatal", "when", "is_landed"),
    [
        ('delete from "contacts"', "after", False),
        ("insert into loads", "after", False),
        ("insert into cursors", "after", False),
        ("drop table if exists temp", "before", True),
    ],
    ids=["between delete and insert", "after the load record", "after the cursor", "right after the commit"],
)
def test_kill_minus_nine_leaves_the_old_or_the_new_state(
    source: Source, fatal: str, when: str, is_landed: bool
) -> None:
    source.write("id;city\n1;Ulm\n2;Bonn\n")
    source.load()
    before = source.landed("select * from contacts order by 1")
    source.write("id;city\n1;Kiel\n2;Bonn\n3;Jena\n")
    entry = source.configuration().sources[0].model_dump(mode="json", by_alias=True)
    environment = {
        "KUNDENSTAMM_DATA_DIR": str(source.settings.data_dir),
        "KUNDENSTAMM_CONFIG_DIR": str(source.settings.config_dir),
        "KUNDENSTAMM_THREADS": "1",
        "PATH": os.environ["PATH"],
    }
    died = subprocess.run(
        [sys.executable, "-c", DYING_LOAD, fatal, when, json.dumps(entry)], env=environment, check=False
    )
    assert died.returncode == -signal.SIGKILL
    after = source.landed("select * from contacts order by 1")
    if is_landed:
        assert [row[0] for row in after] == ["1", "2", "3"]
        assert source.load().status == "unchanged"
    else:
        assert after == before
        assert source.landed("select count(*) from loads") == [(1,)]
        counts = source.load().counts
        assert (counts.new, counts.changed, counts.unchanged) == (1, 1, 1)


def test_counts_that_do_not_add_up_land_nothing(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.write("id;city\n1;Ulm\n")
    source.load()
    apply = changes._apply

    def lose_a_row(connection, *arguments):  # type: ignore[no-untyped-def]
        apply(connection, *arguments)
        connection.execute("delete from contacts where source_record_id = '2'")

    monkeypatch.setattr(changes, "_apply", lose_a_row)
    source.write("id;city\n1;Ulm\n2;Bonn\n3;Kiel\n")
    with pytest.raises(SourceError, match="do not equal what was delivered"):
        source.load()
    assert source.landed("select source_record_id from contacts") == [("1",)]


def test_an_amount_that_changes_on_the_way_lands_nothing(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.entity, source.role, source.file = "orders", "shop", "orders.csv"
    apply = changes._apply

    def add_a_cent(connection, *arguments):  # type: ignore[no-untyped-def]
        apply(connection, *arguments)
        connection.execute("update orders set total_amount = total_amount + 0.01 where source_record_id = '2'")

    monkeypatch.setattr(changes, "_apply", add_a_cent)
    source.write("id;total_amount\n1;10.50\n2;20.25\n")
    with pytest.raises(SourceError, match="do not equal what was delivered"):
        source.load()


def test_a_delivery_that_changes_nothing_writes_no_record(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []

    class Watched:
        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def execute(self, query: str, *parameters: Any) -> Any:
            statements.append(query.strip())
            return self.connection.execute(query, *parameters)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

    def written() -> list[str]:
        targets = (
            'insert into "contacts',
            'update "contacts"',
            'delete from "contacts"',
            "insert into rej",
            "update rej",
        )
        found = [s for s in statements if s.startswith(targets)]
        statements.clear()
        return found

    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *args, **options: Watched(connect(*args, **options)))
    source.write("id;city\n1;Ulm\n2;Bonn\n")
    source.load()
    assert len(written()) == 1
    source.write("id;city\n2;Bonn\n1;Ulm\n")
    assert source.load().counts == Counts(delivered=2, unchanged=2)
    assert written() == []
    source.write("id;city\n1;Ulm\n2;Kiel\n")
    source.load()
    assert len(written()) == 3
