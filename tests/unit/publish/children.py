"""What child processes of these tests do: publish until killed, publish on a full disk, read all night long."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipelines.build import current_build
from pipelines.configuration import load_configuration
from pipelines.errors import KundenstammError
from pipelines.publish import open_reader
from pipelines.settings import PROJECT_DIR, Settings
from tests.unit.publish.builds import publish

# Sorts more than fits into the memory of a reader, so that it must spill.
SPILLING_QUERY = """
    select count(*), max(place) from (
        select row_number() over (order by md5(customer_id), customer_id) as place from marts.customers
    )
"""


def start_child(settings: Settings, task: str, *arguments: object) -> subprocess.Popen[str]:
    """Run one of the functions below in a process of its own, on the same folders."""
    environment = {
        **os.environ,
        "KUNDENSTAMM_DATA_DIR": str(settings.data_dir),
        "KUNDENSTAMM_CONFIG_DIR": str(settings.config_dir),
        "KUNDENSTAMM_MEMORY_LIMIT": settings.memory_limit,
        "KUNDENSTAMM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.publish.children", task, *map(str, arguments)],
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def publish_open_build(die_after: str = "") -> None:
    """Publish; with a phase, be killed the moment it is done."""
    settings = Settings.from_environment()
    build = current_build(settings)

    def on_phase(phase: str) -> None:
        if phase == die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    publish(settings, load_configuration(settings), build, on_phase=on_phase)


def publish_on_full_disk(largest_file: str) -> None:
    """Publish where no file may grow beyond so many bytes, and print the sentence that comes of it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
    try:
        publish_open_build()
    except KundenstammError as error:
        print(error)


def read_until(stop: str, log: str) -> None:
    """Open the published version again and again, and note which one each whole session saw."""
    settings = Settings.from_environment()
    with Path(log).open("a", buffering=1) as notes:
        while not Path(stop).exists():
            with open_reader(settings) as connection:
                before = connection.execute("select version from meta.version").fetchone()
                count, last = connection.execute(SPILLING_QUERY).fetchone() or (0, 0)
                after = connection.execute("select version from meta.version").fetchone()
            assert before is not None
            assert before == after
            assert count == last
            notes.write(f"{before[0]} {count}\n")
            time.sleep(0.3)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
