"""The companies of the sample world and who works for them.

Add here what a company has in reality. The export of companies belongs to the CRM's module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import (
    CHUNK_PERSONS,
    Array,
    Calendar,
    Chance,
    distinct_numbers,
    draw_texts,
    numbers_as_texts,
    pick,
    texts,
)
from pipelines.sample.persons import BUSINESS_SHARE, add_addresses, fold, make_distinct
from pipelines.sample.records import add_lifetimes

CONTACTS_PER_COMPANY = 3
ROLE_MAILBOX_SHARE = 0.2
CHUNK_COMPANIES = CHUNK_PERSONS // 50


def create_companies(persons: int, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per company: `record_id`, name, domain (always under `.example`), address, size, revenue in cents.

    `website` is where its website is, which companies of one group may share; mailboxes are under its own `domain`.
    """
    random = chance.stream("companies")
    count = max(1, round(persons * BUSINESS_SHARE / CONTACTS_PER_COMPANY))
    names, shares = zip(*vocabulary.last_names(), strict=True)
    founder = draw_texts(random, names, count, shares)
    trade = draw_texts(random, vocabulary.COMPANY_WORDS, count)
    companies = pd.DataFrame({"record_id": "F-" + numbers_as_texts(np.arange(count) + chance.number(1), 5)})
    companies["founder"], companies["trade"] = founder, trade
    companies["legal_form"] = draw_texts(random, vocabulary.COMPANY_FORMS, count, [6, 1, 2, 1, 1])
    companies["name"] = founder + " " + trade.str.capitalize() + " " + companies["legal_form"]
    stem = fold(founder) + "-" + trade
    number = numbers_as_texts(np.arange(count) + chance.number(0))
    is_taken = stem.duplicated() | (chance.chunk > 0)
    companies["domain"] = companies["website"] = stem.mask(is_taken, stem + number) + ".example"
    companies["industry"] = draw_texts(random, vocabulary.INDUSTRIES, count)
    companies["employee_count"] = (1 + random.lognormal(2.5, 1.2, count)).astype(int)
    companies["revenue"] = companies["employee_count"] * random.integers(4_000_000, 20_000_000, count)
    companies["is_key_account"] = random.random(count) < 0.1
    companies["has_role_mailbox"] = random.random(count) < ROLE_MAILBOX_SHARE
    dials = add_addresses(companies, random)
    # Shorter than the numbers of people, so that no company has the number of a person.
    switchboard = distinct_numbers(count, 6, chance.shared("switchboards"), chance.chunk * CHUNK_COMPANIES)
    companies["phone"] = dials + numbers_as_texts(switchboard, 6)
    position = np.arange(count) + chance.chunk * CHUNK_COMPANIES
    companies["vat_id"] = "DE" + with_check_digit(30_000_000 + position)
    companies["register_number"] = register_entries(companies, 1_000 + position)
    companies["since_days"] = 1 + random.integers(0, 1500, count)
    add_lifetimes(companies, calendar, random)
    return companies


def with_check_digit(numbers: Array) -> pd.Series[str]:
    """Numbers of eight digits with the check digit of a German VAT id behind them (ISO 7064, mod 11, 10)."""
    product = np.full(len(numbers), 10)
    for place in range(7, -1, -1):
        total = (product + numbers // 10**place) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return numbers_as_texts(numbers * 10 + (11 - product) % 10)


def register_entries(companies: pd.DataFrame, numbers: Array) -> pd.Series[str]:
    """The entry at the court of the company's city: HRB for companies with limited liability, else HRA."""
    is_limited = companies["legal_form"].isin(["GmbH", "AG"]).to_numpy()
    register = texts(np.where(is_limited, "HRB ", "HRA "))
    return "Amtsgericht " + companies["city"] + " " + register + numbers_as_texts(numbers)


def employ_persons(persons: pd.DataFrame, companies: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """Some people work for a company: `company` (row of the company or -1), `job_title`, a mailbox of the company.

    `former_company` is the one before, -1 for all until somebody changes."""
    random = chance.stream("employment")
    count = len(persons)
    employed = random.random(count) < BUSINESS_SHARE
    company = np.where(employed, random.integers(0, len(companies), count), -1)
    domain = pick(companies["domain"], company)
    local = fold(persons["first_name"]) + "." + fold(persons["last_name"])
    return persons.assign(
        company=company,
        job_title=draw_texts(random, vocabulary.JOB_TITLES, count).where(employed),
        email=persons["email"].mask(employed, make_distinct(local, domain, chance)),
        office_phone=pick(companies["phone"], company).where(employed),
        role_mailbox=("info@" + domain).where(employed),
        former_company=-1,
        in_crm=persons["in_crm"] | employed,
    )
