"""The companies of the sample world and who works for them.

Add here what a company has in reality. The export of companies belongs to the CRM's module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Calendar, Chance, draw, numbers_as_texts, texts
from pipelines.sample.persons import BUSINESS_SHARE, add_addresses, fold, make_distinct
from pipelines.sample.records import add_lifetimes

CONTACTS_PER_COMPANY = 3
ROLE_MAILBOX_SHARE = 0.2


def create_companies(persons: int, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per company: `record_id`, name, domain (always under `.example`), address, size, revenue in cents."""
    random = chance.stream("companies")
    count = max(1, round(persons * BUSINESS_SHARE / CONTACTS_PER_COMPANY))
    names, shares = zip(*vocabulary.last_names(), strict=True)
    founder = texts(draw(random, names, count, shares))
    trade = texts(draw(random, vocabulary.COMPANY_WORDS, count))
    companies = pd.DataFrame({"record_id": "F-" + numbers_as_texts(np.arange(1, count + 1), 5)})
    companies["legal_form"] = texts(draw(random, vocabulary.COMPANY_FORMS, count, [6, 1, 2, 1, 1]))
    companies["name"] = founder + " " + trade.str.capitalize() + " " + companies["legal_form"]
    stem = fold(founder) + "-" + trade
    number = numbers_as_texts(np.arange(count))
    companies["domain"] = stem.mask(stem.duplicated(), stem + number) + ".example"
    companies["industry"] = texts(draw(random, vocabulary.INDUSTRIES, count))
    companies["employee_count"] = (1 + random.lognormal(2.5, 1.2, count)).astype(int)
    companies["revenue"] = companies["employee_count"] * random.integers(4_000_000, 20_000_000, count)
    companies["is_key_account"] = random.random(count) < 0.1
    companies["has_role_mailbox"] = random.random(count) < ROLE_MAILBOX_SHARE
    add_addresses(companies, random)
    companies["since_days"] = 1 + random.integers(0, 1500, count)
    add_lifetimes(companies, calendar, random)
    return companies


def employ_persons(persons: pd.DataFrame, companies: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """Some people work for a company: `company` (row of the company or -1), `job_title`, a mailbox of the company."""
    random = chance.stream("employment")
    count = len(persons)
    employed = random.random(count) < BUSINESS_SHARE
    company = np.where(employed, random.integers(0, len(companies), count), -1)
    domain = texts(companies["domain"].to_numpy(dtype=object)[company])
    local = fold(persons["first_name"]) + "." + fold(persons["last_name"])
    return persons.assign(
        company=company,
        job_title=texts(draw(random, vocabulary.JOB_TITLES, count)).where(employed),
        email=persons["email"].mask(employed, make_distinct(local, domain, random)),
        in_crm=persons["in_crm"] | employed,
    )
