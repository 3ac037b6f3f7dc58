"""Two sample companies for all tests of the sample: one as shipped, one in which nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from duckdb import DuckDBPyConnection

from pipelines.sample import generate_sample
from pipelines.sample.company import FORMATS
from pipelines.sample.noise import NOISES
from pipelines.sample.writing import Csv
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal
from tests.sharing import make_once

AS_OF = date.fromisoformat("2026-11-21")
CUSTOMERS = 3000
DIALECTS = {system: form for system, (_, form) in FORMATS.items() if isinstance(form, Csv)}


@pytest.fixture(scope="session")
def sample(shared_folder: Path) -> Path:
    """The sample as shipped; do not change it."""
    return _make_sample(shared_folder / "shipped")


@pytest.fixture(scope="session")
def faultless(shared_folder: Path) -> Path:
    """A sample without any noise; do not change it."""
    return _make_sample(shared_folder / "faultless", {noise.name: 0 for noise in NOISES})


def _make_sample(folder: Path, rates: dict[str, float] | None = None) -> Path:
    def make(partial: Path) -> None:
        generate_sample(partial, customers=CUSTOMERS, seed=1, as_of=AS_OF, rates=rates)

    return make_once(folder, make)


@pytest.fixture(scope="session")
def tables(sample: Path) -> Iterator[DuckDBPyConnection]:
    """Every file of the shipped sample as a table of its own name; do not change them."""
    with loaded(sample) as connection:
        yield connection


@pytest.fixture(scope="session")
def pure(faultless: Path) -> Iterator[DuckDBPyConnection]:
    """Every file of the faultless sample as a table of its own name; do not change them."""
    with loaded(faultless) as connection:
        yield connection


@contextmanager
def loaded(folder: Path) -> Iterator[DuckDBPyConnection]:
    """A database with the files of a sample; CSV is decoded beforehand and stays text."""
    settings = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder.parent / f"{folder.name}-data")})
    with connect(None, settings) as connection, TemporaryDirectory() as texts:
        for file in sorted(folder.glob("*/*.*")):
            if file.suffix == ".csv":
                dialect = DIALECTS.get(file.parent.name, Csv())
                decoded = Path(texts) / file.name
                decoded.write_bytes(file.read_bytes().decode(dialect.encoding).encode())
                relation = (
                    f"read_csv({literal(decoded)}, delim = {literal(dialect.delimiter)}, header = true, "
                    "quote = '\"', escape = '\"', all_varchar = true)"
                )
            elif file.suffix == ".jsonl":
                relation = f"read_json({literal(file)}, format = 'newline_delimited')"
            else:
                relation = f"read_parquet({literal(file)})"
            connection.execute(f"create table {file.stem} as from {relation}")
        yield connection


def figure(database: DuckDBPyConnection, sql: str) -> float:
    """The one number that a query returns."""
    rows = database.execute(sql).fetchall()
    assert len(rows) == 1
    return float(rows[0][0])
