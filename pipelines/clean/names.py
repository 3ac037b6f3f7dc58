"""The rules for names: titles and salutations out of the name, whole names into parts, casing, swapped parts.

Add a rule to its block in `BLOCKS`, or a block with its entry in `pipelines.configuration.cleaning`. Umlauts and
accents are never touched: they are the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.clean.blocks import Blocks, placeholder_block, stray_characters_block
from pipelines.clean.functions import NAME_PARTICLES, fold, sql_list
from pipelines.clean.misspellings import first_name_typo, first_name_typo_by_email
from pipelines.clean.rules import Rule, Status
from pipelines.company_names import NO_COMPANY
from pipelines.first_names import EITHER, FEMALE, MALE
from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import CompanyInPersonField, NameCasing, Salutations, SwappedNames, Titles

NAME_FIELDS = ("salutation", "title", "first_name", "last_name", "full_name")

_TITLE = (
    r"(?i)^(?:(?:"
    r"(?:dr|prof|doktor|professor)(?:\.?-ing\.?|\.|\s|$)"
    r"|dipl\.?[ -]*(?:ing|kfm|kffr|inform|inf|phys|päd|psych|chem|biol|math|volksw|betriebsw|oec|ök|jur)\.?(?:\s|$)"
    r"|(?:pd|mag|ing|med|rer|nat|phil|jur|iur|pol|oec|vet|dent|theol|habil|mult|h\.\s?c|ph\.\s?d|b\.\s?sc|m\.\s?sc)\.(?:\s|$)?"
    r"|(?:mba|msc|bsc|phd)(?:\s|$)"
    r"{further})[\s,]*)+"
)
_DEGREE = r"(?i)[\s,]+(?:ph\.?\s?d|mba|m\.?sc|b\.?sc|ll\.?\s?m|m\.\s?a|b\.\s?a|m\.?eng|b\.?eng|dipl\.?-ing)\.?$"
_IS_TITLE_AS_NAME = "lower(last_name) in ('doktor', 'professor')"  # Anna Doktor
_SALUTATION = (
    r"(?i)^(?:(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.?|miss|mister|monsieur|madame|mme\.?|signora?|familie)"
    r"(?:\s+|$))+"
)
_PARTICLE = "(?:" + "|".join(p for p in NAME_PARTICLES if p != "s") + ")"
# First names, then the last name with the particles in front of it, and what tells father and son apart behind it.
_BEHIND_LAST_NAME = r"\s+(?:jun\.|sen\.|jr\.?|sr\.?|geb(?:\.|oren|orene)?\s+\S+)"
_WHOLE_NAME = rf"(?i)^(\S.*?)\s+((?:{_PARTICLE}\s+)*\S+(?:{_BEHIND_LAST_NAME})?)$"
# Particles that are first names as well where they have a capital and one word follows: Al Pacino, Van Nguyen.
_FIRST_NAMES_LIKE_PARTICLES = words("al van del della di bin")
_PARTICLE_AND_NAME = r"^(\p{Lu}\p{Ll}+)\s+(\S+)$"
# Hans Müller, Berlin: at least two words, and what is behind the comma.
_NAME_AND_MORE = r"^(\S+\s[^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
_LAST_FIRST = r"^([^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
# Eichenmüller Herr, Maier (Frau): behind the name, in a list sorted by it; but not the name itself, von Herr.
_SALUTATION_BEHIND = r"(?i)(?:[\s,(]+(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.)\)?)+$"
# Löwe Technik GmbH & Co. KG: at least one word and a legal form that is nobody's last name.
_COMPANY_FORMS = (
    r"g?gmbh|mbh|ag|kg|kgaa|ohg|gbr|ug(?:\s*\(haftungsbeschränkt\))?|e\.\s?k\.|e\.\s?kfm\.|e\.\s?kfr\.|e\.\s?v\."
    r"|partg(?:\s*mbb)?|e\.\s?u\.|ltd\.?|limited|plc|llc|inc\.|corp\.|s\.?\s?à\s?r\.?\s?l\.?|sàrl|s\.a\.|s\.r\.l\.|s\.p\.a\."
    r"|b\.v\.|n\.v\.|aps|a/s|sp\.\s?z\s?o\.\s?o\.|s\.\s?r\.\s?o\.|d\.\s?o\.\s?o\.|kft\.?"
    # In other letters than these, they are names of people.
    r"|(?-i:SE|OG|eG|SAS|Inc|SARL|SRL|Srl|SpA|BV|NV|AB|Oy|Oyj)"
)
_COMPANY = r"(?i)^\S.*\s(?:{forms})(?:\s*(?:&|und|and)\s*co\.?\s*(?:kg|kgaa|ohg))?$"
_PARTICLES_AND_WORD = rf"(?i)^(?:{_PARTICLE}\s+)+\S+$"
_STARTS_WITH_PARTICLE = rf"(?i)^{_PARTICLE}\s"


def _first_word(field: str) -> str:
    return f"folded(regexp_extract({field}, '^[^\\s-]+'))"


def _part(pattern: str, field: str, group: int) -> str:
    return f"nullif(regexp_extract({field}, {literal(pattern)}, {group}), '')"


def _without(pattern: str, field: str) -> str:
    return f"nullif(trim(regexp_replace({field}, {literal(pattern)}, ''), ' ,'), '')"


def _moved(pattern: str, target: str, field: str) -> str:
    """The part of `field` that matches, added to what `target` holds already."""
    part = f"trim(regexp_extract({field}, {literal(pattern)}), ' ,()')"
    return (
        f"case when {target} is null then {part} "
        f"when contains(lower({target}), lower({part})) then {target} else {target} || ' ' || {part} end"
    )


def _move(
    pattern: str, target: str, fields: Iterable[str], name: str | None = None, unless: str = "false"
) -> list[Rule]:
    return [
        Rule(
            f"{name or target}_from_{field}",
            {target: _moved(pattern, target, field), field: _without(pattern, field)},
            when=f"regexp_matches({field}, {literal(pattern)}) and not {unless}",
            confidence=0.98,
        )
        for field in fields
    ]


def _move_from_behind(field: str, condition: str, name: str | None = None, **options: Any) -> Rule:
    """A salutation behind the name in `field`, where the condition says that it is not the last name itself."""
    return Rule(
        f"salutation_behind_{name or field}",
        {
            "salutation": _moved(_SALUTATION_BEHIND, "salutation", field),
            field: _without(_SALUTATION_BEHIND, field),
        },
        when=f"regexp_matches({field}, {literal(_SALUTATION_BEHIND)}) "
        f"and not regexp_matches({field}, {literal(_PARTICLES_AND_WORD)}) and ({condition})",
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


_COMMON_FIRST_NAMES = sql_list(sorted({fold(name) for name in (*FEMALE, *MALE, *EITHER)}))


def _known_last_name(expression: str) -> str:
    return f"coalesce((select last_count > first_count from name_usage where name = {_first_word(expression)}), false)"


_SALUTATIONS = {
    "Herr": ("herr", "herrn", "hr", "mister"),
    "Frau": ("frau", "fr"),
    "Mr": ("mr",),
    "Mrs": ("mrs",),
    "Ms": ("ms", "miss"),
}
_SALUTATION_SPELLED = (
    "case rtrim(lower(salutation), '.') "
    + " ".join(f"when {literal(o)} then {literal(name)}" for name, others in _SALUTATIONS.items() for o in others)
    + " else salutation end"
)
_TITLE_SPELLED = (
    r"regexp_replace(regexp_replace(title, '(?i)\b(?:dr|doktor)\b\.?', 'Dr.', 'g'), "
    r"'(?i)\b(?:prof|professor)\b\.?', 'Prof.', 'g')"
)


def _company_in_person_field(entry: CompanyInPersonField) -> Sequence[Rule]:
    further = "|".join(re.escape(form) for form in entry.legal_forms)
    pattern = _COMPANY.format(forms=_COMPANY_FORMS + (f"|{further}" if further else ""))
    return tuple(
        Rule(
            f"company_from_{field}",
            {"company_name": f"coalesce(company_name, {field})", field: "cast(null as text)"},
            when=f"{others} and regexp_matches({field}, {literal(pattern)})",
            confidence=0.95,
        )
        for field, others in (
            ("last_name", "first_name is null"),
            ("first_name", "last_name is null"),
            ("full_name", "first_name is null and last_name is null"),
        )
    )


def _salutations(entry: Salutations) -> Sequence[Rule]:
    in_front = [f for f in ("full_name", "first_name") if f in entry.fields]
    rules = [*_move(_SALUTATION, "salutation", in_front)]
    if "last_name" in entry.fields:
        # A last name may be Herr or Frau itself; only what is followed by more is a salutation.
        rules += _move(_SALUTATION.replace(r"(?:\s+|$)", r"\s+"), "salutation", ["last_name"])
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
    return (*rules, Rule("salutation_spelling", {"salutation": _SALUTATION_SPELLED}, when="salutation is not null"))


def _titles(entry: Titles) -> Sequence[Rule]:
    further = "|".join(re.escape(title) for title in entry.titles)
    pattern = _TITLE.format(further=rf"|(?:{further})(?:\s|$)" if further else "")
    rules = [
        *_move(pattern, "title", [f for f in entry.fields if f != "last_name"]),
        *_move(pattern, "title", [f for f in entry.fields if f == "last_name"], unless=_IS_TITLE_AS_NAME),
        *_move(_DEGREE, "title", [f for f in ("full_name", "last_name") if f in entry.fields], name="degree"),
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
        Rule("salutation_spelling", {"salutation": _SALUTATION_SPELLED}, when="salutation is not null"),
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
    front, behind = _part(_NAME_AND_MORE, field, 1), _part(_NAME_AND_MORE, field, 2)
    last_word = f"regexp_extract({front}, '\\S+$')"
    return Rule(
        f"{field}_before_comma",
        {field: front},
        when=f"{others} and regexp_matches({field}, {literal(_NAME_AND_MORE)}) "
        f"and {_common_first_name(front)} and not {_common_first_name(last_word)} and not {_common_first_name(behind)}",
        confidence=0.8,
        prepare=_learn_name_usage,
    )


_FAMILY_SIGNS = (
    "case when length(full_name) > 3 or (length(full_name) = 3 and coalesce((select last_count > first_count "
    "from name_usage where name = folded(left(full_name, 2))), false)) then 2 else 1 end"
)
_WHOLE_NAME_INTO_PARTS = (
    _drop_place("full_name", "first_name is null and last_name is null"),
    _drop_place("last_name", "first_name is null"),
    _drop_place("first_name", "last_name is null"),
    Rule(
        "full_name_last_first",
        {"last_name": _part(_LAST_FIRST, "full_name", 1), "first_name": _part(_LAST_FIRST, "full_name", 2)},
        when=f"first_name is null and last_name is null and regexp_matches(full_name, {literal(_LAST_FIRST)})",
        confidence=0.95,
    ),
    Rule(
        "full_name_split",
        {"first_name": _part(_WHOLE_NAME, "full_name", 1), "last_name": _part(_WHOLE_NAME, "full_name", 2)},
        when=f"""first_name is null and last_name is null and not contains(full_name, ',')
            and not regexp_matches(full_name, {literal(_STARTS_WITH_PARTICLE)})
            and regexp_matches(full_name, {literal(_WHOLE_NAME)})""",
        confidence=0.9,
    ),
    Rule(
        "full_name_particle_is_first_name",
        {
            "first_name": _part(_PARTICLE_AND_NAME, "full_name", 1),
            "last_name": _part(_PARTICLE_AND_NAME, "full_name", 2),
        },
        when=f"""first_name is null and last_name is null
            and regexp_matches(full_name, {literal(_PARTICLE_AND_NAME)})
            and regexp_matches(full_name, {literal(_STARTS_WITH_PARTICLE)})
            and ({_first_word("full_name")} in ({sql_list(_FIRST_NAMES_LIKE_PARTICLES)})
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
        "full_name_is_last_name",
        {"last_name": "full_name"},
        when="first_name is null and last_name is null and full_name is not null and not contains(full_name, ',')",
        confidence=0.6,
    ),
    Rule(
        "last_name_holds_last_first",
        {"last_name": _part(_LAST_FIRST, "last_name", 1), "first_name": _part(_LAST_FIRST, "last_name", 2)},
        when=f"first_name is null and regexp_matches(last_name, {literal(_LAST_FIRST)})",
        confidence=0.9,
    ),
    Rule(
        "first_name_holds_last_first",
        {"last_name": _part(_LAST_FIRST, "first_name", 1), "first_name": _part(_LAST_FIRST, "first_name", 2)},
        when=f"last_name is null and regexp_matches(first_name, {literal(_LAST_FIRST)})",
        confidence=0.9,
    ),
)

_ONE_FIELD_INTO_PARTS = (
    Rule(
        "first_name_holds_both",
        {"first_name": _part(_WHOLE_NAME, "first_name", 1), "last_name": _part(_WHOLE_NAME, "first_name", 2)},
        when=f"""last_name is null and not contains(first_name, ',')
            and regexp_matches(first_name, {literal(_WHOLE_NAME)})
            and (regexp_matches({_part(_WHOLE_NAME, "first_name", 2)}, {literal(_STARTS_WITH_PARTICLE)})
                or not {_known_first_name(_part(_WHOLE_NAME, "first_name", 2))})""",
        confidence=0.8,
        prepare=_learn_name_usage,
    ),
    # Two words without a first name may be a double surname: only a known first name in front is evidence.
    Rule(
        "last_name_holds_both",
        {"first_name": _part(_WHOLE_NAME, "last_name", 1), "last_name": _part(_WHOLE_NAME, "last_name", 2)},
        when=f"""first_name is null and not contains(last_name, ',')
            and not regexp_matches(last_name, {literal(_STARTS_WITH_PARTICLE)})
            and regexp_matches(last_name, {literal(_WHOLE_NAME)})
            and {_known_first_name("last_name")}""",
        confidence=0.8,
    ),
)

BLOCKS: Blocks = {
    "placeholders": placeholder_block((*NAME_FIELDS, "company_name"), {"company_name": NO_COMPANY}),
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
