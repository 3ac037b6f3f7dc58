"""A company of any size: its people are made in chunks of a fixed size, each with random streams of its own.

Chunks are independent of each other, so they are made side by side and their files joined in order: the bytes do not
depend on the number of processes, and memory does not grow with the number of people.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pipelines.sample.chance import CHUNK_PERSONS, Calendar, Chance
from pipelines.sample.company import create_company, write_tables
from pipelines.sample.noise import Rates
from pipelines.sample.writing import join_parts


def write_company(
    customers: int,
    seed: int,
    calendar: Calendar,
    rates: Rates,
    folder: Path,
    *,
    chunk_persons: int = CHUNK_PERSONS,
    processes: int | None = None,
) -> dict[str, int]:
    """Write the files of that many real people below `folder`, which exists; return the number of rows by file.

    Args:
        chunk_persons: people of a chunk, at most `CHUNK_PERSONS`; another number makes another company.
        processes: how many chunks are made side by side; as many as there are cores unless said otherwise.
    """
    arguments = [
        (min(chunk_persons, customers - first), Chance(seed, chunk), calendar, rates, folder / f".part-{chunk:04}")
        for chunk, first in enumerate(range(0, customers, chunk_persons))
    ]
    total: dict[str, int] = {}
    for rows in _run(arguments, min(processes or os.cpu_count() or 1, len(arguments))):
        for name, count in rows.items():
            total[name] = total.get(name, 0) + count
    for name in total:
        (folder / name).parent.mkdir(exist_ok=True)
        join_parts([part for *_, parts in arguments if (part := parts / name).exists()], folder / name)
    for *_, parts in arguments:
        shutil.rmtree(parts)
    return total


Arguments = tuple[int, Chance, Calendar, Rates, Path]


def _run(arguments: list[Arguments], processes: int) -> Iterable[dict[str, int]]:
    if processes == 1:
        return map(_write_chunk, arguments)
    # Forked processes would share the locks of threads that the libraries have started.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(_write_chunk, arguments))


def _write_chunk(arguments: Arguments) -> dict[str, int]:
    size, chance, calendar, rates, folder = arguments
    folder.mkdir()
    return write_tables(create_company(size, calendar, chance, rates), folder, is_first=chance.chunk == 0)
