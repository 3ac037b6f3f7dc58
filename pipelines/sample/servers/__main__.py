"""Run a command while the sample company's vendors are there: python -m pipelines.sample.servers SAMPLE COMMAND ...

The command finds a configuration whose CRM, shop and support are at the vendors' servers. Add nothing here that a
server or the pipeline should know.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from pipelines.configuration import load_configuration
from pipelines.configuration.documents import read_document
from pipelines.extract import load_source
from pipelines.sample.servers.vendors import list_vendor_sources, running_vendors
from pipelines.settings import Settings


def main() -> int:
    """The exit code of the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.sample.servers", description=__doc__.split(":")[0])
    parser.add_argument("sample", type=Path, help="the folder of a sample company")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    folder = settings.data_dir / "config"
    write_configuration(settings.config_dir, folder)
    with running_vendors(arguments.sample.absolute()) as vendors:
        environment = {**vendors.environment, "KUNDENSTAMM_CONFIG_DIR": str(folder)}
        os.environ.update(environment)
        addresses = ", ".join(f"{name} on {server.url}" for name, server in vendors.servers.items())
        print(f"The vendors of the sample company: {addresses}.")
        land_crm(replace(settings, config_dir=folder))
        merged_count = vendors.merge_contacts()
        print(f"The CRM was read the night before; since then {merged_count} contacts were merged.")
        finished = subprocess.run(arguments.command, check=False)
        for line in tell_requests({name: len(server.requests) for name, server in vendors.servers.items()}):
            print(line)
    return finished.returncode


def write_configuration(shipped: Path, folder: Path) -> None:
    """The shipped configuration with the vendors in sources.yml."""
    shutil.copytree(shipped, folder, dirs_exist_ok=True)
    sources = list_vendor_sources(read_document(shipped / "sources.yml").data["sources"])
    text = yaml.safe_dump({"sources": sources}, allow_unicode=True, sort_keys=False)
    (folder / "sources.yml").write_text(text, encoding="utf-8")


def land_crm(settings: Settings) -> None:
    """A night before: what HubSpot forgets of a contact that is merged is known from earlier reads only."""
    configuration = load_configuration(settings)
    now = datetime.now(UTC) - timedelta(days=1)
    load_source(settings, configuration, configuration.source("crm"), run_id="the-night-before", now=now, full=True)


def tell_requests(counts: Mapping[str, int]) -> list[str]:
    return [f"{name} answered {count:,} requests." for name, count in counts.items()]


if __name__ == "__main__":
    raise SystemExit(main())
