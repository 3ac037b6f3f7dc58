"""A company of any size: its people are made in chunks of a fixed size, each with random streams of its own.

Chunks are independent of each other, so they are made side by side and their files joined in order: the bytes do not
depend on the number of processes, and memory does not grow with the number of people.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pipelines.sample.chance import CHUNK_PERSONS, Calendar, Chance
from pipelines.sample.company import (
    Tables,
    create_company,
    export_systems,
    run_systems,
    tell_truth,
    write_tables,
)
from pipelines.sample.deliveries import Days
from pipelines.sample.folder import name_day
from pipelines.sample.noise import Rates
from pipelines.sample.past import Past
from pipelines.sample.writing import join_parts, open_engine


def write_company(
    customers: int,
    seed: int,
    calendar: Calendar,
    rates: Rates,
    folder: Path,
    *,
    days: int = 0,
    chunk_persons: int = CHUNK_PERSONS,
    processes: int | None = None,
) -> dict[str, int]:
    """Write the files of that many real people below `folder`, which exists; return the number of rows by file.

    Args:
        rates: of all noises, and of the mishaps of deliveries when there are days.
        days: that many daily deliveries after the first one, each in a folder of its own; 0 for one delivery only.
        chunk_persons: people of a chunk, at most `CHUNK_PERSONS`; another number makes another company.
        processes: how many chunks are made side by side; as many as there are cores unless said otherwise.
    """
    arguments = [
        (
            min(chunk_persons, customers - first),
            Chance(seed, chunk),
            calendar,
            rates,
            days,
            folder / f".part-{chunk:04}",
        )
        for chunk, first in enumerate(range(0, customers, chunk_persons))
    ]
    total: dict[str, int] = {}
    for rows in _run(arguments, min(processes or os.cpu_count() or 1, len(arguments))):
        for name, count in rows.items():
            total[name] = total.get(name, 0) + count
    for name in total:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        join_parts([part for *_, parts in arguments if (part := parts / name).exists()], folder / name)
    for *_, parts in arguments:
        shutil.rmtree(parts)
    return total


Arguments = tuple[int, Chance, Calendar, Rates, int, Path]


def _run(arguments: list[Arguments], processes: int) -> Iterable[dict[str, int]]:
    if processes == 1:
        return map(_write_chunk, arguments)
    # Forked processes would share the locks of threads that the libraries have started.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(_write_chunk, arguments))


def _write_chunk(arguments: Arguments) -> dict[str, int]:
    size, chance, calendar, rates, days, folder = arguments
    folder.mkdir()
    is_first = chance.chunk == 0
    with open_engine(folder) as engine:
        if not days:
            return write_tables(create_company(size, calendar, chance, rates), folder, engine, is_first=is_first)
        written: dict[str, int] = {}
        for name, tables in _deliver(size, chance, calendar, rates, days):
            (folder / name).mkdir(exist_ok=True)
            rows = write_tables(tables, folder / name, engine, is_first=is_first)
            written |= {(Path(name) / file).as_posix(): count for file, count in rows.items()}
    return written


def _deliver(size: int, chance: Chance, calendar: Calendar, rates: Rates, count: int) -> Iterator[tuple[str, Tables]]:
    """The tables of every day with the name of their folder, and the truth about all of them."""
    systems, days = run_systems(size, calendar, chance, rates), Days(calendar, count)
    past = Past(systems, days, chance, rates)
    for day in days.earlier():
        yield name_day(day.number, count), export_systems(past.on(day), calendar)
    yield name_day(count, count), export_systems(systems, calendar)
    yield "", {**tell_truth(past.systems, calendar), **past.tell_truth()}
