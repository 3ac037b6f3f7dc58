"""Companies: `clean.companies`, and `clean.company_evidence`, what a record says that tells which company is meant.

Add here what proves that two records mean the same company. Evidence is strong or it is none: a name alone, a domain or
a phone number is shared by parents, branches and namesakes. Joining by it is the business of `pipelines.resolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.clean.functions import sql_list
from pipelines.clean.persons import staging_table
from pipelines.entities import ENTITIES
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Legal forms as they end a name, in lower case without dots and signs; the longer ones first.
LEGAL_FORMS = {
    "gmbh co kgaa": "gmbh co kgaa",
    "gmbh co kg": "gmbh co kg",
    "gmbh und co kg": "gmbh co kg",
    "ug haftungsbeschraenkt co kg": "ug co kg",
    "ug co kg": "ug co kg",
    "ag co kgaa": "ag co kgaa",
    "ag co kg": "ag co kg",
    "ug haftungsbeschraenkt": "ug",
    "gesellschaft mit beschraenkter haftung": "gmbh",
    "aktiengesellschaft": "ag",
    "partg mbb": "partg",
    **{form: form for form in ("partg", "ggmbh", "gmbh", "kgaa", "ohg", "gbr", "ug", "ag", "kg", "se", "eg")},
    "mbh": "gmbh",
    **dict.fromkeys(("e kfm", "e kfr", "ekfm", "ekfr", "e k", "ek"), "ek"),
    **dict.fromkeys(("e v", "ev"), "ev"),
    **dict.fromkeys(("limited", "ltd"), "ltd"),
    **{form: form for form in ("plc", "inc", "llc", "corp", "bv", "nv", "sarl", "sas", "srl", "spa", "aps", "sro")},
}

# The numbers that stand in examples and forms, and are typed where one must be given.
EXAMPLE_NUMBERS = ("123456789", "12345678", "987654321", "111111111", "999999999")
# A name of fewer letters and digits says too little, also with the postal code.
SHORTEST_NAME = 3

# Words in lower case, umlauts as digraphs, without dots (e.K.) and signs.
_WORDS = r"""
company_words(x) as nullif(trim(regexp_replace(
    strip_accents(replace(replace(replace(replace(replace(lower(x), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'),
        '.', '')),
    '[^\p{L}\p{N}]+', ' ', 'g')), '')
"""

_LEGAL_FORM = f"""
legal_form_of(words) as map([{sql_list(LEGAL_FORMS)}], [{sql_list(LEGAL_FORMS.values())}])[
    regexp_extract(' ' || words, ' ({"|".join(LEGAL_FORMS)})$', 1)]
"""

_STEM = f"""
company_stem(words) as nullif(trim(regexp_replace(' ' || words, ' ({"|".join(LEGAL_FORMS)})$', '')), '')
"""

# Two letters of the country and its number; 000000000 and 123456789 are no company's.
_VAT = rf"""
vat_number(x) as (
    with compact as (select regexp_replace(upper(x), '[^A-Z0-9]', '', 'g') as vat)
    select vat from compact
    where regexp_matches(vat, '^[A-Z]{{2}}[A-Z0-9]{{8,12}}$')
        and len(list_distinct(string_split(vat[3:], ''))) > 2
        and regexp_replace(vat, '[^0-9]', '', 'g') not in ({sql_list(EXAMPLE_NUMBERS)})
)
"""

_ENTRY = r"\b(hra|hrb|gnr|pr|vr|fn)\s*[.:]?\s*(\d+\s?[a-z]?)\b"

# HRB 1234 is a company of one court only: the court that is named, else that of the town, has to agree as well.
_REGISTER = rf"""
register_entry(x, city) as (
    with parts as (
        select
            regexp_extract(lower(x), '{_ENTRY}', ['register', 'number']) as entry,
            folded(regexp_replace(
                lower(x), '{_ENTRY}|amtsgericht|registergericht|handelsregister|\bag\b|\bnr\b', '', 'g'
            )) as court
    ),
    located as (
        select entry, coalesce(nullif(court, ''), folded(city)) as court from parts
    )
    select concat_ws(' ', entry.register, replace(entry.number, ' ', ''), court) from located
    where entry.number <> '' and court is not null
)
"""


def write_companies(connection: DuckDBPyConnection, company_country: str) -> None:
    """Write `clean.companies` and `clean.company_evidence`; needs the functions and country names of the stage."""
    for definition in (_WORDS, _LEGAL_FORM, _STEM, _VAT, _REGISTER):
        connection.execute(f"create or replace temp macro {definition}")
    _write_cleaned(connection)
    _write_evidence(connection, company_country)


def _write_cleaned(connection: DuckDBPyConnection) -> None:
    """One row per company record, as delivered except for country and placeholders."""
    connection.execute(
        f"""
        create or replace table clean.companies as
        select
            record_key, source_system, source_record_id,
            case when not is_placeholder(name) then name end as name,
            legal_form, domain, vat_id, register_number, street, postal_code, city,
            country_code(country) as country,
            industry, employee_count, coalesce(is_key_account, false) as is_key_account,
            parent_company_record_key, is_deleted, merged_into_record_key, created_at, updated_at, deleted_at
        from {staging_table(ENTITIES["crm", "companies"])}
        order by record_key
        """
    )


def _write_evidence(connection: DuckDBPyConnection, company_country: str) -> None:
    """One row per record and kind of evidence; orders that name a company have some as well.

    `kind` is vat_id, register_number or name (the name without its legal form, with postal code and country);
    `legal_form` is that of the name, where it is known.
    """
    connection.execute(
        f"""
        create or replace table clean.company_evidence as
        with mentions as (
            select record_key, 'companies' as entity, company_words(name) as words, legal_form, vat_id,
                register_entry(register_number, city) as register_number, postal_code, country
            from clean.companies
            union all
            select record_key, 'orders',
                case when not is_placeholder(company_name) then company_words(company_name) end, null, vat_id, null,
                billing_postal_code, country_code(billing_country)
            from {staging_table(ENTITIES["shop", "orders"])}
            where company_name is not null or vat_id is not null
        ),
        compared as (
            select
                record_key, entity, vat_number(vat_id) as vat_id, register_number,
                coalesce(legal_form_of(words), legal_form_of(company_words(legal_form))) as legal_form,
                replace(company_stem(words), ' ', '') as stem,
                regexp_replace(upper(postal_code), '[^A-Z0-9]', '', 'g') as postal_code,
                coalesce(country, {literal(company_country)}) as country
            from mentions
        )
        select record_key, entity, 'vat_id' as kind, vat_id as value, stem, legal_form from compared
        where vat_id is not null
        union all
        select record_key, entity, 'register_number', register_number, stem, legal_form from compared
        where register_number is not null
        union all
        select record_key, entity, 'name', concat_ws(' ', stem, postal_code, country), stem, legal_form from compared
        where length(stem) >= {SHORTEST_NAME} and postal_code <> ''
        order by record_key, kind
        """
    )
