"""The shipped model: what is compared on two records, in which degrees, and what each degree is worth untrained.

Change here what agreement means. `training` replaces the probabilities by learned ones where the data allows it; pairs
are found in `blocking`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes:
        name: in plain words.
        condition: SQL over the columns of two profiles, suffixed `_l` and `_r`.
        m: share of pairs of one person that reach this degree (and none before it).
        u: share of pairs of two persons that do.
        frequency_of: the column whose rare values count for more.
        is_rare: `u` is not learned, because no sample holds enough of it.
        is_difference: who reaches no better degree differs clearly; the last level always says so.
    """

    name: str
    condition: str
    m: float
    u: float
    frequency_of: str | None = None
    is_rare: bool = False
    is_difference: bool = False


@dataclass(frozen=True)
class Comparison:
    """One field: missing on either side it is neutral.

    Attributes:
        name: of the field.
        missing: SQL, true when nothing can be compared.
        levels: best first; the last is `ELSE`.
        most_disagreeing: upper bound of the trained `m` of a difference. Training cannot tell apart persons of one
            household who share everything but this field, so it may believe that the field does not matter.
    """

    name: str
    missing: str
    levels: tuple[Level, ...]
    most_disagreeing: float = 0.6

    @property
    def m(self) -> list[float]:
        return [level.m for level in self.levels]

    @property
    def u(self) -> list[float]:
        return [level.u for level in self.levels]

    @property
    def differing(self) -> float:
        """The share of pairs of one person that differ clearly."""
        return sum(level.m for level in self.levels[self.first_difference :])

    @property
    def first_difference(self) -> int:
        """The position of the best level that is a difference."""
        marked = [i for i, level in enumerate(self.levels) if level.is_difference]
        return marked[0] if marked else len(self.levels) - 1

    @property
    def trained_on(self) -> set[str]:
        """All columns of the conditions: a block that fixes one of them says nothing about this comparison."""
        text = " ".join([self.missing, *(level.condition for level in self.levels)])
        return set(re.findall(r"(\w+)_[lr]\b", text))

    def with_probabilities(self, m: list[float], u: list[float]) -> Comparison:
        """The same comparison with other probabilities, one per level."""
        levels = tuple(replace(level, m=a, u=b) for level, a, b in zip(self.levels, m, u, strict=True))
        return replace(self, levels=levels)


SHORTEST_SPELLING = 4  # letters
RAREST = 0.00001  # no value counts as rarer, so that one in common never decides alone


def _is_missing(column: str) -> str:
    return f"({column}_l is null or {column}_r is null)"


def _cheaply(gate: str, condition: str) -> str:
    """The condition, looked at only where the gate is open: DuckDB evaluates both sides of an AND for every row."""
    return f"case when {gate} then {condition} else false end"


def _is_close(column: str) -> str:
    # Counting slips is ten times as dear as the similarity, which is never lower than this where there is only one.
    similarity = f"jaro_winkler_similarity({column}_l, {column}_r)"
    slip = _cheaply(f"{similarity} >= 0.7", f"damerau_levenshtein({column}_l, {column}_r) <= 1")
    return f"({similarity} >= 0.9 or (least(length({column}_l), length({column}_r)) >= 4 and {slip}))"


def _is_respelled(spelling: str) -> str:
    """One name in two spellings, such as Leila and Layla, more than a slip apart; Lea and Lia are too short for it."""
    return f"(length({spelling}_l) >= {SHORTEST_SPELLING} and {spelling}_l = {spelling}_r)"


def _is_alike(column: str) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.8"


# Namesakes have mailboxes of their names and a number: another number is another mailbox, however near.
_EMAIL_NEAR = (
    "email_digits_l = email_digits_r and abs(length(email_plain_l) - length(email_plain_r)) <= 3 "
    "and jaro_winkler_similarity(email_plain_l, email_plain_r) >= 0.85"
)
_EMAIL_SLIP = _cheaply(
    _EMAIL_NEAR,
    "email_plain_l <> email_plain_r and damerau_levenshtein(email_plain_l, email_plain_r) <= 2",
)
_EMAIL_ALIKE = _cheaply(_EMAIL_NEAR, "damerau_levenshtein(email_plain_l, email_plain_r) <= 3")
_BIRTH_SLIP = _cheaply(
    "hamming(birth_date_l, birth_date_r) <= 2", "damerau_levenshtein(birth_date_l, birth_date_r) <= 1"
)
SWAPPED = _cheaply(
    "first_name_l[1] = last_name_r[1] and last_name_l[1] = first_name_r[1] and first_name_l <> last_name_l",
    "jaro_winkler_similarity(first_name_l, last_name_r) >= 0.88 "
    "and jaro_winkler_similarity(last_name_l, first_name_r) >= 0.88",
)
# One of them has the last name where the other has the first, and says no more.
_STANDS_AS_FIRST_NAME = _cheaply(
    "first_name_l is null or first_name_r is null",
    "coalesce(first_name_l, last_name_l) = coalesce(last_name_r, '') "
    "or coalesce(first_name_r, last_name_r) = last_name_l",
)
_SAME_STREET = "street_l = street_r"
_SAME_PLACE = "(postal_code_l = postal_code_r or city_l = city_r)"
_SAME_HOUSE = "house_number_l = house_number_r"
_CLOSE_STREET = "jaro_winkler_similarity(street_l, street_r) >= 0.88"
_CLOSE_ADDRESS = _cheaply(f"{_SAME_HOUSE} and {_SAME_PLACE}", _CLOSE_STREET)
_CLOSE_HOUSE = _cheaply(_SAME_HOUSE, _CLOSE_STREET)


COMPARISONS = (
    Comparison(
        "first_name",
        _is_missing("first_name"),
        (
            Level("equal", "first_name_l = first_name_r", 0.79, 0.005, "first_name"),
            Level("first and last name swapped", SWAPPED, 0.02, 0.000005, is_rare=True),
            Level(
                "a slip away, or one name in another spelling",
                f"{_is_close('first_name')} or {_is_respelled('first_spelling')}",
                0.12,
                0.006,
            ),
            Level(
                "a pet form",
                "(list_contains(stands_for_l, first_name_r) or list_contains(stands_for_r, first_name_l))",
                0.02,
                0.002,
            ),
            Level(
                "shortened",
                "starts_with(first_name_l, first_name_r) or starts_with(first_name_r, first_name_l) or "
                "ends_with(first_name_l, first_name_r) or ends_with(first_name_r, first_name_l)",
                0.02,
                0.004,
            ),
            Level("alike", _is_alike("first_name"), 0.01, 0.01),
            Level("different", "ELSE", 0.02, 0.973),
        ),
        most_disagreeing=0.15,
    ),
    Comparison(
        "last_name",
        f"{_is_missing('last_name')} or ({SWAPPED})",  # the swap is counted once, with the first name
        (
            Level("equal", "last_name_l = last_name_r", 0.84, 0.002, "last_name"),
            Level(
                "a slip away, or one name in another spelling",
                f"{_is_close('last_name')} or {_is_respelled('last_spelling')}",
                0.08,
                0.004,
            ),
            Level("sounds alike", "last_sound_l = last_sound_r", 0.01, 0.003),
            Level(
                "one contains the other",
                "least(length(last_name_l), length(last_name_r)) >= 4 and "
                "(contains(last_name_l, last_name_r) or contains(last_name_r, last_name_l))",
                0.02,
                0.001,
            ),
            Level("the other's first name", _STANDS_AS_FIRST_NAME, 0.01, 0.0005),
            Level("alike", _is_alike("last_name"), 0.01, 0.01),
            Level("different", "ELSE", 0.03, 0.9795),
        ),
        most_disagreeing=0.2,
    ),
    Comparison(
        "birth_date",
        _is_missing("birth_date"),
        (
            Level("equal", "birth_date_l = birth_date_r", 0.93, 0.00005),
            Level(
                "a slip away, or day and month swapped",
                f"{_BIRTH_SLIP} or (birth_date_l[1:4] = birth_date_r[1:4] "
                "and birth_date_l[5:6] = birth_date_r[7:8] and birth_date_l[7:8] = birth_date_r[5:6])",
                0.05,
                0.002,
            ),
            Level(
                "two slips away, or within a month",
                "(hamming(birth_date_l, birth_date_r) <= 2 or abs(birth_day_l - birth_day_r) <= 31)",
                0.01,
                0.02,
                is_difference=True,
            ),
            Level("within ten years", "abs(birth_day_l - birth_day_r) <= 3653", 0.005, 0.28, is_difference=True),
            Level("different", "ELSE", 0.005, 0.69795),
        ),
        most_disagreeing=0.5,
    ),
    Comparison(
        "email",
        _is_missing("email"),
        (
            Level("equal", "email_l = email_r", 0.75, 0.00005),
            Level("same before the @", "email_user_l = email_user_r", 0.06, 0.0002),
            Level("a slip away", _EMAIL_SLIP, 0.06, 0.0005),
            Level("alike", _EMAIL_ALIKE, 0.01, 0.005),
            Level("same behind the @", "email_domain_l = email_domain_r", 0.08, 0.08, "email_domain"),
            Level("different", "ELSE", 0.04, 0.91425),
        ),
    ),
    Comparison(
        "phone",
        "(phones_l is null or phones_r is null)",
        (
            Level("one in common", "list_has_any(phones_l, phones_r)", 0.78, 0.00005),
            Level("different", "ELSE", 0.22, 0.99995),
        ),
    ),
    Comparison(
        "identifier",
        "not coalesce(list_has_any(identifier_kinds_l, identifier_kinds_r), false)",
        (
            Level("one in common", "list_has_any(identifier_values_l, identifier_values_r)", 0.85, 0.000005),
            Level("different", "ELSE", 0.15, 0.999995),
        ),
    ),
    Comparison(
        "address",
        f"{_is_missing('street')} and {_is_missing('postal_code')} and {_is_missing('city')}",
        (
            Level(
                "street, house number and place equal",
                f"{_SAME_STREET} and {_SAME_HOUSE} and {_SAME_PLACE}",
                0.55,
                0.00005,
            ),
            Level(
                "street and place, nearly",
                f"({_SAME_STREET} and {_SAME_PLACE}) or ({_CLOSE_ADDRESS}) or ({_SAME_STREET} and {_SAME_HOUSE})",
                0.17,
                0.0003,
            ),
            Level("postal code and city equal", "postal_code_l = postal_code_r and city_l = city_r", 0.04, 0.002),
            Level("postal code equal", "postal_code_l = postal_code_r", 0.03, 0.002, "postal_code"),
            Level("city equal", "city_l = city_r", 0.05, 0.02, "city"),
            Level("street equal", f"{_SAME_STREET} or ({_CLOSE_HOUSE})", 0.03, 0.004),
            Level("different", "ELSE", 0.13, 0.97165),
        ),
    ),
)


# What follows from other columns of a profile and is compared as well: SQL over these.
DERIVED = {
    "last_sound": "sound_of(last_name)",
    "birth_day": "epoch_ms(strptime(birth_date, '%Y%m%d'))::bigint // 86400000",
    "email_user": "telling_user(email, first_name, last_name)",
    "email_plain": "without_dots(email)",
    "email_digits": "digits_of(email)",
    "email_domain": "nullif(split_part(email, '@', 2), '')",
}

# Whose rare values count for more.
FREQUENCY_COLUMNS = tuple(
    level.frequency_of for comparison in COMPARISONS for level in comparison.levels if level.frequency_of
)


def level_of(comparison: Comparison) -> str:
    """SQL for the position of the level that two profiles reach, -1 when nothing can be compared."""
    reached = " ".join(f"when {level.condition} then {i}" for i, level in enumerate(comparison.levels[:-1]))
    return f"case when {comparison.missing} then -1 {reached} else {len(comparison.levels) - 1} end"


def splink_settings(comparisons: tuple[Comparison, ...], prior: float) -> dict[str, Any]:
    """Splink's settings for profiles of one table; pairs are handed over, so the blocking rule is a formality."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "n",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": ["l.n = r.n"],
        "comparisons": [
            {
                "output_column_name": comparison.name,
                "comparison_levels": [
                    {"sql_condition": comparison.missing, "label_for_charts": "missing", "is_null_level": True},
                    *(_splink_level(level) for level in comparison.levels),
                ],
            }
            for comparison in comparisons
        ],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": False,
    }


def _splink_level(level: Level) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "sql_condition": level.condition,
        "label_for_charts": level.name,
        "m_probability": level.m,
        "u_probability": level.u,
    }
    if level.frequency_of:
        settings["tf_adjustment_column"] = level.frequency_of
        settings["tf_minimum_u_value"] = RAREST
    return settings
