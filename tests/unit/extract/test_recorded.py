"""What vendors and hosted extractors delivered to others: every field is landed, or named as not taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.configuration import Configuration
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import load_source
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.conftest import SHARED_DATA
from tests.unit.extract.connectors.conftest import FIRST_NIGHT

FIXTURES = Path(__file__).parents[2] / "fixtures" / "recorded"
RECORDED = SHARED_DATA / "fixtures"
ENTRIES = [entry for file in sorted(FIXTURES.glob("*.yml")) for entry in yaml.safe_load(file.read_text("utf-8"))]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_every_field_is_landed_or_named_as_not_taken(
    entry: dict[str, Any], tmp_path: Path, settings: Settings, configuration: Configuration
) -> None:
    recorded = RECORDED / entry["file"]
    if not recorded.is_file():
        pytest.skip("the recorded deliveries are not on this machine")
    delivered, count = as_delivered(recorded, tmp_path)
    config = {key: entry[key] for key in ("columns", "key", "defaults") if key in entry}
    source = {
        "name": "recorded",
        "role": entry["role"],
        "controller": configuration.company.controllers[0],
        "path": str(delivered.parent),
        "format": {"decimal": ".", "dates": "ymd", "time_zone": "UTC"},
        "entities": {entry["entity"]: {"path": delivered.name, **config}},
    }
    if entry["role"] == "marketing":
        source["role"] = "crm"  # a source of HubSpot delivers campaigns beside its contacts
    described = replace(configuration, sources_file=SourcesConfig.model_validate({"sources": [source]}))
    (report,) = load_source(settings, described, described.sources[0], run_id="recorded", now=FIRST_NIGHT)
    assert report.counts.delivered == count > 0
    assert report.counts.rejected == entry.get("rejected", 0)
    assert {column.name for column in report.unmapped} == set(entry["not_taken"])
    with connect(settings.landing_file("recorded"), settings, read_only=True) as connection:
        filled = connection.execute(
            f"select count(source_record_id) from {entry['entity']} where source_record_id <> ''"
        ).fetchall()
    assert filled[0][0] == report.counts.new > 0


def as_delivered(recorded: Path, folder: Path) -> tuple[Path, int]:
    """The file itself, or one JSON object a line; and how many records are in it."""
    if recorded.suffix != ".json":
        with recorded.open(encoding="utf-8-sig") as stream:
            return recorded, sum(1 for line in stream if line.strip()) - 1
    content = json.loads(recorded.read_text(encoding="utf-8"))
    found = content if isinstance(content, list) else next(iter(content.values()))
    records = found if isinstance(found, list) else [found]
    file = folder / f"{recorded.stem}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file, len(records)
