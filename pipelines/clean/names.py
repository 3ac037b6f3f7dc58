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
from pipelines.clean.rules import Rule, Status
from pipelines.company_names import NO_COMPANY
from pipelines.first_names import EITHER, FEMALE, MALE
from pipelines.warehouse import literal
from pipelines.wordlist import words

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

# Titles in front of a name: one that stands for itself, then what only says of which kind it is (med., h. c., (FH)).
_PROFESSOR = r"(?:(?:univ|jun|hon|gast|ass|assoz|ao|apl|em)\.?[\s-]*)?(?:prof|professor)"
_DIPLOMA = (
    r"dipl\.?[ -]*(?:\p{L}+\.?-\s?)*(?:ing|kfm|kffr|inform|inf|phys|päd|psych|chem|biol|math|volksw|betriebsw"
    r"|oec|ök|jur|arch|des|geogr|geol|soz|stat|verw)\.?(?:\s?\(?(?-i:FH|BA|TH|TU)\)?)?(?:\s|$)"
)
_TITLE = (
    r"(?i)^(?:(?:"
    rf"(?:d?dr|doktor|{_PROFESSOR}|(?:mu|ju|ph|rn|mv|md|paed|pharm|th)dr|dra|drs|priv\.?-?\s?doz)"
    r"(?:[:.']*in\b\.?|\.?-ing\.?|\.|\s|$)"
    rf"|(?-i:PD)\s+(?:dr|prof)(?:\.|\s)|{_DIPLOMA}"
    r"|sir\s|mag\.?a\s|mgr\.?\s|dott\.?ssa\s|(?:mag|ing|bc|doc|dott|avv|geom|lic|rev|capt|hon|ph\.\s?d|b\.\s?sc|m\.\s?sc)\.(?:\s|$)?"
    r"|(?-i:MBA|MSc|BSc|PhD)(?:\s|$)"
    r"{further})"
    r"(?:\s*(?:(?:med|rer|nat|phil|jur|iur|utr|pol|oec|vet|dent|theol|habil|hab|mult|univ|sc|agr|hum|biol|päd|mont|techn"
    r"|pharm|math|em|h\.\s?c|e\.\s?h|inż|arch)\.|\((?:fh|univ\.?|ba|tu|th)\)|inż\s))*[\s,]*)+"
)
_DEGREE = (
    r"(?i)[\s,]+(?:ph\.?\s?d|m\.\s?d|m\.?\s?sc|b\.?\s?sc|ll\.?\s?[mb]|m\.\s?a|b\.\s?a|m\.?eng|b\.?eng|dipl\.?-ing"
    r"|esq|csc|dr\.|(?-i:MBA|MD|DDS|CPA|JD|RN|CFA|OBE|MBE|CBE))\.?$"
)
_IS_TITLE_AS_NAME = "lower(last_name) in ('doktor', 'professor')"  # Anna Doktor
_ADDRESSED_AS = (
    r"(?:herrn?|frau|hrn?|fr|mr|mrs|ms|mx)\.?\s+(?:und|u\.|&|and|\+)\s+(?:herrn?|frau|mr|mrs|familie)\.?"
    r"|herrn?|frau|(?-i:[Hh]rn?)\.?|fr\.?|fräulein|frl\.?|mr\.?|mrs\.?|ms\.?|mx\.?|miss|mister|monsieur|madame|mme\.?|mlle\.?"
    r"|signor[ae]?|sig\.(?:ra|na)?|señor(?:a|ita)?|sra\.?|srta\.?|sr\.|doña|dña\.?|dhr\.?|mevr\.?|mevrouw|mw\.?|de\sheer"
    r"|familie|fam\.?|eheleute"
)
# Where nothing follows, it is a salutation alone.
_SALUTATION = rf"(?i)^(?:(?:(?:{_ADDRESSED_AS})\s+)+|(?:{_ADDRESSED_AS})$)"
_NOT_SPLIT_BY = ("s", "und", "y")
# What belongs to the last name in front of it: particles, those that are only in lower case, Irish ones, nobility.
_PARTICLE = (
    "(?:von und zu|"
    + "|".join(p for p in NAME_PARTICLES if p not in _NOT_SPLIT_BY)
    + r"|(?-i:'t|op|in|uit|aan|af|av|do|das|de'|Ó|Ní|Nic|Uí|Mac))"
)
_NOBLE = (
    r"(?:freiherr|freifrau|freiin|graf|gräfin|prinz|prinzessin|fürst|fürstin|herzog|herzogin|baron|baronin|ritter"
    r"|edler|edle)"
)
# First names, then the last name with the particles in front of it, and what tells father and son apart behind it.
_BEHIND_LAST_NAME = (
    r"\s+(?:jun\.|sen\.|jr\.?|sr\.?|(?-i:II|III|IV)|\(?(?:geb(?:\.|oren|orene)?|née|nee|born)\s+[^\s()]+\)?)"
)
_LAST_NAME = "|".join(
    (
        rf"(?:{_NOBLE}\s+)?(?:{_PARTICLE}\s+)+\S+\s+und\s+(?:{_PARTICLE}\s+)*\S+",  # von Thun und Hohenstein
        rf"{_NOBLE}\s+(?:{_PARTICLE}\s+)+\S+",
        r"(?-i:Graf|Gräfin|Freiherr|Freifrau)\s+\S+",
        rf"(?:{_PARTICLE}\s+)*\S+\s+(?-i:y|e)\s+(?:{_PARTICLE}\s+)*\S+",  # Ortega y Gasset
        r"\S+\s+[-\x{2013}]\s+\S+",
        rf"(?:{_PARTICLE}\s+)*\S+",
    )
)
_WHOLE_NAME = rf"(?i)^(\S.*?)\s+((?:{_LAST_NAME})(?:{_BEHIND_LAST_NAME})?)$"
# Particles that are first names as well where they have a capital and one word follows: Al Pacino, Van Nguyen.
_FIRST_NAMES_LIKE_PARTICLES = words("al van del della di bin")
_PARTICLE_AND_NAME = r"^(\p{Lu}\p{Ll}+)\s+(\S+)$"
# Hans Müller, Berlin: at least two words, and what is behind the comma.
_NAME_AND_MORE = r"^(\S+\s[^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
_LAST_FIRST = r"^([^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
# Eichenmüller Herr, Maier (Frau): behind the name, in a list sorted by it; but not the name itself, von Herr.
_SON = r"(?i:jr|sr|jun|sen)\.?|II|III|IV"
_SALUTATION_BEHIND = r"(?i)(?:[\s,(]+(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.)\)?)+$"
# Löwe Technik GmbH & Co. KG: at least one word and a legal form that is nobody's last name.
_COMPANY_FORMS = (
    r"g?gmbh|(?:ges\.?\s?)?mbh|g?ug(?:\s*\(haftungsbeschränkt\))?|kgaa|ohg|e?gbr|e\.\s?k\.|e\.\s?kfm\.|e\.\s?kfr\."
    r"|e\.\s?v\.|partg(?:\s*mbb)?|e\.\s?u\.|ltd\.?|limited|plc|llc|llp|inc\.|corp\.|s\.?\s?à\s?r\.?\s?l\.?|sàrl|s\.a\."
    r"|s\.r\.l\.|s\.p\.a\.|s\.l\.(?:u\.)?|lda\.|b\.v\.|n\.v\.|v\.o\.f\.|aps|a/s|sp\.\s?z\s?o\.\s?o\.|s\.\s?r\.\s?o\."
    r"|d\.\s?o\.\s?o\.|kft\.?|zrt\.?|nyrt\.?|eood|uab"
    # In other letters than these, they are names of people.
    r"|(?-i:AG|ag|KG|kg|SE|OG|eG|SAS|Inc|SARL|SRL|Srl|SpA|BV|NV|AB|Oy|Oyj|SNC|EURL|a\.\s?s\.|AS|ASA|OOD|Bt\.|OÜ|SIA)"
)
_COMPANY = r"(?i)^\S.*\s(?:{forms})(?:\s*(?:&|und|and)\s*co\.?\s*(?:kg|kgaa|ohg))?$"
# JAN AG: in capitals a form of two letters behind a first name is a last name as well.
_NAME_IN_CAPITALS = r"^\p{Lu}+\s\p{Lu}{2,3}$"
# What a company, an office or a club is called with its first word, and nobody is.
_KINDS_OF_COMPANY = words(
    "Firma Fa. Apotheke Arztpraxis Zahnarztpraxis Praxis Anwaltskanzlei Rechtsanwaltskanzlei Kanzlei Steuerberatung "
    "Autohaus Bäckerei Metzgerei Fleischerei Gärtnerei Tischlerei Schreinerei Gemeinde Gemeindeverwaltung "
    "Kirchengemeinde Pfarramt Stadtwerke Stadtverwaltung Landkreis Landratsamt Kindergarten Kita Grundschule Gymnasium "
    "Universität Hochschule Gasthof Gasthaus Restaurant Pizzeria Hotel Ingenieurbüro Architekturbüro Hausverwaltung "
    "Sparkasse Volksbank Raiffeisenbank Feuerwehr"
)
_KIND_OF_COMPANY = rf"^(?:{'|'.join(map(re.escape, _KINDS_OF_COMPANY))})\s+\S"
_FOR_THE_ATTENTION = r"(?:z\.?\s?h(?:d|dn)\.?|zu\s+händen(?:\s+von)?|attn\.?:?|att[.:]|c/o)\s+"
# Müller GmbH, z. Hd. Herrn Schmidt
_COMPANY_AND_PERSON = (
    rf"(?i)^(\S.*\s(?:{{forms}}))[\s,]+(?:{_FOR_THE_ATTENTION})?((?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?)\s+\S.*)$"
)
_PARTICLES_AND_WORD = rf"(?i)^(?:{_PARTICLE}\s+)+\S+$"
_STARTS_WITH_PARTICLE = rf"(?i)^{_PARTICLE}\s"
# Names that East Asia writes with the family in front, also with a blank between; the families of two signs.
_SIGNS = r"[\p{Han}\p{Hangul}\p{Hiragana}]"
_FAMILIES_OF_TWO_SIGNS = words(
    "欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 夏侯 令狐 皇甫 尉迟 公孙 公孫 慕容 宇文 长孙 司徒 端木 "
    "남궁 황보 제갈 선우 독고 사공"
)
# DUPONT Jean: in capitals stands the last name.
_LAST_IN_CAPITALS = r"^(\p{Lu}[\p{Lu}'-]{3,}(?:\s\p{Lu}[\p{Lu}'-]+)*)\s+(\p{Lu}\p{Ll}[^,]*)$"
# Hans Müller (Einkauf), Hans Müller c/o Schmidt: what is no part of the name.
_REMARK = rf"(?i)\s+\([^()]*\)$|[\s,]+{_FOR_THE_ATTENTION}.*$"
_BORN = r"(?i)\((?:geb|née|nee|born)"
# A mailbox or a number in place of a name.
_NO_NAME = r"^[^@\s]+@[^@\s]+\.[^@\s]+$|^[^\p{L}]*\d[^\p{L}]*$"
_NO_NAMES = words(
    "vorname nachname name firstname lastname mustermann musterfrau inconnu desconocido sconosciuto onbekend"
)
_NO_NAMES += ("first name", "last name", "kein name", "no name", "guest user", "test user", "nicht bekannt")


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
            "salutation": f"trim({_moved(_SALUTATION_BEHIND, 'salutation', field)}, '()')",
            field: _without(_SALUTATION_BEHIND, field),
        },
        when=f"{_has(field, ' ', ',', '(')} and regexp_matches({field}, {literal(_SALUTATION_BEHIND)}) "
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
    forms = _COMPANY_FORMS + (f"|{further}" if further else "")
    pattern, with_person = (p.replace("{forms}", forms) for p in (_COMPANY, _COMPANY_AND_PERSON))
    rules = []
    for field, others in (
        ("last_name", "first_name is null"),
        ("first_name", "last_name is null"),
        ("full_name", "first_name is null and last_name is null"),
    ):
        is_name = f"(regexp_matches({field}, {literal(_NAME_IN_CAPITALS)}) and {_listed_first_name(field)})"
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
                f"or regexp_matches({field}, {literal(_KIND_OF_COMPANY)}))",
                confidence=0.95,
            ),
        ]
    return tuple(rules)


def _salutations(entry: Salutations) -> Sequence[Rule]:
    in_front = [f for f in ("full_name", "first_name") if f in entry.fields]
    rules = [*_move(_SALUTATION, "salutation", in_front)]
    if "last_name" in entry.fields:
        # A last name may be Herr or Frau itself; only what is followed by more is a salutation.
        rules += _move(rf"(?i)^(?:(?:{_ADDRESSED_AS})\s+)+", "salutation", ["last_name"])
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
    attention = [_drop(rf"(?i)^{_FOR_THE_ATTENTION}", field, "attention", " ") for field in entry.fields]
    return (*attention, *rules, _SALUTATION_SPELLING)


def _titles(entry: Titles) -> Sequence[Rule]:
    further = "|".join(re.escape(title) for title in entry.titles)
    pattern = _TITLE.replace("{further}", rf"|(?:{further})(?:\s|$)" if further else "")
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
        *_move(pattern, "title", last_name, unless=_IS_TITLE_AS_NAME, having=may_be_title),
        *_move(_DEGREE, "title", whole, name="degree", having=may_have_degree),
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
    f"case when length(full_name) > 2 and left(full_name, 2) in ({sql_list(_FAMILIES_OF_TWO_SIGNS)}) then 2 "
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
        _drop(_REMARK, field, "remark", " ,", unless=f"regexp_matches({field}, {literal(_BORN)})")
        for field in ("full_name", "last_name")
    ),
    # King, Martin, Jr.; King, Martin Jr.; Davis, Jr.
    Rule(
        "full_name_suffix",
        {
            "full_name": f"regexp_replace(regexp_replace(full_name, '^([^,]+),\\s*({_SON})$', '\\1 \\2'), "
            f"'^([^,]+),\\s*([^,]*[^,\\s])[\\s,]+({_SON})$', '\\1 \\3, \\2')"
        },
        when=f"{_NO_PARTS} and contains(full_name, ',') "
        f"and regexp_matches(full_name, ',.*[\\s,](?:{_SON})$|,\\s*(?:{_SON})$')",
        confidence=0.9,
    ),
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
        {"last_name": _part(_LAST_IN_CAPITALS, "full_name", 1), "first_name": _part(_LAST_IN_CAPITALS, "full_name", 2)},
        when=f"{_NO_PARTS} and regexp_matches(full_name, {literal(_LAST_IN_CAPITALS)}) "
        f"and {_listed_first_name(_part(_LAST_IN_CAPITALS, 'full_name', 2))} "
        f"and not {_listed_first_name(_part(_LAST_IN_CAPITALS, 'full_name', 1))}",
        confidence=0.85,
    ),
    Rule(
        "full_name_in_signs",
        {"last_name": "split_part(full_name, ' ', 1)", "first_name": "split_part(full_name, ' ', 2)"},
        when=rf"{_NO_PARTS} and regexp_full_match(full_name, '{_SIGNS}{{1,4}} {_SIGNS}{{1,4}}')",
        confidence=0.9,
    ),
    # Two words are a first and a last name; of more, the pattern knows where the last name begins.
    Rule(
        "full_name_split",
        {
            "first_name": f"case when {_IS_TWO_WORDS} then split_part(full_name, ' ', 1) "
            f"else {_part(_WHOLE_NAME, 'full_name', 1)} end",
            "last_name": f"case when {_IS_TWO_WORDS} then split_part(full_name, ' ', 2) "
            f"else {_part(_WHOLE_NAME, 'full_name', 2)} end",
        },
        when=f"""first_name is null and last_name is null and contains(full_name, ' ') and not contains(full_name, ',')
            and not regexp_matches(full_name, {literal(_STARTS_WITH_PARTICLE)})""",
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


def _placeholders(entry: Placeholders) -> Sequence[Rule]:
    named = [field for field in entry.fields or NAME_FIELDS if field in ("first_name", "last_name", "full_name")]
    return (
        *placeholder_block((*NAME_FIELDS, "company_name"), {"company_name": NO_COMPANY})(entry),
        *(
            Rule(
                "no_name",
                {field: "cast(null as text)"},
                when=f"regexp_matches({field}, '[@0-9]') and regexp_matches({field}, {literal(_NO_NAME)}) "
                f"or list_contains([{sql_list(_NO_NAMES)}], lower({field}))",
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
