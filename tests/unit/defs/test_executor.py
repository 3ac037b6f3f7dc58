"""What is imported before the processes of steps are forked."""

from __future__ import annotations

import importlib.util

from pipelines.defs.executor import COPY_WITH, DBT, PUBLISHING, STEPS_OF_DBT, WARM_UP_WITH, list_preloaded


def test_every_module_that_is_imported_ahead_exists() -> None:
    for name in list_preloaded(STEPS_OF_DBT):
        assert importlib.util.find_spec(name), name


def test_dbt_is_imported_only_for_steps_that_run_it() -> None:
    assert set(DBT) <= set(list_preloaded({"stage"}))
    assert not set(DBT) & set(list_preloaded({"resolve_identities"}))


def test_steps_that_are_prepared_for_are_steps_of_the_nightly_job() -> None:
    from pipelines.definitions import defs

    steps = {node.name for node in defs.resolve_job_def("nightly").graph.node_defs}
    assert steps >= {*STEPS_OF_DBT, WARM_UP_WITH, COPY_WITH, PUBLISHING, "resolve_identities"}
