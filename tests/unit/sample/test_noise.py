"""Every noise is a switch: at its rate it is in the data at its rate, at zero it is gone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from pipelines.sample.chance import Calendar, Chance, texts
from pipelines.sample.companies import create_companies, employ_persons
from pipelines.sample.noise import NOISES, PLACES, Noise, apply_noises, resolve_rates
from pipelines.sample.persons import create_persons
from pipelines.sample.records import blank_records
from pipelines.sample.slips import misspell
from pipelines.sample.vocabulary import NICKNAMES, first_names
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.sample.conftest import AS_OF, figure

SILENT = {noise.name: 0.0 for noise in NOISES}
RATES = {noise.name: noise.rate for noise in NOISES}


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    calendar, chance = Calendar.at(AS_OF), Chance(5)
    persons = create_persons(4000, calendar, chance)
    persons = employ_persons(persons, create_companies(4000, calendar, chance), chance)
    nothing = texts([None] * len(persons))
    return blank_records(persons).assign(
        **dict.fromkeys(("is_guest", "is_cancelled", "is_unpaid", "is_returned", "is_machine"), False),
        **dict.fromkeys(("unsubscribes", "complains", "has_objected_before", "withdraws_second"), False),
        **dict.fromkeys(("voucher", "bounce", "merged_into"), nothing),
        currency=texts(["EUR"] * len(persons)),
        remark=texts([""] * len(persons)),
        answer=texts(["confirmed"] * len(persons)),
        priority=texts(["P2"] * len(persons)),
        buys=True,
        reopened=0,
        requester=persons["person"],
        first_record=persons["person"],
        deleted_at=np.datetime64("NaT", "s"),
        updated_at=np.datetime64("2026-01-01", "s"),
    )


@pytest.fixture(scope="module")
def companies() -> pd.DataFrame:
    return create_companies(50 * 4000, Calendar.at(AS_OF), Chance(5))


def rows_of(noise: Noise, records: pd.DataFrame, companies: pd.DataFrame) -> pd.DataFrame:
    """Rows on which the noise can show."""
    if set(noise.where) & {"firms", "companies"}:
        return companies
    if noise.name == "spoil_dates":
        return records.assign(birth_date=texts(records["birth_date"].dt.strftime("%d.%m.%Y")))
    return records


def changed(before: pd.DataFrame, after: pd.DataFrame) -> float:
    """Share of the first table's rows that differ or got a copy, in the second."""
    rows = len(before)
    same = pd.Series(True, index=before.index)
    for column in before.columns:
        one, two = before[column], after[column].iloc[:rows]
        same &= (one == two) | (one.isna() & two.isna())
    return float((~same).sum() + len(after) - rows) / rows


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_a_noise_spoils_its_share_of_what_it_can_spoil(
    records: pd.DataFrame, companies: pd.DataFrame, noise: Noise
) -> None:
    records = rows_of(noise, records, companies)

    def spoiled(rate: float) -> float:
        random = np.random.default_rng(1)
        return changed(records, noise.function(records, random.random(len(records)) < rate, random))

    assert spoiled(0) == 0
    assert spoiled(1) > 0.02
    assert spoiled(0.2) == pytest.approx(0.2 * spoiled(1), rel=0.2, abs=0.005)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_a_noise_changes_only_the_columns_that_it_names(
    records: pd.DataFrame, companies: pd.DataFrame, noise: Noise
) -> None:
    records = rows_of(noise, records, companies)
    after = noise.function(records, np.ones(len(records), dtype=bool), np.random.default_rng(1))
    rest = [name for name in records.columns if name not in noise.columns]
    pd.testing.assert_frame_equal(after[rest].iloc[: len(records)], records[rest], check_dtype=False)


def test_nothing_is_spoiled_when_every_noise_is_off(records: pd.DataFrame, companies: pd.DataFrame) -> None:
    for where in PLACES:
        rows = companies if where in ("firms", "companies") else records
        assert changed(rows, apply_noises(rows, where, SILENT, Chance(1))) == 0


def test_every_noise_has_a_name_a_sentence_and_a_place() -> None:
    assert len({noise.name for noise in NOISES}) == len(NOISES)
    for noise in NOISES:
        assert noise.function.__name__ == noise.name
        assert noise.function.__doc__
        assert 0 < noise.rate < 1
        assert set(noise.where) <= set(PLACES)


def test_overrides_change_only_what_they_name() -> None:
    assert resolve_rates({"vary_case": 0.5}) == {**RATES, "vary_case": 0.5}


def test_a_misspelled_word_is_one_slip_away(settings: Settings) -> None:
    words = texts(["Schumacher", "Petersen", "Anna", "Otto", "Ole", None] * 400)
    slipped = misspell(words, np.ones(len(words), dtype=bool), np.random.default_rng(1))
    pairs = pd.DataFrame({"word": words, "slipped": slipped})
    with connect(None, settings) as connection:
        connection.register("pairs", pairs)
        distances = connection.execute(
            "select word, min(damerau_levenshtein(word, slipped)), max(damerau_levenshtein(word, slipped)), "
            "count(distinct slipped) > 10 from pairs where word is not null group by word order by word"
        ).fetchall()
    assert distances == [
        ("Anna", 1, 1, True),
        ("Ole", 0, 0, False),
        ("Otto", 1, 1, True),
        ("Petersen", 1, 1, True),
        ("Schumacher", 1, 1, True),
    ]
    assert slipped[words.isna()].isna().all()


def of_contacts(condition: str) -> str:
    return f"select count(*) filter (where {condition}) / count(*) from contacts"


def of_messages(number: str) -> str:
    return f"select {number} / count(*) filter (where event = 'sent') from messages"


# What each noise looks like in the files, and how often at its usual rate: share of those who can show it.
SIGNS = {
    "share_in_families": (of_contacts("\"E-Mail\" like 'familie.%'"), RATES["share_in_families"]),
    "order_as_guest": ("select 1 - count(customer_no) / count(*) from orders", RATES["order_as_guest"]),
    "duplicate_records": (
        """select count(*) / count(distinct (source_system, person)) - 1 from persons
        where entity <> 'orders' and source_system <> 'tills'""",
        RATES["duplicate_records"],
    ),
    "use_second_mailbox": (of_contacts("regexp_matches(\"E-Mail\", '^[a-z]{1,4}\\d{7}[@+]')"), 0.15 * 0.25),
    "keep_old_address": (
        """select count(*) filter (where left(PLZ, 5) <> zip) / count(*)
        from contacts join persons p on p.entity = 'contacts' and p.source_record_id = "Kontakt-Nr"
        join (select zip, person from customers join persons on entity = 'customers' and source_record_id = customer_no)
            using (person)""",
        RATES["keep_old_address"],
    ),
    "leave_fields_empty": (of_contacts('"Straße" is null'), RATES["leave_fields_empty"] / 4),
    "vary_case": (of_contacts("Nachname = upper(Nachname) and length(Nachname) > 2"), RATES["vary_case"]),
    "put_title_in_first_name": (
        of_contacts("regexp_matches(Vorname, '^(Frau|Herr|Dr\\.|Prof\\.|Dipl)')"),
        RATES["put_title_in_first_name"],
    ),
    "join_name_parts": (of_contacts("Name is not null and Nachname is null"), RATES["join_name_parts"]),
    "vary_phone_formats": (
        "select count(*) filter (where not starts_with(Mobil, '+49176')) / count(Mobil) from contacts",
        RATES["vary_phone_formats"],
    ),
    "add_plus_tags": (of_contacts("\"E-Mail\" like '%+%@%'"), 0.95 * RATES["add_plus_tags"]),
    "mistype_email_domains": (
        of_contacts(
            'regexp_matches("E-Mail", \'@(gmx.ed|gxm.de|gmx.d|web.d|wbe.de|web.ed|gm.*[nl]\\.con|gmial.com|'
            "gmai.com|gamil.com|t-onlin.de|tonline.de|t-online.d|fre.*net.d|frenet.de|outlok.de|outlook.ed|"
            "hotmial.de|hotmail.d|yaho.de|yahoo.d|icloud.con|iclod.com|poste.de|posteo.d)$')"
        ),
        0.85 * RATES["mistype_email_domains"],
    ),
    "invalidate_emails": (
        of_contacts('"E-Mail" is not null and not regexp_full_match(trim("E-Mail"), \'[^@ ]+@[^@ ]+\\.[^@ ]+\')'),
        0.95 * RATES["invalidate_emails"],
    ),
    "spoil_dates": (
        of_contacts(
            "Geburtsdatum is not null and (try_strptime(Geburtsdatum, '%d.%m.%Y') is null "
            "or Geburtsdatum = '01.01.1900')"
        ),
        0.6 * RATES["spoil_dates"],
    ),
    "cancel_orders": ("select count(cancelled_at) / count(*) from orders", RATES["cancel_orders"]),
    "leave_unpaid": (
        "select avg((paid_at is null and cancelled_at is null)::int) from orders",
        RATES["leave_unpaid"],
    ),
    "redeem_vouchers": (
        "select (select count(*) from order_discounts) / (select count(*) from orders)",
        RATES["redeem_vouchers"],
    ),
    "pay_in_foreign_currency": (
        "select avg((waehrung <> 'EUR' and land <> 'DE')::int) from bestellungen",
        RATES["pay_in_foreign_currency"],
    ),
    "return_goods": (
        "select (select count(*) from returns) / (select count(*) from order_lines)",
        0.9 * RATES["return_goods"],
    ),
    "hide_behind_relay": (
        "select avg((buyerMail ilike '%@relay.%')::int) from sales where buyerMail is not null",
        RATES["hide_behind_relay"],
    ),
    "report_deaths": (of_contacts("Verstorben = 'ja'"), RATES["report_deaths"]),
    "employ_staff": (of_contacts("Mitarbeiterin = 'ja'"), RATES["employ_staff"]),
    "delete_in_crm": (of_contacts('"Gelöscht am" is not null'), RATES["delete_in_crm"]),
    "restore_in_crm": (of_contacts("Bemerkung = 'Wiederhergestellt'"), RATES["restore_in_crm"]),
    "merge_in_crm": (of_contacts('"Aufgegangen in" is not null'), 0.04 * RATES["merge_in_crm"]),
    "unmerge_in_crm": (of_contacts("Bemerkung = 'Zusammenführung rückgängig'"), 0.04 * RATES["unmerge_in_crm"]),
    "let_minors_in": (
        of_contacts("try_strptime(Geburtsdatum, '%d.%m.%Y') > date '2008-11-22'"),
        0.6 * RATES["let_minors_in"],
    ),
    "ask_from_unknown_address": (
        "select avg((requester is null)::int) from tickets",
        RATES["ask_from_unknown_address"],
    ),
    "lack_priority": ("select avg((priority is null)::int) from tickets", RATES["lack_priority"]),
    "reopen_tickets": ("select avg((reopened > 0)::int) from tickets", RATES["reopen_tickets"]),
    "bounce": (of_messages("count(*) filter (where event = 'bounced')"), RATES["bounce"]),
    "open_by_machine": (of_messages("count(*) filter (where by_machine)"), RATES["open_by_machine"]),
    "unsubscribe": (of_messages("count(*) filter (where event = 'unsubscribed')"), RATES["unsubscribe"]),
    "complain": (of_messages("count(*) filter (where event = 'complained')"), RATES["complain"]),
    "use_role_mailbox": (
        "select avg((\"E-Mail\" like 'info@%')::int) from contacts where Firma is not null and Nachname is not null",
        RATES["use_role_mailbox"],
    ),
}


@pytest.mark.parametrize("name", SIGNS)
def test_a_noise_shows_in_the_files_at_its_rate_and_not_at_zero(
    tables: DuckDBPyConnection, pure: DuckDBPyConnection, name: str
) -> None:
    sign, expected = SIGNS[name]
    noisy = figure(tables, sign)
    rows = figure(tables, "select count(*) from contacts")
    deviation = (expected * (1 + expected) / rows) ** 0.5
    assert noisy == pytest.approx(expected, abs=4 * deviation + 0.1 * expected)
    assert noisy > 0
    assert figure(pure, sign) == 0


NICK = ", ".join(f"'{name}'" for name in NICKNAMES.values() if name not in {n for n, *_ in first_names()})
SAME_HOME = """
    from contacts a join persons p on p.entity = 'contacts' and p.source_record_id = a."Kontakt-Nr"
    join contacts b on a."Straße" = b."Straße" and a.PLZ = b.PLZ
    join persons q on q.entity = 'contacts' and q.source_record_id = b."Kontakt-Nr" and p.person < q.person
"""
# What shows in the files whenever it happened, and what nobody does without noise. Each counts rows.
PATTERNS = {
    "name_son_after_father": f"select count(*) {SAME_HOME} where a.Vorname = b.Vorname and a.Nachname = b.Nachname",
    "bear_twins": f"""select count(*) {SAME_HOME} where a.Geburtsdatum = b.Geburtsdatum
        and a.Vorname <> b.Vorname and a.Nachname = b.Nachname""",
    "share_flats": f"""select count(*) {SAME_HOME}
        where a.Nachname <> b.Nachname and right(a.Telefon, 4) = right(b.Telefon, 4)""",
    "found_sisters": """select count(*) from companies a join companies b
        on a.Domain = b.Domain and a.Straße = b.Straße and a."Firmen-Nr" < b."Firmen-Nr"
        join noises n on n.noise = 'found_sisters' and n.entity = 'companies'
            and n.source_record_id in (a."Firmen-Nr", b."Firmen-Nr")""",
    "duplicate_companies": """select count(*) from (select company from accounts group by company
        having count(*) > 1)""",
    "change_employer": "select count(*) from company_contacts where Hauptfirma = 'nein' and \"Bis\" is not null",
    "use_office_phone": """select count(*) from (select regexp_replace(Telefon, '\\D', '', 'g') as number, count(*)
        from contacts where Firma is not null and Telefon is not null group by "Firmen-Nr", 1 having count(*) > 1)""",
    "keep_former_name": """select count(*) from contacts c
        join noises n on n.noise = 'keep_former_name' and n.entity = 'contacts' and n.source_record_id = c."Kontakt-Nr"
        where Nachname is not null and not contains(lower("E-Mail"), lower(Nachname))""",
    "use_nicknames": f"select count(*) from contacts where Vorname in ({NICK})",
    "fill_in_placeholders": "select count(*) from customers where mail = 'test@test.de' or surname = 'n/a'",
    "put_company_in_name": "select count(*) from customers where given_name is null and surname like '%GmbH%'",
    "inject_hostile_latin_text": "select count(*) from contacts where Nachname similar to '(=|@|<|\"|Robert..;).*'"
    " or length(Nachname) = 10000",
    "inject_hostile_text": "select count(*) from customers "
    "where regexp_matches(surname, '^[=@<\"]|[^\\x00-\\x{024f}]')",
    "transpose_letters": "select count(*) from noises where noise = 'transpose_letters'",
    "never_confirm": """select count(*) from permissions where Kanal = 'E-Mail' and Stand = 'angefragt'""",
    "lack_consent": """select count(*) from noises where noise = 'lack_consent'""",
    "opt_in_after_objection": """select count(*) from permissions o join permissions c using ("Kontakt-Nr", "E-Mail")
        where o.Art = 'Widerspruch' and c.Art = 'Einwilligung' and o.Kanal = 'E-Mail' and c.Kanal = 'E-Mail'""",
    "withdraw_one_address": """select count(*) from permissions w join permissions g using ("Kontakt-Nr")
        where w.Kanal = 'E-Mail' and g.Kanal = 'E-Mail' and w.Stand = 'widerrufen' and g.Stand = 'erteilt'
            and w."E-Mail" is distinct from g."E-Mail\"""",
    "misspell_names": "select count(*) from noises where noise = 'misspell_names'",
    "misspell_streets": "select count(*) from noises where noise = 'misspell_streets'",
    "swap_name_parts": "select count(*) from noises where noise = 'swap_name_parts'",
    "transliterate_umlauts": "select count(*) from contacts where Ort = 'Muenchen'",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_noise_leaves_its_pattern_in_the_files_and_none_at_zero(
    tables: DuckDBPyConnection, pure: DuckDBPyConnection, name: str
) -> None:
    assert figure(tables, PATTERNS[name]) > 0
    assert figure(pure, PATTERNS[name]) == 0


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_the_truth_says_which_records_a_noise_changed(
    tables: DuckDBPyConnection, pure: DuckDBPyConnection, noise: Noise
) -> None:
    assert noise.name in {*SIGNS, *PATTERNS}
    said = f"select count(*) from noises where noise = '{noise.name}'"
    assert figure(tables, said) > 0
    assert figure(pure, said) == 0


def test_the_noises_of_a_record_are_really_on_that_record(tables: DuckDBPyConnection) -> None:
    for name, condition in {
        "use_nicknames": f"Vorname not in ({', '.join(repr(n) for n in NICKNAMES.values())})",
        "report_deaths": "Verstorben = 'nein'",
        "delete_in_crm": "\"Gelöscht am\" is null and Bemerkung <> 'Wiederhergestellt'",
        "join_name_parts": "Name is null",
    }.items():
        rows = f"""from contacts join noises on source_system = 'crm' and entity = 'contacts' and noise = '{name}'
            and source_record_id = "Kontakt-Nr" """
        wrong = figure(tables, f"select count(*) {rows} where {condition}")
        # Another noise may have changed the same field afterwards.
        assert wrong <= 0.35 * figure(tables, f"select count(*) {rows}"), name


def test_who_opts_in_after_an_objection_objected_before(tables: DuckDBPyConnection) -> None:
    given = """strptime({}."Erteilt am", '%d.%m.%Y %H:%M:%S')"""
    [(first, last)] = tables.execute(
        f"""select min({given.format("c")} - {given.format("o")}), max({given.format("c")} - {given.format("o")})
        from permissions o join noises n on n.noise = 'opt_in_after_objection' and n.source_record_id = o.Nr
        join permissions c using ("Kontakt-Nr")
        where o.Art = 'Widerspruch' and c.Art = 'Einwilligung' and o.Kanal = 'E-Mail' and c.Kanal = 'E-Mail'
            and c."Bestätigt am" is not null and c."Widerrufen am" is null"""
    ).fetchall()
    assert 29 <= first.days <= last.days <= 31


def test_umlauts_are_written_in_both_ways_only_with_noise(tables: DuckDBPyConnection, pure: DuckDBPyConnection) -> None:
    share = (
        "select avg((\"Straße\" like '%strasse %')::int) from contacts where regexp_matches(\"Straße\", 'stra(ß|ss)e ')"
    )
    assert figure(tables, share) == pytest.approx(RATES["transliterate_umlauts"], rel=0.2)
    assert figure(tables, "select count(*) from contacts where Ort = 'Munchen'") > 0
    assert figure(pure, share) == 0


def test_few_addresses_are_invalid(tables: DuckDBPyConnection) -> None:
    for mails in ('"E-Mail") from contacts', "mail) from customers", "email) from users"):
        column = mails.split(")")[0]
        valid = f"regexp_full_match(trim({column}), '[^@ ]+@[^@ ]+\\.[^@ ]+')"
        assert 0 < figure(tables, f"select count(*) filter (where not {valid}) / count({mails}") < 0.01
