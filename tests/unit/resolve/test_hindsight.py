"""What is told of a record afterwards is what the run compared, whatever was silenced, folded or left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.clean.persons import COMPARED_COLUMNS
from pipelines.resolve.hindsight import compared_again
from pipelines.resolve.model import read_model
from pipelines.resolve.weights import weigh_pairs
from pipelines.settings import Settings
from tests.unit.resolve.conftest import Resolve, Resolved, make_build, read_kept
from tests.unit.resolve.test_resolve import make_people

DEFAULT_DATE = date(1970, 1, 1)
JOHN = {"first_name": "Johannes", "last_name": "Brandner", "birth_date": date(1961, 5, 4), "city": "Ulm"}
INES = {"first_name": "Ines", "last_name": "Falkner", "email": "ines.falkner@y.de", "postal_code": "01067"}
# Records, by what is special about them.
SPECIAL: dict[str, list[dict[str, Any]]] = {
    "a pet form, a title, and names that are swapped": [
        JOHN,
        {**JOHN, "first_name": "Hans", "phone": "+4930777001"},
        {**JOHN, "first_name": "Dr. Johannes", "email": "johannes@y.de"},
        {**JOHN, "first_name": "Brandner", "last_name": "Johannes", "email": "brandner@y.de"},
    ],
    "identifiers, of which one had to be filled in": [
        {"first_name": "Ute", "last_name": "Sander", "identifiers": '{"loyalty": "4711", "club": "0000"}'},
        {"first_name": "Utte", "last_name": "Sander", "identifiers": '{"loyalty": "4711"}', "city": "Ulm"},
    ],
    "a mailbox in another form, and one that is blocked": [
        {**INES, "email": "Ines.Falkner+x@y.de", "email_match": INES["email"]},
        INES,
        {**INES, "first_name": "Inez", "email": "info@y.de"},
    ],
    "a record that its source merged away, one into nobody, a role mailbox, and a mark of generation": [
        {"first_name": "Kuno", "last_name": "Ritter", "merged_into_record_key": "r_00000a", "email": "kr@y.de"},
        {"first_name": "Kuno", "last_name": "Ritter", "merged_into_record_key": "r_not_there", "email": "kr@y.de"},
        {"kind": "role_mailbox", "email": "versand@y.de"},
        {"first_name": "Hans", "last_name": "Wiegand jun.", "email": "hw@y.de"},
    ],
    "a further mailbox that a crowd has": [{"first_name": "Gesa", "last_name": "Lutz", "further_email": "crowd@y.de"}],
}
CROWD = 50  # names on one mailbox, two phones and one address
HARBOR = {"street": "Hafenstr.", "house_number": "1", "postal_code": "20457", "city": "Hamburg"}
OF_A_CROWD = {"email": "crowd@y.de", "phone": "+4930999999", "mobile": "+4930888888", **HARBOR}


@pytest.fixture
def resolved(resolve: Resolve) -> Resolved:
    """People, of whom every fortieth record has a default birth date, a crowd, and records that are special."""
    people = [{**row, "birth_date": DEFAULT_DATE} if i % 40 == 0 else row for i, row in enumerate(make_people(300))]
    crowd = [
        {
            **person,
            **OF_A_CROWD,
            "record_key": f"c_{i:03}",
        }
        for i, person in enumerate(make_people(CROWD, seed=3)[::2])
    ]
    special = [row for rows in SPECIAL.values() for row in rows]
    return resolve([*people, *crowd, *({"record_key": f"s_{i:02}", **row} for i, row in enumerate(special))])


@contextmanager
def _published(warehouse: DuckDBPyConnection) -> Iterator[None]:
    """What of a version is read, under the names of its files."""
    warehouse.execute(
        f"""
        attach ':memory:' as restricted; attach ':memory:' as state; create schema restricted.audit;
        create view restricted.audit.compared_persons as
        select {", ".join(COMPARED_COLUMNS)} from warehouse.clean.persons;
        create view restricted.audit.silenced_values as from warehouse.identity.silenced_values;
        create view state.model as from warehouse.identity.model;
        create view state.model_frequencies as from warehouse.identity.model_frequencies
        """
    )
    yield
    warehouse.execute("detach restricted; detach state")


@pytest.mark.usefixtures("resolved")
def test_of_every_record_all_is_told_that_the_run_compared(warehouse: DuckDBPyConnection, settings: Settings) -> None:
    seen = dict(read_kept(warehouse, settings)["compared"])
    keys = [key for (key,) in warehouse.execute("select record_key from clean.persons").fetchall()]
    told: list[tuple[str, int]] = []
    with _published(warehouse):
        for some in (keys[::2], keys[1::2]):  # nothing follows from who is asked about beside a record
            with compared_again(warehouse, some, make_build().as_of):
                told += warehouse.execute("select record_key, content from compared").fetchall()
    assert sorted(told) == sorted(seen.items())
    assert len(keys) - len(seen) == 2  # merged away, and a role mailbox


@pytest.mark.usefixtures("resolved")
def test_what_is_silenced_is_told_with_its_reason(warehouse: DuckDBPyConnection) -> None:
    silenced = warehouse.execute("select kind, value, problem from identity.silenced_values order by all").fetchall()
    assert silenced == [
        ("address", "20457 hafenstr 1", "too_many_birth_dates"),
        ("birth_date", "1970-01-01", "default_date"),
        ("club", "0000", "blocked"),
        ("email", "crowd@y.de", "too_many_names"),
        ("email", "info@y.de", "blocked"),
        ("phone", "+4930888888", "too_many_names"),
        ("phone", "+4930999999", "too_many_names"),
    ]


def test_the_parts_of_every_weighed_link_add_up_to_its_weight(
    resolved: Resolved, warehouse: DuckDBPyConnection
) -> None:
    weights = {
        (link["record_key_a"], link["record_key_b"]): link["match_weight"]
        for link in [*resolved.links, *resolved.refused]
        if link["method"] == "probabilistic"
    }
    assert len(weights) > 50
    assert any("s_" in a + b for a, b in weights)
    keys = sorted({key for pair in weights for key in pair})
    with _published(warehouse):
        model = read_model(warehouse, "state.model")
        assert model is not None
        assert model.is_learned
        with compared_again(warehouse, keys, make_build().as_of):
            weighed = weigh_pairs(warehouse, model, weights)
    assert {pair: found.weight for pair, found in weighed.items()} == pytest.approx(weights, abs=1e-4)
