"""The rules for what is neither name nor address: text that means nothing, birth date, gender, language.

Add a rule here for an attribute of a person with a closed set of values or a plausible range. A value outside of it is
dropped or proposed for correction, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from pipelines.clean.addresses import ADDRESS_FIELDS
from pipelines.clean.blocks import Blocks, placeholder_block
from pipelines.clean.functions import fold, sql_list
from pipelines.clean.names import NAME_FIELDS
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import BirthDateRange, BirthDateSwapped, ClosedSet

# German and English, then Dutch, French, Spanish, Italian and Polish.
_FEMALE = """
    female f w weiblich frau feminin woman mrs ms vrouw vrouwelijk v mevrouw femme feminine madame mujer femenino
    femenina senora femmina femminile donna signora kobieta k zenska pani
"""
_MALE = """
    male m maennlich mannlich herr maskulin man mr mannelijk dhr homme h masculin monsieur hombre masculino varon senor
    maschio maschile uomo signor mezczyzna meska pan
"""
GENDERS: dict[str | None, tuple[str, ...]] = {
    "female": tuple(_FEMALE.split()),
    "male": tuple(_MALE.split()),
    "diverse": ("diverse", "divers", "d", "x", "nonbinary", "nichtbinaer", "other", "inter"),
}
NO_GENDER = ("u", "unknown", "unbekannt", "keineangabe", "notspecified", "0", "9")

# ISO 639-1 with what people write; the code itself is always understood.
LANGUAGES = {
    "de": ("deutsch", "german", "deu", "ger"),
    "en": ("englisch", "english", "eng"),
    "fr": ("franzoesisch", "franzosisch", "french", "francais", "fra", "fre"),
    "it": ("italienisch", "italian", "italiano", "ita"),
    "es": ("spanisch", "spanish", "espanol", "spa"),
    "nl": ("niederlaendisch", "niederlandisch", "dutch", "nederlands", "nld", "dut"),
    "pl": ("polnisch", "polish", "polski", "pol"),
    "cs": ("tschechisch", "czech", "cestina", "ces", "cze"),
    "da": ("daenisch", "danisch", "danish", "dansk", "dan"),
    "sv": ("schwedisch", "swedish", "svenska", "swe"),
    "tr": ("tuerkisch", "turkisch", "turkish", "turkce", "tur"),
    "ru": ("russisch", "russian", "rus"),
    "uk": ("ukrainisch", "ukrainian", "ukr"),
    "pt": ("portugiesisch", "portuguese", "portugues", "por"),
    "hu": ("ungarisch", "hungarian", "magyar", "hun"),
    "ro": ("rumaenisch", "rumanisch", "romanian", "romana", "ron", "rum"),
    "hr": ("kroatisch", "croatian", "hrvatski", "hrv"),
    "sk": ("slowakisch", "slovak", "slovencina", "slk"),
    "sl": ("slowenisch", "slovenian", "slovenscina", "slv"),
    "el": ("griechisch", "greek", "ell", "gre"),
    "bg": ("bulgarisch", "bulgarian", "bul"),
    "ar": ("arabisch", "arabic", "ara"),
    "zh": ("chinesisch", "chinese", "zho", "chi"),
    "ja": ("japanisch", "japanese", "jpn"),
    "fi": ("finnisch", "finnish", "suomi", "fin"),
    "no": ("norwegisch", "norwegian", "norsk", "nor", "nb", "nn"),
}

ATTRIBUTE_FIELDS = ("job_title", "gender", "language", "lead_source")
TEXT_FIELDS = (*NAME_FIELDS, *ADDRESS_FIELDS, "company_name", *ATTRIBUTE_FIELDS)


def _birth_date_range(entry: BirthDateRange, as_of: date) -> Sequence[Rule]:
    placeholders = ", ".join(f"date {literal(day.isoformat())}" for day in entry.placeholders) or "null"
    return (
        Rule(
            "birth_date_placeholder",
            {"birth_date": "cast(null as date)"},
            when=f"birth_date in ({placeholders})",
            confidence=0.95,
        ),
        Rule(
            "birth_date_too_early",
            {"birth_date": "cast(null as date)"},
            when=f"birth_date < date {literal(entry.earliest.isoformat())}",
            confidence=0.95,
        ),
        Rule(
            "birth_date_in_future",
            {"birth_date": "cast(null as date)"},
            when=f"birth_date > date {literal(as_of.isoformat())}",
        ),
    )


def _birth_date_day_month_swapped(_: BirthDateSwapped) -> Sequence[Rule]:
    return (
        Rule(
            "birth_date_day_month_swapped",
            {"birth_date": _SWAPPED_DATE},
            when="id in (select id from swapped_dates)",
            confidence="(select swapped_dates.confidence from swapped_dates where swapped_dates.id = person_drafts.id)",
            status=Status.PROPOSED,
            prepare=_find_swapped_dates,
        ),
    )


_SWAPPED_DATE = (
    "case when day(birth_date) <= 12 then make_date(year(birth_date), day(birth_date), month(birth_date)) end"
)


def _find_swapped_dates(connection: DuckDBPyConnection, draft: str) -> None:
    """Records whose birth date others of the same name and mailbox or number have with day and month swapped.

    Most of them are right; where as many say one as the other, it is proposed for both with half the confidence.
    """
    connection.execute(
        f"""
        create or replace temp table swapped_dates as
        with dated as (
            select distinct drafts.id, birth_date,
                folded(concat_ws(' ', names.first_name, names.last_name)) as name, uses.kind, contacts.value
            from {draft} as drafts
            inner join name_drafts as names on names.id = drafts.name_id
            inner join contact_uses as uses on uses.record_key = drafts.record_key
            inner join (
                select 'email' as kind, id, match_value as value from email_values
                union all select 'phone', id, value from phone_values
            ) as contacts on contacts.kind = uses.kind and contacts.id = uses.value_id
            where day(birth_date) <= 12 and day(birth_date) <> month(birth_date)
                and names.last_name is not null and contacts.value is not null
        ),
        counted as (
            select name, kind, value, birth_date, count(*) as records from dated group by all
        )
        select dated.id, max(case when others.records > own.records then 0.9 else 0.45 end) as confidence
        from dated
        inner join counted as own using (name, kind, value, birth_date)
        inner join counted as others
            on others.name = dated.name and others.kind = dated.kind and others.value = dated.value
            and others.birth_date = {_SWAPPED_DATE.replace("birth_date", "dated.birth_date")}
        where others.records >= own.records
        group by dated.id
        """
    )


def birth_date_blocks(as_of: date) -> Blocks:
    """The rules for birth dates; `as_of` is the day the build is computed for."""
    return {
        "birth_date_range": partial(_birth_date_range, as_of=as_of),
        "birth_date_day_month_swapped": _birth_date_day_month_swapped,
    }


def _closed_set(field: str, compared: str, values: Mapping[str | None, Iterable[str]]) -> tuple[Rule, Rule]:
    """Known spellings become the value of the set; unknown ones are only reported, and left out of `clean.persons`."""
    pairs = [(spelling, value) for value, spellings in values.items() for spelling in spellings]
    known = f"[{sql_list(spelling for spelling, _ in pairs)}]"
    meant = f"[{', '.join('null' if value is None else literal(value) for _, value in pairs)}]"
    return (
        Rule(
            f"{field}_normalized",
            {field: f"map({known}, {meant})[{compared}]"},
            when=f"list_contains({known}, {compared})",
            is_final=True,
        ),
        Rule(
            f"{field}_unknown",
            {field: "cast(null as text)"},
            when=f"{field} is not null and not list_contains({known}, {compared})",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    )


def _gender(entry: ClosedSet) -> Sequence[Rule]:
    known: dict[str | None, tuple[str, ...]] = {**GENDERS, None: NO_GENDER}
    return _closed_set("gender", "folded(gender)", _with_own(known, entry))


def _language(entry: ClosedSet) -> Sequence[Rule]:
    # The region of de-DE or de_AT says nothing about the language.
    compared = "folded(regexp_replace(language, '^([a-zA-Z]{2})[-_].*$', '\\1'))"
    known: dict[str | None, tuple[str, ...]] = {code: (code, *names) for code, names in LANGUAGES.items()}
    return _closed_set("language", compared, _with_own(known, entry))


def _with_own(known: dict[str | None, tuple[str, ...]], entry: ClosedSet) -> dict[str | None, tuple[str, ...]]:
    return known | {
        member: (*known.get(member, ()), *map(fold, spellings)) for member, spellings in entry.spellings.items()
    }


BLOCKS: Blocks = {
    "placeholders": placeholder_block(ATTRIBUTE_FIELDS),
    "gender": _gender,
    "language": _language,
}
