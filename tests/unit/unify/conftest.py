"""One build of all marts for all tests of unify: each test module states its own facts, about customers of its own."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.configuration import load_configuration
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.transform import NodeResult
from pipelines.warehouse import connect
from tests.unit.unify.world import World, build_marts

MODULES = (
    "test_accounts",
    "test_attributes",
    "test_carts",
    "test_customers",
    "test_deals",
    "test_exclusions",
    "test_golden_record",
    "test_households",
    "test_invoices",
    "test_order_discounts",
    "test_permissions",
    "test_revenue",
    "test_timeline",
    "test_touches",
    "test_web_sessions",
)


@dataclass(frozen=True)
class Marts:
    """What was built: where it is, and how each model and data test ended."""

    settings: Settings
    results: dict[str, NodeResult]


@pytest.fixture(scope="session")
def marts(staged_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    root: Path = tmp_path_factory.mktemp("unify")
    settings = Settings.from_environment(
        {
            "KUNDENSTAMM_DATA_DIR": str(root),
            "KUNDENSTAMM_CONFIG_DIR": str(PROJECT_DIR / "config"),
            "KUNDENSTAMM_MEMORY_LIMIT": "1GB",
            "KUNDENSTAMM_THREADS": "1",
        }
    )
    settings.build_dir.mkdir(parents=True)
    shutil.copy(staged_warehouse, settings.build_warehouse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUNDENSTAMM_SECRET", "0" * 64)
        with connect(settings.build_warehouse, settings) as connection:
            world = World(connection, settings, load_configuration(settings))
            for module in MODULES:
                importlib.import_module(f"tests.unit.unify.{module}").state_facts(world)
        yield Marts(settings, build_marts(settings))
