"""Companies: `clean.companies`, and `clean.company_evidence`, what a record says that tells which company is meant.

Add here what tells companies apart. What it proves, alone or with more, is the business of `pipelines.resolve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pipelines.clean.addresses import COUNTRY_RULES
from pipelines.clean.blocks import Blocks, build_rules, placeholder_block, stray_characters_block
from pipelines.clean.cache import load_values, save_values
from pipelines.clean.drafts import mark_rejections
from pipelines.clean.emails import list_shared_domains
from pipelines.clean.functions import sql_list
from pipelines.clean.persons import staging_table
from pipelines.clean.rules import Rule, Status, apply_rules
from pipelines.company_names import NO_COMPANY, SHORTEST_NAME, SPELLINGS, create_name_macros
from pipelines.entities import ENTITIES
from pipelines.tables import write_table
from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import EmailMatching, RuleConfig
    from pipelines.settings import Settings

# The numbers that stand in examples and forms, and are typed where one must be given.
EXAMPLE_NUMBERS = ("123456789", "12345678", "987654321", "111111111", "999999999")
# Where many companies have their page: such a website says nothing of whose it is.
HOSTS_OF_MANY = words(
    "facebook.com instagram.com linkedin.com xing.com youtube.com twitter.com x.com google.com ebay.de amazon.de "
    "etsy.com kleinanzeigen.de wixsite.com jimdo.com jimdofree.com wordpress.com blogspot.com business.site"
)

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

# The host of a website, an address or a mailbox, without www.
_DOMAIN = r"""
domain_of(x) as nullif(regexp_extract(
    regexp_replace(regexp_replace(lower(trim(x)), '^[a-z]+:/*|^.*@', ''), '^www[0-9]?\.|[/?#:,; ].*$', '', 'g'),
    '^(?:[\p{L}0-9-]+\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)$'
), '')
"""


def write_companies(
    connection: DuckDBPyConnection,
    settings: Settings,
    entries: Sequence[RuleConfig],
    company_country: str,
    matching: EmailMatching,
) -> None:
    """Write `clean.companies` and `clean.company_evidence`.

    Needs the functions and country names of the stage, and `clean.persons`; `matching` names further free providers.
    """
    create_name_macros(connection)
    for definition in (_VAT, _REGISTER, _DOMAIN):
        connection.execute(f"create or replace temp macro {definition}")
    _clean_companies(connection, build_rules(entries, company_blocks(settings)))
    _write_evidence(connection, company_country)
    _add_domains(connection, (*list_shared_domains(matching), *HOSTS_OF_MANY))


def company_blocks(settings: Settings) -> Blocks:
    """The rules for companies; `settings` say where values are remembered."""
    return {
        "placeholders": placeholder_block(
            ("name", "legal_form", "vat_id", "street", "postal_code", "city"), {"name": NO_COMPANY}
        ),
        "stray_characters": stray_characters_block(("name", "street", "city")),
        "country_to_iso": lambda _: COUNTRY_RULES,
        "legal_form": lambda _: _LEGAL_FORM_RULES,
        "vat_id_format": lambda _: _VAT_FORMAT_RULES,
        "vat_id_checksum": lambda _: (
            Rule(
                "vat_id_checksum",
                {"vat_id": "cast(null as text)"},
                when="vat_id in (select vat_id from vat_ids where not is_valid)",
                confidence=0.9,
                status=Status.PROPOSED,
                prepare=partial(_check_vat_ids, settings=settings),
            ),
        ),
    }


def _spelled(field: str) -> str:
    """SQL for the legal form in a field as it is written; of AS by its country, else by its stroke."""
    spellings = f"map([{sql_list(SPELLINGS)}], [{sql_list(SPELLINGS.values())}])"
    return (
        f"case when legal_form_of(company_words({field})) <> 'as' "
        f"then {spellings}[legal_form_of(company_words({field}))] "
        f"when country in ('CZ', 'SK') then 'a.s.' when country = 'TR' then 'A.Ş.' "
        f"when country = 'DK' or country is null and contains({field}, '/') then 'A/S' else 'AS' end"
    )


_LEGAL_FORM_RULES = (
    Rule(
        "legal_form_from_name",
        {"legal_form": _spelled("name")},
        when="legal_form is null and legal_form_of(company_words(name)) is not null "
        r"and not regexp_matches(name, '(?:^|[\s&])Spa$')",  # Hotel & Spa
        confidence=0.95,
    ),
    Rule(
        "legal_form_spelling",
        {"legal_form": _spelled("legal_form")},
        when="legal_form_of(company_words(legal_form)) is not null",
    ),
)

# Greece writes EL before its VAT numbers.
_VAT_COUNTRY = "case country when 'GR' then 'EL' else country end"
# How the number of a country is written where the country itself is missing in front.
_NATIONAL_VAT = {
    **dict.fromkeys(("DE", "PT", "GR", "EE"), r"\d{9}"),
    **dict.fromkeys(("FI", "DK", "LU", "SI", "HU", "MT"), r"\d{8}"),
    **dict.fromkeys(("IT", "HR", "LV"), r"\d{11}"),
    **dict.fromkeys(("PL", "SK"), r"\d{10}"),
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CZ": r"\d{8,10}",
    "RO": r"\d{6,10}",
    "SE": r"\d{10}01",
    "AT": r"U\d{8}",
    "NL": r"\d{9}B\d{2}",
    "ES": r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]",
    "FR": r"[A-Z0-9]{2}\d{9}",
}
_IS_NATIONAL_VAT = " or ".join(
    f"country = {literal(country)} and regexp_full_match(vat_id, {literal(form)})"
    for country, form in _NATIONAL_VAT.items()
)
# USt-IdNr. in front, MWST behind: no part of the number. A number with strokes is that of a German tax office.
_VAT_LABEL = (
    r"^(?:UST|MWST|VAT|TVA|BTW|UID|P\.?\s?IVA|PARTITA\s?IVA|NIP|NIF|CIF|DIČ|MOMS)"
    r"(?:[\s.:-]*(?:IDNR|ID|NR|NO|NUMMER|NUMBER))*[\s.:-]+"
)
_COMPACT_VAT = f"regexp_replace(regexp_replace(upper(vat_id), {literal(_VAT_LABEL)}, ''), '[^A-Z0-9]', '', 'g')"
for _written, _unified in (
    (r"^(CHE\d{9})(?:MWST|TVA|IVA|VAT)$", r"\1"),
    (r"^((?:NO)?\d{9})MVA$", r"\1"),
    (r"^GR(\d{9})$", r"EL\1"),
    (r"^BE(\d{9})$", r"BE0\1"),
):
    _COMPACT_VAT = f"regexp_replace({_COMPACT_VAT}, '{_written}', '{_unified}')"
_VAT_FORMAT_RULES = (
    Rule(
        "vat_id_without_number",
        {"vat_id": "cast(null as text)"},
        when=r"not regexp_matches(vat_id, '\d')",
        confidence=0.95,
    ),
    Rule("vat_id_format", {"vat_id": _COMPACT_VAT}, when="vat_id is not null and not contains(vat_id, '/')"),
    Rule(
        "vat_id_country",
        {"vat_id": r"'HU' || left(vat_id, 8)"},
        when=r"country = 'HU' and regexp_full_match(vat_id, '\d{8}[1-5]\d{2}')",
        confidence=0.9,
    ),
    Rule("vat_id_country", {"vat_id": f"{_VAT_COUNTRY} || vat_id"}, when=_IS_NATIONAL_VAT, confidence=0.9),
)


def _check_vat_ids(connection: DuckDBPyConnection, draft: str, settings: Settings) -> None:
    """Make `vat_ids`, whether the check digit of each VAT id of a country that has one is right; carried as cache.

    Those are the countries of the European Union, Great Britain, Norway and Switzerland.
    """
    import pyarrow
    import stdnum
    from stdnum.ch import uid
    from stdnum.eu import vat
    from stdnum.gb import vat as british
    from stdnum.no import orgnr

    abroad = {"ch": uid.is_valid, "gb": british.is_valid, "xi": british.is_valid, "no": orgnr.is_valid}

    def is_valid(vat_id: str) -> bool:
        code = vat_id[:2].lower()
        return bool(abroad[code](vat_id if code == "ch" else vat_id[2:]) if code in abroad else vat.is_valid(vat_id))

    delivered = connection.execute(
        rf"select distinct vat_id from {draft} where regexp_matches(vat_id, '^[A-Z]{{2}}\w+$') order by vat_id"
    ).fetchall()
    known = load_values(settings, "vat_ids", stdnum.__version__)
    judged = (
        dict(zip(*(known.column(name).to_pylist() for name in ("vat_id", "is_valid")), strict=True)) if known else {}
    )
    # A number of another country has no check digit that we know: nothing is said about it.
    ids = [vat_id for (vat_id,) in delivered if vat_id[:2].lower() in {*vat.MEMBER_STATES, "el", *abroad}]
    found = {vat_id: judged[vat_id] if vat_id in judged else is_valid(vat_id) for vat_id in ids}
    columns = {
        "vat_id": pyarrow.array(found.keys(), pyarrow.string()),
        "is_valid": pyarrow.array(found.values(), pyarrow.bool_()),
    }
    table = pyarrow.table(columns)
    if found.keys() != judged.keys():
        save_values(settings, "vat_ids", stdnum.__version__, table)
    connection.register("judged_vat_ids", table)
    connection.execute("create or replace temp table vat_ids as from judged_vat_ids")
    connection.unregister("judged_vat_ids")


def _clean_companies(connection: DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    """Write `clean.companies`, one row per company record; changes are logged under `company_drafts`."""
    connection.execute(
        f"""
        create or replace temp table company_drafts as
        select
            row_number() over () as id, record_key, source_system, 'companies' as entity, source_record_id,
            name, legal_form, domain, vat_id, register_number, street, postal_code, city, country,
            industry, employee_count, coalesce(is_key_account, false) as is_key_account,
            parent_company_record_key, is_deleted, merged_into_record_key, created_at, updated_at, deleted_at,
            null::text[] as rejected
        from {staging_table(ENTITIES["crm", "companies"])}
        """
    )
    mark_rejections(connection, "company_drafts")
    apply_rules(connection, "company_drafts", rules)
    write_table(
        connection,
        "clean.companies",
        """
        select * exclude (id, entity, rejected)
            replace (case when country in (select iso2 from country_names) then country end as country)
        from company_drafts
        order by record_key
        """,
    )


def _write_evidence(connection: DuckDBPyConnection, company_country: str) -> None:
    """One row per record and kind of evidence; orders that name a company have some as well.

    `kind` is vat_id, register_number or name (the name without its legal form, with postal code and country), later
    also domain; `legal_form` is that of the name, where it is known.
    """
    write_table(
        connection,
        "clean.company_evidence",
        f"""
        with mentions as (
            select record_key, 'companies' as entity, company_words(name) as words, legal_form, vat_id,
                register_entry(register_number, city) as register_number, postal_code, country
            from clean.companies
            union all
            select record_key, 'orders',
                case when not is_placeholder(company_name) and lower(company_name) not in ({sql_list(NO_COMPANY)})
                    then company_words(company_name) end,
                null, vat_id, null,
                billing_postal_code, country_code(billing_country)
            from {staging_table(ENTITIES["shop", "orders"])}
            where company_name is not null or vat_id is not null
        ),
        compared as (
            select
                record_key, entity, vat_number(vat_id) as vat_id, register_number,
                coalesce(legal_form_of(words), legal_form_of(company_words(legal_form))) as legal_form,
                replace(company_stem(words), ' ', '') as stem, is_generic(words) as is_generic,
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
        where length(stem) >= {SHORTEST_NAME} and postal_code <> '' and not is_generic
        order by record_key, kind
        """,
    )


def _add_domains(connection: DuckDBPyConnection, shared: Sequence[str]) -> None:
    """Evidence of the kind domain: that of the website, else the one at which most contacts have their mailbox.

    `shared` are the domains that are nobody's own.
    """
    connection.execute("create or replace temp table shared_domains as select distinct unnest($1) as domain", [shared])
    connection.execute(
        """
        insert into clean.company_evidence
        with own as (
            select record_key, domain_of(domain) as domain from clean.companies
        ),
        mailboxes as (
            select company_record_key as record_key, split_part(email, '@', 2) as domain, count(*) as contact_count
            from clean.persons
            where company_record_key is not null and is_email_valid
            group by all
        ),
        found as (
            select record_key, domain, true as is_own, 0 as contact_count from own
            union all
            select record_key, domain, false, contact_count from mailboxes
        )
        select record_key, 'companies', 'domain', arg_max(domain, (is_own, contact_count, domain)), null, null
        from found
        semi join clean.companies using (record_key)
        where domain is not null and domain not in (select domain from shared_domains)
        group by record_key
        order by record_key
        """
    )
