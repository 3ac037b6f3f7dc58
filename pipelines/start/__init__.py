"""A configuration folder for a company that has none yet: valid at once, with what there is to decide as comments.

Add a file here when every company decides it and a company without it could not run; the text is beside this module.
What holds for any company is taken from the shipped `config/` as it is. Nothing of the sample company belongs here.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path
from string import Template

from pipelines.clean.countries import load_countries
from pipelines.configuration import load_configuration
from pipelines.errors import ConfigurationError
from pipelines.extract import SourcesProposal, propose_sources
from pipelines.scratch import scratch_folder
from pipelines.settings import PROJECT_DIR, Settings

OWN = ("company.yml", "sources.yml", "survivorship.yml", "audiences.yml")
# Good for any company as they are shipped. Two further files are left out on purpose: without cleaning.yml and
# buying_center.yml a company has the shipped ones, also those of a later release.
SHIPPED = ("exclusions.yml", "permissions.yml", "identity.yml", "value.yml")
GUESSED = (
    "# What follows was proposed from your files. Decide every line that begins with `# Doubt:`, then take it out.\n#"
)
HOME = "DE"  # where nothing tells a country
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP"}
EXAMPLE = "# The entry below is an example that is switched off; `sources profile FILE` proposes the one of a file.\n#"


@dataclass(frozen=True)
class Started:
    """What was written: names of files, how much is in `sources.yml`, and why files of the company are not in it."""

    files: tuple[str, ...]
    source_count: int
    entity_count: int
    doubt_count: int
    left_out: tuple[str, ...]


def write_configuration(settings: Settings, folder: Path, files: Sequence[Path], *, name: str) -> Started:
    """Write a configuration folder; for files and folders of files with the sources they may be.

    Args:
        settings: limits; nothing is read from its folders or written to them.
        folder: where; made when it is not there.
        files: what the company has.
        name: of the company, and of its only legal entity.

    Raises:
        ConfigurationError: one of the files is there already; nothing is written.
        SourceError: a file cannot be read.
    """
    present = [file for file in (*OWN, *SHIPPED) if (folder / file).exists()]
    if present:
        raise ConfigurationError(
            [
                f"{folder} has {', '.join(present)} already, and init overwrites nothing; name another folder. For a "
                f"further file of this company, `kundenstamm sources profile FILE` prints its entry."
            ]
        )
    quoted = json.dumps(name, ensure_ascii=False)  # as YAML reads it, whatever is in the name
    with scratch_folder(Path(tempfile.gettempdir())) as scratch:
        aside = replace(settings, data_dir=scratch / "data", config_dir=scratch / "config")
        aside.config_dir.mkdir()
        proposal = propose_sources(aside, files, controller=name) if files else None
        entries = proposal.text if proposal else _template("example.yml").substitute(name=quoted)
        values = {
            "name": quoted,
            **_find_home(proposal),
            "lead": GUESSED if proposal else EXAMPLE,
            "entries": entries.rstrip("\n"),
        }
        for file in OWN:
            (aside.config_dir / file).write_text(_template(file).substitute(values), encoding="utf-8")
        for file in SHIPPED:
            shutil.copyfile(PROJECT_DIR / "config" / file, aside.config_dir / file)
        load_configuration(aside)
        folder.mkdir(parents=True, exist_ok=True)
        for file in (*OWN, *SHIPPED):
            with (folder / file).open("x", encoding="utf-8") as written:
                written.write((aside.config_dir / file).read_text(encoding="utf-8"))
    return Started(
        files=(*OWN, *SHIPPED),
        source_count=proposal.source_count if proposal else 0,
        entity_count=proposal.entity_count if proposal else 0,
        doubt_count=proposal.doubt_count if proposal else 0,
        left_out=proposal.left_out if proposal else (),
    )


def _find_home(proposal: SourcesProposal | None) -> dict[str, str]:
    """The country (ISO 3166) and currency (ISO 4217) of most records that name one; what none names is the country's.

    Without a country, that of the template.
    """
    from babel.numbers import get_territory_currencies

    countries = {name.upper(): c.iso2 for c in load_countries() for name in (c.iso2, c.iso3, *c.names)}
    named = proposal.currencies if proposal else {}
    currencies = SYMBOLS | {word: word for word in named if re.fullmatch("[A-Z]{3}", word)}
    country = _mean(proposal.countries if proposal else {}, countries) or HOME
    zones = _list_time_zones(country) or ["UTC"]
    choice = "" if len(zones) == 1 or country == HOME else f"; {country} has {len(zones)}, this is the first"
    return {
        "country": country,
        "currency": _mean(named, currencies) or next(iter(get_territory_currencies(country)), "EUR"),
        "time_zone": zones[0],
        "choice": choice,
    }


def _list_time_zones(country: str) -> list[str]:
    """The time zones of a country (ISO 3166), in the order of the time zone database."""
    table = package_files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return [row[2] for row in rows if row[0] == country]


def _mean(words: Mapping[str, int], meanings: Mapping[str, str]) -> str | None:
    """What more than half of the records mean by their words, if anything."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts[meanings.get(word, "")] += count
    meaning, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return meaning if 2 * count > counts.total() and meaning else None


def _template(file: str) -> Template:
    return Template(Path(__file__).with_name(file).read_text(encoding="utf-8"))
