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
from pipelines.clean.functions import fold, strip_accents
from pipelines.clean.languages import load_languages
from pipelines.clean.names import NAME_FIELDS
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import BirthDateRange, BirthDateSwapped, ClosedSet

# German and English, then Dutch, French, Spanish, Italian and Polish; Portuguese, Czech, Hungarian, Romanian,
# the North's, Turkish, Greek, Russian and Ukrainian.
_FEMALE = """
    female f w weiblich frau fr frl fraeulein feminin woman mrs ms miss vrouw vrouwelijk v mevrouw mevr mw femme
    feminine madame mme mlle mujer femenino femenina senora sra srta femmina femminile donna signora sigra
    kobieta k zenska pani feminino mulher zena zensky asszony femeie kvinde kvinna kvinne nainen kadin bayan
    γυναικα θηλυ женщина женский жен ж жінка жіноча
"""
_MALE = """
    male m maennlich mannlich herr herrn hr maskulin man mr mannelijk dhr homme h masculin monsieur hombre
    masculino varon senor sr maschio maschile uomo signor sig mezczyzna meska pan homem muz muzsky ferfi barbat
    mand mann mies erkek bay ανδρας αρρεν мужчина мужской муж м чоловік чоловіча
"""
_KADIN = "kad\N{LATIN SMALL LETTER DOTLESS I}n"  # whose i has no dot to take off
GENDERS: dict[str | None, tuple[str, ...]] = {
    "female": (*_FEMALE.split(), _KADIN),
    "male": tuple(_MALE.split()),
    "diverse": ("diverse", "divers", "d", "x", "nonbinary", "nichtbinaer", "other", "inter", "nb", "mx"),
}
NO_GENDER = ("u", "unknown", "unbekannt", "keineangabe", "notspecified", "0", "9")

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
    spellings = f"{field}_spellings"
    pairs = {fold(written): value for value, written_so in values.items() for written in written_so}
    return (
        Rule(
            f"{field}_normalized",
            {field: f"(select meant from {spellings} where written = {compared})"},
            when=f"{compared} in (select written from {spellings})",
            prepare=lambda connection, _: _list_spellings(connection, spellings, pairs),
            is_final=True,
        ),
        Rule(
            f"{field}_unknown",
            {field: "cast(null as text)"},
            when=f"{field} is not null and {compared} not in (select written from {spellings})",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    )


def _list_spellings(connection: DuckDBPyConnection, table: str, pairs: Mapping[str, str | None]) -> None:
    """Make the table of what is `written`, folded, and what is `meant` by it."""
    connection.execute(
        f"""
        create or replace temp table {table} as
        select folded(written) as written, any_value(meant) as meant
        from (select unnest($1) as written, unnest($2) as meant) group by folded(written)
        """,
        [list(pairs), list(pairs.values())],
    )


def _gender(entry: ClosedSet) -> Sequence[Rule]:
    known: dict[str | None, tuple[str, ...]] = {**GENDERS, None: NO_GENDER}
    return _closed_set("gender", "folded(gender)", _with_own(known, entry))


def _language(entry: ClosedSet) -> Sequence[Rule]:
    # The region of de-DE or English (US) says nothing about the language; of several, the first one counts.
    compared = r"folded(regexp_replace(language, '^([a-zA-Z]{2})[-_,;/.].*$|\s*\(.*\)$', '\1'))"
    known: dict[str | None, tuple[str, ...]] = {
        code: (code, *names, *(strip_accents(name) for name in names)) for code, names in load_languages().items()
    }
    return _closed_set("language", compared, _with_own(known, entry))


def _with_own(known: dict[str | None, tuple[str, ...]], entry: ClosedSet) -> dict[str | None, tuple[str, ...]]:
    return known | {member: (*known.get(member, ()), *spellings) for member, spellings in entry.spellings.items()}


BLOCKS: Blocks = {
    "placeholders": placeholder_block(ATTRIBUTE_FIELDS),
    "gender": _gender,
    "language": _language,
}
