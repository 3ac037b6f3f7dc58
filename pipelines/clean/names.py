"""The rules for names: titles and salutations out of the name, whole names into parts, casing, swapped parts.

Add a rule to its block in `BLOCKS`, or a block with its entry in `pipelines.configuration.cleaning`. Umlauts and
accents are never touched: they are the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.clean.blocks import Blocks, placeholder_block, stray_characters_block
from pipelines.clean.functions import NAME_PARTICLES, fold, sql_list
from pipelines.clean.misspellings import first_name_typo, first_name_typo_by_email
from pipelines.clean.name_patterns import (
    ADDRESSED_AS,
    BORN,
    COMPANY,
    COMPANY_AND_PERSON,
    COMPANY_FORMS,
    DEGREE,
    FAMILIES_OF_TWO_SIGNS,
    FIRST_NAMES_LIKE_PARTICLES,
    FOR_THE_ATTENTION,
    IS_TITLE_AS_NAME,
    KIND_OF_COMPANY,
    LAST_FIRST,
    LAST_IN_CAPITALS,
    NAME_AND_MORE,
    NAME_IN_CAPITALS,
    NO_NAME,
    NO_NAMES,
    PARTICLE_AND_NAME,
    PARTICLES_AND_WORD,
    REMARK,
    SALUTATION,
    SALUTATION_BEHIND,
    SIGNS,
    SON,
    STARTS_WITH_PARTICLE,
    TITLE,
    WHOLE_NAME,
)
from pipelines.clean.rules import Rule, Status
from pipelines.company_names import NO_COMPANY
from pipelines.first_names import EITHER, FEMALE, MALE
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import (
        CompanyInPersonField,
        NameCasing,
        Placeholders,
        Salutations,
        SwappedNames,
        Titles,
    )

NAME_FIELDS = ("salutation", "title", "first_name", "last_name", "full_name")


def _first_word(field: str) -> str:
    return f"folded(regexp_extract({field}, '^[^\\s-]+'))"


def _part(pattern: str, field: str, group: int) -> str:
    return f"nullif(regexp_extract({field}, {literal(pattern)}, {group}), '')"


def _has(field: str, *signs: str) -> str:
    """Whether there is one of these signs: most names have none, and to see that costs a fraction of a pattern."""
    return "(" + " or ".join(f"contains({field}, {literal(sign)})" for sign in signs) + ")"


def _without(pattern: str, field: str) -> str:
    return f"nullif(trim(regexp_replace({field}, {literal(pattern)}, ''), ' ,'), '')"


def _moved(pattern: str, target: str, field: str) -> str:
    """The part of `field` that matches, added to what `target` holds already."""
    part = f"trim(regexp_extract({field}, {literal(pattern)}), ' ,')"
    return (
        f"case when {target} is null then {part} "
        f"when contains(lower({target}), lower({part})) then {target} else {target} || ' ' || {part} end"
    )


def _move(
    pattern: str,
    target: str,
    fields: Iterable[str],
    name: str | None = None,
    unless: str = "false",
    having: Callable[[str], str] = lambda _: "true",
) -> list[Rule]:
    return [
        Rule(
            f"{name or target}_from_{field}",
            {target: _moved(pattern, target, field), field: _without(pattern, field)},
            when=f"{having(field)} and regexp_matches({field}, {literal(pattern)}) and not {unless}",
            confidence=0.98,
        )
        for field in fields
    ]


def _drop(
    pattern: str, field: str, name: str, signs: Sequence[str], unless: str = "false", confidence: float = 0.8
) -> Rule:
    return Rule(
        f"{name}_in_{field}",
        {field: _without(pattern, field)},
        when=f"{_has(field, *signs)} and regexp_matches({field}, {literal(pattern)}) and not {unless}",
        confidence=confidence,
    )


def _move_from_behind(field: str, condition: str, name: str | None = None, **options: Any) -> Rule:
    """A salutation behind the name in `field`, where the condition says that it is not the last name itself."""
    return Rule(
        f"salutation_behind_{name or field}",
        {
            "salutation": f"trim({_moved(SALUTATION_BEHIND, 'salutation', field)}, '()')",
            field: _without(SALUTATION_BEHIND, field),
        },
        when=f"{_has(field, ' ', ',', '(')} and regexp_matches({field}, {literal(SALUTATION_BEHIND)}) "
        f"and not regexp_matches({field}, {literal(PARTICLES_AND_WORD)}) and ({condition})",
        confidence=0.95,
        **options,
    )


def _learn_name_usage(connection: DuckDBPyConnection, draft: str) -> None:
    """How many records have a name as first and as last name in the data itself."""
    connection.execute(
        f"""
        create or replace temp table name_usage as
        with counted as (
            select first_name, null as last_name, sum(weight) as weight from {draft}
            where first_name is not null and last_name is not null group by first_name
            union all
            select null, last_name, sum(weight) from {draft}
            where first_name is not null and last_name is not null group by last_name
        ),
        named as (
            select coalesce({_first_word("first_name")}, folded(last_name)) as name, first_name, weight from counted
        )
        select
            name,
            coalesce(sum(weight) filter (first_name is not null), 0) as first_count,
            coalesce(sum(weight) filter (first_name is null), 0) as last_count
        from named
        group by name
        """
    )


def _find_swapped_names(connection: DuckDBPyConnection, draft: str, entry: SwappedNames) -> None:
    """Names whose parts are used the other way round everywhere else; one record's own use does not count.

    Walter and Peter, which are both, stay.
    """
    _learn_name_usage(connection, draft)
    connection.execute(
        f"""
        create or replace temp table swapped_names as
        with pairs as (
            select
                id,
                {_first_word("first_name")} as first_token,
                folded(first_name) as first_name,
                {_first_word("last_name")} as last_token,
                folded(last_name) as last_name
            from {draft}
            where first_name is not null and last_name is not null
        ),
        uses as (
            select
                pairs.id,
                coalesce(first_firsts.first_count, 0) - 1 as first_as_first,
                coalesce(first_lasts.last_count, 0) as first_as_last,
                coalesce(last_firsts.first_count, 0) as last_as_first,
                coalesce(last_lasts.last_count, 0) - 1 as last_as_last
            from pairs
            left join name_usage as first_firsts on first_firsts.name = pairs.first_token
            left join name_usage as first_lasts on first_lasts.name = pairs.first_name
            left join name_usage as last_firsts on last_firsts.name = pairs.last_token
            left join name_usage as last_lasts on last_lasts.name = pairs.last_name
        )
        select
            id,
            first_as_last >= {entry.min_last_name_uses}
            and first_as_first <= {entry.max_share_otherwise} * first_as_last
            as is_strong
        from uses
        where
            last_as_first >= {entry.min_first_name_uses}
            and last_as_last <= {entry.max_share_otherwise} * last_as_first
            and first_as_first <= {entry.max_share_otherwise} * first_as_last
        """
    )


def _known_first_name(expression: str) -> str:
    return f"coalesce((select first_count > last_count from name_usage where name = {_first_word(expression)}), false)"


def _common_first_name(expression: str) -> str:
    """Whether everybody knows it as a first name, or the data has it as one more often than as a last name."""
    return f"({_first_word(expression)} in ({_COMMON_FIRST_NAMES}) or {_known_first_name(expression)})"


def _listed_first_name(expression: str) -> str:
    """Whether everybody knows it as a first name; looked up where it is asked, for what few values need."""
    return f"list_contains([{_COMMON_FIRST_NAMES}], {_first_word(expression)})"


_COMMON_FIRST_NAMES = sql_list(sorted({fold(name) for name in (*FEMALE, *MALE, *EITHER)}))


def _known_last_name(expression: str) -> str:
    return f"coalesce((select last_count > first_count from name_usage where name = {_first_word(expression)}), false)"


_SALUTATIONS = {
    "Herr": ("herr", "herrn", "hr", "hrn", "mister"),
    "Frau": ("frau", "fr", "fräulein", "frl"),
    "Familie": ("familie", "fam", "eheleute"),
    "Herr und Frau": ("herrn und frau", "herr u. frau", "herr & frau", "herrn u. frau"),
    "Mr": ("mr",),
    "Mrs": ("mrs",),
    "Ms": ("ms", "miss"),
}
_SALUTATION_SPELLED = (
    "case rtrim(lower(salutation), '.') "
    + " ".join(f"when {literal(o)} then {literal(name)}" for name, others in _SALUTATIONS.items() for o in others)
    + " else salutation end"
)
_SALUTATION_SPELLING = Rule(
    "salutation_spelling",
    {"salutation": _SALUTATION_SPELLED},
    when=f"salutation not in ({sql_list(_SALUTATIONS)})",
)
_TITLE_SPELLED = (
    r"regexp_replace(regexp_replace(title, '(?i)\b(?:dr|doktor)\b\.?', 'Dr.', 'g'), "
    r"'(?i)\b(?:prof|professor)\b\.?', 'Prof.', 'g')"
)


def _company_in_person_field(entry: CompanyInPersonField) -> Sequence[Rule]:
    further = "|".join(re.escape(form) for form in entry.legal_forms)
    forms = COMPANY_FORMS + (f"|{further}" if further else "")
    pattern, with_person = (p.replace("{forms}", forms) for p in (COMPANY, COMPANY_AND_PERSON))
    rules = []
    for field, others in (
        ("last_name", "first_name is null"),
        ("first_name", "last_name is null"),
        ("full_name", "first_name is null and last_name is null"),
    ):
        is_name = f"(regexp_matches({field}, {literal(NAME_IN_CAPITALS)}) and {_listed_first_name(field)})"
        rules += [
            Rule(
                f"company_from_{field}",
                {
                    "company_name": f"coalesce(company_name, {_part(with_person, field, 1)})",
                    field: _part(with_person, field, 2),
                },
                when=f"{others} and contains({field}, ' ') and regexp_matches({field}, {literal(with_person)})",
                confidence=0.95,
            ),
            Rule(
                f"company_from_{field}",
                {"company_name": f"coalesce(company_name, {field})", field: "cast(null as text)"},
                when=f"{others} and contains({field}, ' ') "
                f"and (regexp_matches({field}, {literal(pattern)}) and not {is_name} "
                f"or regexp_matches({field}, {literal(KIND_OF_COMPANY)}))",
                confidence=0.95,
            ),
        ]
    return tuple(rules)


def _salutations(entry: Salutations) -> Sequence[Rule]:
    in_front = [f for f in ("full_name", "first_name") if f in entry.fields]
    rules = [*_move(SALUTATION, "salutation", in_front)]
    if "last_name" in entry.fields:
        # A last name may be Herr or Frau itself; only what is followed by more is a salutation.
        rules += _move(rf"(?i)^(?:(?:{ADDRESSED_AS})\s+)+", "salutation", ["last_name"])
    if "first_name" in entry.fields and "last_name" in entry.fields:
        rules += [
            _move_from_behind("first_name", "last_name is not null"),
            _move_from_behind("last_name", "first_name is not null"),
        ]
    if "full_name" in entry.fields:
        rules += [
            _move_from_behind("full_name", r"regexp_matches(full_name, '^\S+[,\s]+\S+[,\s(]+\S+')"),
            _move_from_behind("full_name", _known_last_name("full_name"), name="only_name", prepare=_learn_name_usage),
        ]
    attention = [_drop(rf"(?i)^{FOR_THE_ATTENTION}", field, "attention", " ") for field in entry.fields]
    return (*attention, *rules, _SALUTATION_SPELLING)


def _titles(entry: Titles) -> Sequence[Rule]:
    further = "|".join(re.escape(title) for title in entry.titles)
    pattern = TITLE.replace("{further}", rf"|(?:{further})(?:\s|$)" if further else "")
    alone = ("doktor", "professor", *(title.lower() for title in entry.titles))

    def may_be_title(field: str) -> str:
        is_alone = " or ".join(f"lower({field}) = {literal(title)}" for title in alone)
        return f"({_has(field, ' ', '.')} or length({field}) <= 3 or {is_alone})"

    def may_have_degree(field: str) -> str:
        return _has(field, " ", ",")

    others = [f for f in entry.fields if f != "last_name"]
    last_name = [f for f in entry.fields if f == "last_name"]
    whole = [f for f in ("full_name", "last_name") if f in entry.fields]
    first = [f for f in entry.fields if f == "first_name"]
    rules = [
        *_move(pattern, "title", others, having=may_be_title),
        *_move(pattern, "title", last_name, unless=IS_TITLE_AS_NAME, having=may_be_title),
        *_move(DEGREE, "title", whole, name="degree", having=may_have_degree),
        *_move(r"(?i)[\s,]+(?:dr|prof)\.$", "title", first, name="degree", having=may_have_degree),
        *(
            rule
            for field in entry.fields
            for rule in _move(
                r"^DI(?:\s\(FH\))?\s+",
                "title",
                [field],
                unless=f"{field} = upper({field})",
                having=lambda f: f"starts_with({f}, 'DI ')",
            )
        ),
        Rule(
            "title_from_salutation",
            {
                "title": "coalesce(title, " + _part(r"(?i)^(?:herrn?|frau|hr\.|fr\.)\s+(.+)$", "salutation", 1) + ")",
                "salutation": _part(r"(?i)^(herrn?|frau|hr\.|fr\.)\s", "salutation", 1),
            },
            when=r"regexp_matches(salutation, '(?i)^(?:herrn?|frau|hr\.|fr\.)\s+(?:dr|prof|dipl)')",
            confidence=0.98,
        ),
    ]
    return (
        *rules,
        _SALUTATION_SPELLING,
        Rule("title_spelling", {"title": _TITLE_SPELLED}, when="title is not null"),
    )


def _name_casing(entry: NameCasing) -> Sequence[Rule]:
    particles = f"[{sql_list((*NAME_PARTICLES, *(particle.lower() for particle in entry.particles)))}]"
    # Le, Du and La are last names too, where nothing follows.
    in_last_name = f"case when list_contains({particles}, lower(last_name)) then [] else {particles} end"
    return (
        Rule("first_name_casing", {"first_name": "cased(first_name, [], 1)"}, when="is_one_case(first_name)"),
        Rule("last_name_casing", {"last_name": f"cased(last_name, {in_last_name}, 1)"}, when="is_one_case(last_name)"),
    )


def _swapped_names(entry: SwappedNames) -> Sequence[Rule]:
    swapped = {"first_name": "last_name", "last_name": "first_name"}
    return (
        Rule(
            "names_swapped",
            swapped,
            when="id in (select id from swapped_names where is_strong)",
            confidence=0.95,
            prepare=partial(_find_swapped_names, entry=entry),
        ),
        Rule(
            "names_swapped_likely",
            swapped,
            when="id in (select id from swapped_names where not is_strong)",
            confidence=0.6,
            status=Status.PROPOSED,
        ),
    )


def _drop_place(field: str, others: str) -> Rule:
    """A place or the like behind first and last name: a first name stands in front of the comma, and none behind it."""
    front, behind = _part(NAME_AND_MORE, field, 1), _part(NAME_AND_MORE, field, 2)
    last_word = f"regexp_extract({front}, '\\S+$')"
    return Rule(
        f"{field}_before_comma",
        {field: front},
        when=f"{others} and regexp_matches({field}, {literal(NAME_AND_MORE)}) "
        f"and {_common_first_name(front)} and not {_common_first_name(last_word)} and not {_common_first_name(behind)}",
        confidence=0.8,
        prepare=_learn_name_usage,
    )


_FAMILY_SIGNS = (
    f"case when length(full_name) > 2 and left(full_name, 2) in ({sql_list(FAMILIES_OF_TWO_SIGNS)}) then 2 "
    "when length(full_name) > 3 or (length(full_name) = 3 and coalesce((select last_count > first_count "
    "from name_usage where name = folded(left(full_name, 2))), false)) then 2 else 1 end"
)
_IS_TWO_WORDS = "split_part(full_name, ' ', 3) = ''"
_NO_PARTS = "first_name is null and last_name is null"
_WHOLE_NAME_INTO_PARTS = (
    *(
        _drop(r"^[\s,;]+|[\s,;]+$", field, "stray_comma", ",;", confidence=0.98)
        for field in ("full_name", "last_name", "first_name")
    ),
    *(
        _drop(REMARK, field, "remark", " ,", unless=f"regexp_matches({field}, {literal(BORN)})")
        for field in ("full_name", "last_name")
    ),
    # King, Martin, Jr.; King, Martin Jr.; Davis, Jr.
    Rule(
        "full_name_suffix",
        {
            "full_name": f"regexp_replace(regexp_replace(full_name, '^([^,]+),\\s*({SON})$', '\\1 \\2'), "
            f"'^([^,]+),\\s*([^,]*[^,\\s])[\\s,]+({SON})$', '\\1 \\3, \\2')"
        },
        when=f"{_NO_PARTS} and contains(full_name, ',') "
        f"and regexp_matches(full_name, ',.*[\\s,](?:{SON})$|,\\s*(?:{SON})$')",
        confidence=0.9,
    ),
    _drop_place("full_name", "first_name is null and last_name is null"),
    _drop_place("last_name", "first_name is null"),
    _drop_place("first_name", "last_name is null"),
    Rule(
        "full_name_last_first",
        {"last_name": _part(LAST_FIRST, "full_name", 1), "first_name": _part(LAST_FIRST, "full_name", 2)},
        when=f"first_name is null and last_name is null and regexp_matches(full_name, {literal(LAST_FIRST)})",
        confidence=0.95,
    ),
    Rule(
        "full_name_last_first",
        {
            "last_name": _part(r"^([^,]*[^,\s])\s*,\s*([^,]*[^,\s])\s*,", "full_name", 1),
            "first_name": _part(r"^([^,]*[^,\s])\s*,\s*([^,]*[^,\s])\s*,", "full_name", 2),
        },
        when=f"{_NO_PARTS} and contains(full_name, ',') and regexp_matches(full_name, '^[^,]+,[^,]*[^,\\s][^,]*,')",
        confidence=0.5,
    ),
    Rule(
        "full_name_in_capitals",
        {"last_name": _part(LAST_IN_CAPITALS, "full_name", 1), "first_name": _part(LAST_IN_CAPITALS, "full_name", 2)},
        when=f"{_NO_PARTS} and regexp_matches(full_name, {literal(LAST_IN_CAPITALS)}) "
        f"and {_listed_first_name(_part(LAST_IN_CAPITALS, 'full_name', 2))} "
        f"and not {_listed_first_name(_part(LAST_IN_CAPITALS, 'full_name', 1))}",
        confidence=0.85,
    ),
    Rule(
        "full_name_in_signs",
        {"last_name": "split_part(full_name, ' ', 1)", "first_name": "split_part(full_name, ' ', 2)"},
        when=rf"{_NO_PARTS} and regexp_full_match(full_name, '{SIGNS}{{1,4}} {SIGNS}{{1,4}}')",
        confidence=0.9,
    ),
    # Two words are a first and a last name; of more, the pattern knows where the last name begins.
    Rule(
        "full_name_split",
        {
            "first_name": f"case when {_IS_TWO_WORDS} then split_part(full_name, ' ', 1) "
            f"else {_part(WHOLE_NAME, 'full_name', 1)} end",
            "last_name": f"case when {_IS_TWO_WORDS} then split_part(full_name, ' ', 2) "
            f"else {_part(WHOLE_NAME, 'full_name', 2)} end",
        },
        when=f"""first_name is null and last_name is null and contains(full_name, ' ') and not contains(full_name, ',')
            and not regexp_matches(full_name, {literal(STARTS_WITH_PARTICLE)})""",
        confidence=0.9,
    ),
    Rule(
        "full_name_particle_is_first_name",
        {
            "first_name": _part(PARTICLE_AND_NAME, "full_name", 1),
            "last_name": _part(PARTICLE_AND_NAME, "full_name", 2),
        },
        when=f"""first_name is null and last_name is null
            and regexp_matches(full_name, {literal(PARTICLE_AND_NAME)})
            and regexp_matches(full_name, {literal(STARTS_WITH_PARTICLE)})
            and ({_first_word("full_name")} in ({sql_list(FIRST_NAMES_LIKE_PARTICLES)})
                or {_known_first_name("full_name")})
            and folded(full_name) not in (select name from name_usage where last_count > 0)""",
        confidence=0.6,
        prepare=_learn_name_usage,
    ),
    # In one word, the family in front: one sign in Chinese and Korean, two in Japanese or where the data has it as two.
    Rule(
        "full_name_in_signs",
        {
            "last_name": f"left(full_name, {_FAMILY_SIGNS})",
            "first_name": f"substr(full_name, {_FAMILY_SIGNS} + 1)",
        },
        when=r"first_name is null and last_name is null and regexp_full_match(full_name, '[\p{Han}\p{Hangul}]{2,5}')",
        confidence=0.8,
        prepare=_learn_name_usage,
    ),
    Rule(
        "full_name_is_first_name",
        {"first_name": "full_name"},
        when=f"{_NO_PARTS} and salutation is null and title is null and not contains(full_name, ' ') "
        f"and {_listed_first_name('full_name')} and not {_known_last_name('full_name')}",
        confidence=0.7,
    ),
    Rule(
        "full_name_is_last_name",
        {"last_name": "full_name"},
        when="first_name is null and last_name is null and full_name is not null",
        confidence=0.6,
    ),
    Rule(
        "last_name_holds_last_first",
        {"last_name": _part(LAST_FIRST, "last_name", 1), "first_name": _part(LAST_FIRST, "last_name", 2)},
        when=f"first_name is null and regexp_matches(last_name, {literal(LAST_FIRST)})",
        confidence=0.9,
    ),
    Rule(
        "first_name_holds_last_first",
        {"last_name": _part(LAST_FIRST, "first_name", 1), "first_name": _part(LAST_FIRST, "first_name", 2)},
        when=f"last_name is null and regexp_matches(first_name, {literal(LAST_FIRST)})",
        confidence=0.9,
    ),
)

_ONE_FIELD_INTO_PARTS = (
    Rule(
        "first_name_holds_both",
        {"first_name": _part(WHOLE_NAME, "first_name", 1), "last_name": _part(WHOLE_NAME, "first_name", 2)},
        when=f"""last_name is null and not contains(first_name, ',')
            and regexp_matches(first_name, {literal(WHOLE_NAME)})
            and (regexp_matches({_part(WHOLE_NAME, "first_name", 2)}, {literal(STARTS_WITH_PARTICLE)})
                or not {_known_first_name(_part(WHOLE_NAME, "first_name", 2))})""",
        confidence=0.8,
        prepare=_learn_name_usage,
    ),
    # Two words without a first name may be a double surname: only a known first name in front is evidence.
    Rule(
        "last_name_holds_both",
        {"first_name": _part(WHOLE_NAME, "last_name", 1), "last_name": _part(WHOLE_NAME, "last_name", 2)},
        when=f"""first_name is null and not contains(last_name, ',')
            and not regexp_matches(last_name, {literal(STARTS_WITH_PARTICLE)})
            and regexp_matches(last_name, {literal(WHOLE_NAME)})
            and {_known_first_name("last_name")}""",
        confidence=0.8,
    ),
)


def _placeholders(entry: Placeholders) -> Sequence[Rule]:
    named = [field for field in entry.fields or NAME_FIELDS if field in ("first_name", "last_name", "full_name")]
    return (
        *placeholder_block((*NAME_FIELDS, "company_name"), {"company_name": NO_COMPANY})(entry),
        *(
            Rule(
                "no_name",
                {field: "cast(null as text)"},
                when=f"regexp_matches({field}, '[@0-9]') and regexp_matches({field}, {literal(NO_NAME)}) "
                f"or list_contains([{sql_list(NO_NAMES)}], lower({field}))",
                confidence=0.9,
            )
            for field in named
        ),
    )


BLOCKS: Blocks = {
    "placeholders": _placeholders,
    "stray_characters": stray_characters_block((*NAME_FIELDS, "company_name")),
    "company_in_person_field": _company_in_person_field,
    "salutations": _salutations,
    "titles": _titles,
    "whole_name_into_parts": lambda _: _WHOLE_NAME_INTO_PARTS,
    "one_field_into_parts": lambda _: _ONE_FIELD_INTO_PARTS,
    "name_casing": _name_casing,
    "swapped_names": _swapped_names,
    "first_name_typo": first_name_typo,
    "first_name_typo_by_email": first_name_typo_by_email,
}
