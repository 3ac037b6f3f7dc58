"""The shipped model for companies: what is compared on two records, in which degrees, and what each degree is worth.

Change here what agreement of companies means. A company knows too few companies to learn from, so the probabilities are
those that are written here; they were set on the sample company and are measured by `python -m benchmarks.identity`.
Which pairs are compared is decided in `account_evidence`, what becomes of them in `accounts`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelines.resolve.comparisons import Comparison, Level, level_of
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRIOR = 1 / 16_384  # that two companies taken at random are one
_ONLY_L = "list_filter(words_l, lambda word: not list_contains(words_r, word))"
_ONLY_R = "list_filter(words_r, lambda word: not list_contains(words_l, word))"
_HAS_ALL = "list_has_all(words_l, words_r) or list_has_all(words_r, words_l)"
# A slip of the keyboard leaves what tells companies of one group apart: Halle 1 and Halle 2, Park I and Park II, Bau
# Ost and Bau West. In words of four letters another one is as likely: Bau and Bad.
_SHORTER = "least(length(pair[1]), length(pair[2]))"
_SLIP_OF_WORD = (
    f"damerau_levenshtein(pair[1], pair[2]) <= case when {_SHORTER} >= 9 then 2 when {_SHORTER} >= 5 then 1 else 0 end"
)
_SLIP = (
    "figures_l = figures_r and case when len(words_l) = len(words_r) "
    f"then list_bool_and(list_transform(list_zip({_ONLY_L}, {_ONLY_R}), lambda pair: {_SLIP_OF_WORD})) "
    "else least(length(name_l), length(name_r)) >= 10 and damerau_levenshtein(name_l, name_r) <= 1 end"
)
_SAME_PLACE = (
    "(postal_code_l = postal_code_r or (city_l = city_r and (postal_code_l is null or postal_code_r is null)))"
)
_CLOSE_STREET = "jaro_winkler_similarity(street_l, street_r) >= 0.9"

COMPARISONS = (
    Comparison(
        "name",
        "name_l is null or name_r is null",
        (
            Level("equal", "name_l = name_r", 0.62, 0.0005),
            Level("the same words in another order", "words_l = words_r", 0.1, 0.0001),
            Level("a slip away", _SLIP, 0.24, 0.0015),
            Level(
                "equal but for the town",
                f"({_HAS_ALL}) and list_has_all(array_concat(town_l, town_r), array_concat({_ONLY_L}, {_ONLY_R}))",
                0.03,
                0.0005,
            ),
            # Two strangers hardly ever share words; the shares are those among companies of one group, who share house
            # and website as well: Nagel and Nagel Verwaltung, Nagel Bau and Nagel Druck.
            Level("one has all words of the other", _HAS_ALL, 0.02, 0.5),
            Level("different", "ELSE", 0.02, 0.4979),
        ),
    ),
    Comparison(
        "legal_form",
        "legal_form_l is null or legal_form_r is null",
        (Level("equal", "legal_form_l = legal_form_r", 0.97, 0.4), Level("different", "ELSE", 0.03, 0.6)),
    ),
    Comparison(
        "domain",
        "domain_l is null or domain_r is null",
        (
            Level("equal", "domain_l = domain_r", 0.85, 0.0005),
            Level("equal but for the ending", "host_l = host_r", 0.03, 0.0005),
            Level("different", "ELSE", 0.12, 0.999),
        ),
    ),
    Comparison(
        "address",
        "(street_l is null or street_r is null) and (postal_code_l is null or postal_code_r is null) "
        "and (city_l is null or city_r is null)",
        (
            Level(
                "street, house number and place equal",
                f"street_l = street_r and house_number_l = house_number_r and {_SAME_PLACE}",
                0.6,
                0.0005,
            ),
            Level(
                "street nearly, house number and place equal",
                f"{_CLOSE_STREET} and house_number_l = house_number_r and {_SAME_PLACE}",
                0.15,
                0.0005,
            ),
            Level("postal code equal", "postal_code_l = postal_code_r", 0.08, 0.01),
            Level("city equal", "city_l = city_r", 0.06, 0.03),
            Level("different", "ELSE", 0.11, 0.959),
        ),
    ),
)


def weigh_company_pairs(connection: DuckDBPyConnection) -> None:
    """Create `weighed` from `company_pairs` (`a`, `b`) and `companies`.

    One row per pair: `match_weight` in bits, `match_probability`, and `reasons`, the part of each field in words.
    """
    columns = sorted(set().union(*(comparison.trained_on for comparison in COMPARISONS)))
    sides = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in columns)
    levels = ", ".join(f"{level_of(c)} as {c.name}_level" for c in COMPARISONS)
    start = math.log2(PRIOR / (1 - PRIOR))
    parts = [_parts(c) for c in COMPARISONS]
    connection.execute(
        f"""
        create table weighed as
        with paired as (
            select a, b, {sides}
            from company_pairs join companies as l on l.n = a join companies as r on r.n = b
        ),
        levels as (
            select a, b, {levels} from paired
        ),
        summed as (
            select a, b, {start}::double + {" + ".join(weight for weight, _ in parts)} as weight,
                concat_ws(', ', {", ".join(text for _, text in parts)}) as reasons
            from levels
        )
        select a, b, round(weight, 4) as match_weight, round(1 / (1 + pow(2, -weight)), 6) as match_probability, reasons
        from summed
        """
    )


def _parts(comparison: Comparison) -> tuple[str, str]:
    """SQL for what a comparison adds to the weight, and for how it is told; a field that is missing adds nothing."""
    weights = [math.log2(level.m / level.u) for level in comparison.levels]
    level = f"{comparison.name}_level"
    field = comparison.name.replace("_", " ")
    weight = " ".join(f"when {i} then {value}" for i, value in enumerate(weights))
    told = " ".join(
        f"when {i} then {literal(f'{field}: {degree.name} ({value:+.1f})')}"
        for i, (degree, value) in enumerate(zip(comparison.levels, weights, strict=True))
    )
    return f"case {level} {weight} else 0 end", f"case {level} {told} end"
