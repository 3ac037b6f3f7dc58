"""What the CRM gets wrong about companies: groups that look like one company, and second records of one.

Add a noise of companies as a function `(rows, hit, random) -> rows` here and its row in `noise`. What a company has in
reality is in `companies`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Random, draw_texts, texts
from pipelines.sample.persons import add_addresses, choose
from pipelines.sample.slips import UMLAUT_FORMS, misspell

ADDRESS = ("street_name", "house_number", "postal_code", "city")
OTHER_ADDRESS_SHARE = 0.08  # of second records: another site, or the time before the company moved


def found_sisters(companies: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two companies of one founder in one house with one website: another trade, or only another legal form."""
    rows = random.permutation(np.flatnonzero(hit))
    half = len(rows) // 2
    first, second = rows[:half], rows[half : 2 * half]
    found = {}
    for column in ("founder", "website", *ADDRESS):
        values = companies[column].to_numpy(dtype=object).copy()
        values[second] = values[first]
        found[column] = texts(values)
    trades, forms = (companies[column].to_numpy(dtype=object).copy() for column in ("trade", "legal_form"))
    has_same_trade = random.random(half) < 0.5
    trades[second] = np.where(has_same_trade, trades[first], trades[second])
    for a, b in zip(first, second, strict=True):
        if trades[a] == trades[b] and forms[a] == forms[b]:
            others = [form for form in vocabulary.COMPANY_FORMS if form != forms[a]]
            forms[b] = others[int(random.integers(len(others)))]
    found |= {"trade": texts(trades), "legal_form": texts(forms)}
    return companies.assign(
        **found, name=found["founder"] + " " + found["trade"].str.capitalize() + " " + found["legal_form"]
    )


def duplicate_companies(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A second record of the company: its name, address and website as somebody else writes them, numbers left out."""
    copies = records[hit].reset_index(drop=True)
    count = len(copies)
    everybody = np.ones(count, dtype=bool)
    copies["since_days"] = 1 + (copies["since_days"].to_numpy() * random.random(count) * 0.9).astype(int)
    stem = copies["founder"] + " " + copies["trade"].str.capitalize()
    forms = copies["legal_form"]
    written = [
        copies["name"],
        stem,
        stem.str.replace("ß", "ss", regex=False).str.upper() + " " + forms,
        copies["founder"] + "-" + copies["trade"].str.capitalize() + " " + forms,
        copies["trade"].str.capitalize() + " " + copies["founder"] + " " + forms,
        misspell(stem, everybody, random) + " " + forms,
        UMLAUT_FORMS[0](stem) + " " + forms,
    ]
    which = random.choice(len(written), count, p=[0.15, 0.2, 0.1, 0.1, 0.1, 0.25, 0.1])
    copies["name"] = choose(written, which)
    copies["legal_form"] = forms.mask(which == 1)
    for column, share in (("vat_id", 0.6), ("register_number", 0.7), ("website", 0.3)):
        copies[column] = copies[column].mask(random.random(count) < share)
    address = "https://www." + copies["website"] + draw_texts(random, ["", "/", "/kontakt"], count)
    copies["website"] = copies["website"].mask(random.random(count) < 0.3, address)
    streets = misspell(copies["street_name"], random.random(count) < 0.15, random)
    short = streets.str.replace("straße", "str.", regex=False).str.replace("Straße", "Str.", regex=False)
    copies["street_name"] = streets.mask(random.random(count) < 0.3, short)
    copies["postal_code"] = copies["postal_code"].mask(random.random(count) < 0.05)
    moved = random.random(count) < OTHER_ADDRESS_SHARE
    elsewhere = pd.DataFrame(index=copies.index)
    add_addresses(elsewhere, random)
    for column in ADDRESS:
        copies[column] = copies[column].mask(moved, elsewhere[column])
    return pd.concat([records, copies], ignore_index=True)
