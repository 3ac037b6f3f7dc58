"""Splink used plainly, as its tutorial does it: its own comparisons and training, clusters of everything above 0.95.

Change nothing here to help a set: what is measured is what somebody gets who follows the tutorial on these columns.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIELDS = ("first_name", "last_name", "birth_date", "email", "phone", "street", "postal_code", "city")
THRESHOLD = 0.95


def cluster_plainly(connection: DuckDBPyConnection) -> None:
    """Create `plain_members` (`record_key`, `customer_id`) from `clean.persons`."""
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    counts = connection.execute(f"select {', '.join(f'count({f})' for f in FIELDS[:3])}, count(email_match), "
        f"{', '.join(f'count({f})' for f in FIELDS[4:])} from clean.persons").fetchone()  # fmt: skip
    filled = [field for field, count in zip(FIELDS, counts or (), strict=False) if count]
    connection.execute(
        "create or replace table plain_persons as select record_key as unique_id, lower(first_name) as first_name, "
        "lower(last_name) as last_name, birth_date::text as birth_date, email_match as email, phone, "
        "lower(street) as street, postal_code, lower(city) as city from clean.persons"
    )
    comparisons: dict[str, Any] = {
        "first_name": cl.NameComparison("first_name"),
        "last_name": cl.NameComparison("last_name"),
        "birth_date": cl.DateOfBirthComparison("birth_date", input_is_string=True),
        "email": cl.EmailComparison("email"),
        "phone": cl.ExactMatch("phone"),
        "street": cl.JaroWinklerAtThresholds("street", [0.9]),
        "postal_code": cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
        "city": cl.ExactMatch("city").configure(term_frequency_adjustments=True),
    }
    rules = [("first_name", "last_name"), ("last_name", "birth_date"), ("first_name", "birth_date"), ("email",)]
    rules += [("postal_code", "last_name"), ("first_name", "city")]
    usable = [block_on(*rule) for rule in rules if set(rule) <= set(filled)]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparisons[f] for f in filled],
        blocking_rules_to_generate_predictions=usable,
    )
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register("plain_persons"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [
            block_on(*rule)
            for rule in (("first_name", "last_name", "birth_date"), ("email",))
            if set(rule) <= set(filled)
        ],
        recall=0.7,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (("first_name", "last_name"), ("birth_date",)):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    predictions = linker.inference.predict(threshold_match_probability=0.2)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, THRESHOLD)
    connection.execute(
        "create or replace table plain_members as "
        f"select unique_id as record_key, cluster_id as customer_id from {clusters.physical_name}"
    )
