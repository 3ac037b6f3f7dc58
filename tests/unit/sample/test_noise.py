"""Every noise is a switch: at its rate it is in the data at its rate, at zero it is gone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from pipelines.sample.chance import Calendar, Chance, texts
from pipelines.sample.companies import create_companies, employ_persons
from pipelines.sample.noise import NOISES, Noise, apply_noises, misspell, resolve_rates
from pipelines.sample.persons import create_persons
from pipelines.sample.records import blank_records
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
    return blank_records(persons).assign(is_guest=False)


def changed(before: pd.DataFrame, after: pd.DataFrame) -> float:
    """Share of the first table's rows that differ or got a copy, in the second."""
    rows = len(before)
    same = pd.Series(True, index=before.index)
    for column in before.columns:
        one, two = before[column], after[column].iloc[:rows]
        same &= (one == two) | (one.isna() & two.isna())
    return float((~same).sum() + len(after) - rows) / rows


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_a_noise_spoils_its_share_of_what_it_can_spoil(records: pd.DataFrame, noise: Noise) -> None:
    if noise.name == "spoil_dates":
        records = records.assign(birth_date=texts(records["birth_date"].dt.strftime("%d.%m.%Y")))

    def spoiled(rate: float) -> float:
        random = np.random.default_rng(1)
        return changed(records, noise.function(records, random.random(len(records)) < rate, random))

    assert spoiled(0) == 0
    assert spoiled(1) > 0.2
    assert spoiled(0.2) == pytest.approx(0.2 * spoiled(1), rel=0.2)


def test_nothing_is_spoiled_when_every_noise_is_off(records: pd.DataFrame) -> None:
    for where in ("persons", "orders", "crm", "shop", "guests", "support"):
        assert changed(records, apply_noises(records, where, SILENT, Chance(1))) == 0


def test_every_noise_has_a_name_a_sentence_and_a_place() -> None:
    assert len({noise.name for noise in NOISES}) == len(NOISES)
    for noise in NOISES:
        assert noise.function.__name__ == noise.name
        assert noise.function.__doc__
        assert 0 < noise.rate < 1
        assert set(noise.where) <= {"persons", "orders", "crm", "shop", "guests", "support"}


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


# What each noise looks like in the files, and how often at its usual rate: share of those who can show it.
SIGNS = {
    "share_in_families": (of_contacts("\"E-Mail\" like 'familie.%'"), RATES["share_in_families"]),
    "order_as_guest": ("select 1 - count(customer_no) / count(*) from orders", RATES["order_as_guest"]),
    "duplicate_records": (
        "select count(*) / count(distinct person) - 1 from persons where entity <> 'orders'",
        # Everybody who is known to several systems counts only once below.
        2.0 * (1 + RATES["duplicate_records"]) - 1,
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
    if name == "duplicate_records":
        sign = "select count(*) - count(distinct (source_system, person)) from persons where entity <> 'orders'"
    assert figure(pure, sign) == 0


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
