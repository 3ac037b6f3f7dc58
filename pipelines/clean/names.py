"""The rules for names: titles and salutations out of the name, whole names into parts, casing, swapped parts.

Add a rule to `RULES` at its place in the order. Umlauts, accents and spelling are never touched: they are the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.clean.functions import NAME_PARTICLES
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME_FIELDS = ("salutation", "title", "first_name", "last_name", "full_name")

# A name counts as swapped when its last name is used as a first name at least this often, its first name as a last
# name at least this often, and either the other way round in at most this share: Walter or Peter, which are both, stay.
MIN_FIRST_NAME_USES = 5
MIN_LAST_NAME_USES = 3
MAX_SHARE_OTHERWISE = 0.1

_TITLE = (
    r"(?i)^(?:(?:"
    r"(?:dr|prof|doktor|professor)(?:\.?-ing\.?|\.|\s|$)"
    r"|dipl\.?[ -]*(?:ing|kfm|kffr|inform|inf|phys|päd|psych|chem|biol|math|volksw|betriebsw|oec|ök|jur)\.?(?:\s|$)"
    r"|(?:pd|mag|ing|med|rer|nat|phil|jur|iur|pol|oec|vet|dent|theol|habil|mult|h\.\s?c|ph\.\s?d|b\.\s?sc|m\.\s?sc)\.(?:\s|$)?"
    r"|(?:mba|msc|bsc|phd)(?:\s|$)"
    r")[\s,]*)+"
)
_DEGREE = r"(?i)[\s,]+(?:ph\.?\s?d|mba|m\.?sc|b\.?sc|ll\.?\s?m|m\.\s?a|b\.\s?a|m\.?eng|b\.?eng|dipl\.?-ing)\.?$"
_SALUTATION = (
    r"(?i)^(?:(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.?|miss|mister|monsieur|madame|mme\.?|signora?|familie)"
    r"(?:\s+|$))+"
)
_PARTICLE = "(?:" + "|".join(p for p in NAME_PARTICLES if p != "s") + ")"
# First names, then the last name with the particles in front of it.
_WHOLE_NAME = rf"(?i)^(\S.*?)\s+((?:{_PARTICLE}\s+)*\S+)$"
_LAST_FIRST = r"^([^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
# Eichenmüller Herr, Maier (Frau): behind the name, in a list sorted by it; but not the name itself, von Herr.
_SALUTATION_BEHIND = r"(?i)(?:[\s,(]+(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.)\)?)+$"
# Löwe Technik GmbH & Co. KG: at least one word and a legal form that is nobody's last name.
_COMPANY = (
    r"(?i)^\S.*\s(?:g?gmbh|mbh|ag|kg|kgaa|ohg|gbr|ug(?:\s*\(haftungsbeschränkt\))?|e\.\s?k\.|e\.\s?v\.|ltd\.?)"
    r"(?:\s*(?:&|und)\s*co\.?\s*(?:kg|kgaa|ohg))?$"
)
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


def _move(pattern: str, target: str, fields: tuple[str, ...], name: str | None = None) -> list[Rule]:
    return [
        Rule(
            f"{name or target}_from_{field}",
            {target: _moved(pattern, target, field), field: _without(pattern, field)},
            when=f"regexp_matches({field}, {literal(pattern)})",
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


def _find_swapped_names(connection: DuckDBPyConnection, draft: str) -> None:
    """Names whose parts are used the other way round everywhere else; one record's own use does not count."""
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
            first_as_last >= {MIN_LAST_NAME_USES} and first_as_first <= {MAX_SHARE_OTHERWISE} * first_as_last
            as is_strong
        from uses
        where
            last_as_first >= {MIN_FIRST_NAME_USES}
            and last_as_last <= {MAX_SHARE_OTHERWISE} * last_as_first
            and first_as_first <= {MAX_SHARE_OTHERWISE} * first_as_last
        """
    )


def _known_first_name(expression: str) -> str:
    return f"coalesce((select first_count > last_count from name_usage where name = {_first_word(expression)}), false)"


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

RULES = (
    *(
        Rule(
            f"company_from_{field}",
            {"company_name": f"coalesce(company_name, {field})", field: "cast(null as text)"},
            when=f"{others} and regexp_matches({field}, {literal(_COMPANY)})",
            confidence=0.95,
        )
        for field, others in (
            ("last_name", "first_name is null"),
            ("first_name", "last_name is null"),
            ("full_name", "first_name is null and last_name is null"),
        )
    ),
    *_move(_SALUTATION, "salutation", ("full_name", "first_name")),
    # A last name may be Herr or Frau itself; only what is followed by more is a salutation.
    *_move(_SALUTATION.replace(r"(?:\s+|$)", r"\s+"), "salutation", ("last_name",)),
    _move_from_behind("first_name", "last_name is not null"),
    _move_from_behind("last_name", "first_name is not null"),
    _move_from_behind("full_name", r"regexp_matches(full_name, '^\S+[,\s]+\S+[,\s(]+\S+')"),
    _move_from_behind(
        "full_name",
        _known_last_name("full_name"),
        name="only_name",
        prepare=_learn_name_usage,
    ),
    *_move(_TITLE, "title", ("full_name", "first_name", "last_name")),
    *_move(_DEGREE, "title", ("full_name", "last_name"), name="degree"),
    Rule(
        "title_from_salutation",
        {
            "title": "coalesce(title, " + _part(r"(?i)^(?:herrn?|frau|hr\.|fr\.)\s+(.+)$", "salutation", 1) + ")",
            "salutation": _part(r"(?i)^(herrn?|frau|hr\.|fr\.)\s", "salutation", 1),
        },
        when=r"regexp_matches(salutation, '(?i)^(?:herrn?|frau|hr\.|fr\.)\s+(?:dr|prof|dipl)')",
        confidence=0.98,
    ),
    Rule("salutation_spelling", {"salutation": _SALUTATION_SPELLED}),
    Rule("title_spelling", {"title": _TITLE_SPELLED}),
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
    Rule(
        "first_name_holds_both",
        {"first_name": _part(_WHOLE_NAME, "first_name", 1), "last_name": _part(_WHOLE_NAME, "first_name", 2)},
        when=f"""last_name is null and not contains(first_name, ',')
            and regexp_matches(first_name, {literal(_WHOLE_NAME)})
            and not {_known_first_name(_part(_WHOLE_NAME, "first_name", 2))}""",
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
    # Again, for what stood behind a comma or in the middle: Müller, Dr. Anna.
    *_move(_SALUTATION, "salutation", ("first_name",)),
    *_move(_TITLE, "title", ("first_name",)),
    Rule("salutation_spelling", {"salutation": _SALUTATION_SPELLED}),
    Rule("title_spelling", {"title": _TITLE_SPELLED}),
    Rule("first_name_casing", {"first_name": "cased(first_name, [], 1)"}, when="is_one_case(first_name)"),
    Rule("last_name_casing", {"last_name": "family_name_case(last_name)"}, when="is_one_case(last_name)"),
    Rule(
        "names_swapped",
        {"first_name": "last_name", "last_name": "first_name"},
        when="id in (select id from swapped_names where is_strong)",
        confidence=0.95,
        prepare=_find_swapped_names,
    ),
    Rule(
        "names_swapped_likely",
        {"first_name": "last_name", "last_name": "first_name"},
        when="id in (select id from swapped_names where not is_strong)",
        confidence=0.6,
        status=Status.PROPOSED,
    ),
)
