"""The truth names every person record exactly once, and the people are who they should be."""

from __future__ import annotations

import phonenumbers
import pytest
from duckdb import DuckDBPyConnection

from tests.unit.sample.conftest import CUSTOMERS, figure

RECORDS = """
    select 'crm' as source_system, 'contacts' as entity, "Kontakt-Nr" as source_record_id from contacts
    union all select 'shop', 'customers', customer_no from customers
    union all select 'shop', 'orders', order_no from orders
        where customer_no is null and (mail is not null or tel is not null)
    union all select 'support', 'users', id::text from users
    union all select 'mail_order', 'customers', kdnr from kunden
    union all select 'tills', 'customers', card from cards
    union all select 'marketplace', 'orders', saleId from sales where buyerMail is not null
"""


def test_the_truth_and_the_person_records_are_the_same_set(tables: DuckDBPyConnection) -> None:
    named = "select source_system, entity, source_record_id from persons"
    assert figure(tables, f"select count(*) from (({RECORDS}) except all ({named}))") == 0
    assert figure(tables, f"select count(*) from (({named}) except all ({RECORDS}))") == 0
    assert figure(tables, "select count(*) from persons where person is null") == 0
    people = figure(tables, "select count(distinct person) from persons where person like 'p%'")
    assert people == pytest.approx(CUSTOMERS, rel=0.01)


@pytest.mark.parametrize(("source", "share"), [("crm", 0.87), ("shop", 0.75), ("support", 0.40)])
def test_each_system_knows_its_share_of_the_people(pure: DuckDBPyConnection, source: str, share: float) -> None:
    known = f"select count(distinct person) from persons where source_system = '{source}' and person like 'p%'"
    assert figure(pure, known) / CUSTOMERS == pytest.approx(share, abs=0.03)


def test_without_noise_all_records_of_a_person_agree_and_no_two_people_share_a_mailbox(
    pure: DuckDBPyConnection,
) -> None:
    both = """
        from contacts c join persons p on entity = 'contacts' and source_record_id = "Kontakt-Nr"
        join (select * from customers join persons on entity = 'customers' and source_record_id = customer_no) s
            using (person)
    """
    assert figure(pure, f"select count(*) {both}") > 1000
    different = """where Vorname <> given_name or Nachname <> surname or "E-Mail" is distinct from mail
        or Mobil is distinct from mobile_tel or PLZ <> zip or "Straße" <> street || ' ' || house_no
        or strptime(Geburtsdatum, '%d.%m.%Y') <> dob"""
    assert figure(pure, f"select count(*) {both} {different}") == 0
    mailboxes = """select count(*) from (select "E-Mail" from contacts where "E-Mail" is not null
        group by 1 having count(*) > 1)"""
    assert figure(pure, mailboxes) == 0
    numbers = "select count(*) from (select Mobil from contacts where Mobil is not null group by 1 having count(*) > 1)"
    assert figure(pure, numbers) == 0


def test_families_share_mailbox_landline_and_address_but_not_first_name_and_birth_date(
    tables: DuckDBPyConnection,
) -> None:
    families = """
        select "E-Mail" as mailbox, count(distinct person) as people, count(distinct Telefon) as landlines
        from contacts join persons on entity = 'contacts' and source_record_id = "Kontakt-Nr"
        where "E-Mail" like 'familie.%' group by 1 having count(distinct person) > 1
    """
    assert figure(tables, f"select count(*) from ({families})") > 40
    twins = """
        select count(*) from (
            select "E-Mail", Geburtsdatum from contacts
            join persons on entity = 'contacts' and source_record_id = "Kontakt-Nr"
            where "E-Mail" like 'familie.%' and strptime(Geburtsdatum, '%d.%m.%Y') > date '1900-01-01'
            group by 1, 2 having count(distinct person) > 1)
    """.replace("strptime", "try_strptime")
    assert figure(tables, twins) == 0


def test_every_number_is_a_valid_german_one(pure: DuckDBPyConnection) -> None:
    numbers = pure.execute("select distinct unnest([Telefon, Mobil]) from contacts").fetchall()
    given = [number for (number,) in numbers if number]
    assert len(given) > 1000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in given)


def test_companies_live_under_a_domain_that_nobody_can_register(pure: DuckDBPyConnection) -> None:
    assert figure(pure, "select count(*) from companies where Domain not like '%.example'") == 0
    assert figure(pure, "select count(*) - count(distinct Domain) from companies") == 0
    assert figure(pure, "select count(*) from contacts anti join companies using (\"Firmen-Nr\") where Firma > ''") == 0
    assert figure(pure, "select count(*) from contacts where \"E-Mail\" like 'info@%' and Nachname is null") > 0


def test_permissions_belong_to_a_contact_and_a_sale(tables: DuckDBPyConnection) -> None:
    assert figure(tables, 'select count(*) from permissions anti join contacts using ("Kontakt-Nr")') == 0
    sold = "from permissions where Art = 'Bestandskunde'"
    assert figure(tables, f"select count(*) {sold}") > 50
    assert figure(tables, f'select count(*) {sold} and ("Bestell-Nr" is null or "Erteilt am" is null)') == 0
    lost = 'select count(*) from permissions anti join orders on "Bestell-Nr" = order_no where "Bestell-Nr" is not null'
    assert figure(tables, lost) == 0
    unasked = 'select count(*) from contacts anti join permissions using ("Kontakt-Nr")'
    assert figure(tables, unasked) / figure(tables, "select count(*) from contacts") > 0.15
    for condition in (
        "Stand = 'widerrufen'",
        "Stand = 'angefragt' and \"Bestätigt am\" is null",
        "Art = 'Widerspruch'",
    ):
        assert figure(tables, f"select count(*) from permissions where Kanal = 'E-Mail' and {condition}") > 20
