"""The people of the sample world and the systems that know them: the truth before anything goes wrong.

Add here what a person has in reality (a second mailbox, an employer). What a system gets wrong about it is noise, and
what a system calls it belongs to that system's module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import (
    HISTORY_DAYS,
    Array,
    Calendar,
    Chance,
    Random,
    distinct_numbers,
    draw,
    draw_texts,
    numbers_as_texts,
    texts,
)

# Share of the people whom each system knows.
PRESENCE = {"crm": 0.85, "shop": 0.75, "support": 0.40, "mail_order": 0.20, "market": 0.08}
BUSINESS_SHARE = 0.06
SECOND_MAILBOX_SHARE = 0.25
MAILBOX_SHARE = 0.95
LANDLINE_SHARE = 0.45
MOBILE_SHARE = 0.80
TITLE_SHARE = 0.02
LOYALTY_SHARE = 0.15
MARRIED_SHARE = 0.05


def create_persons(count: int, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per person, complete and correct, with `in_crm`, `in_shop`, `in_support` and days since first contact.

    E-mail addresses, mobile numbers and landlines are unique; some people have none.
    """
    random = chance.stream("persons")
    persons = pd.DataFrame({"person": np.arange(count) + chance.first_person})
    age = np.clip(random.normal(48, 16, count), 18, 92)
    persons["birth_date"] = calendar.days((age * 365.25 + random.integers(0, 365, count)).astype(int)).astype(
        "datetime64[s]"
    )
    persons["gender"] = draw(random, ["female", "male"], count, [0.52, 0.48])
    persons["first_name"] = draw_first_names(persons["gender"], calendar.today.year - age, random)
    names, shares = zip(*vocabulary.last_names(), strict=True)
    last_names = draw_texts(random, names, count, shares)
    double = random.random(count) < 0.02
    persons["last_name"] = last_names.mask(double, last_names + "-" + draw_texts(random, names, count, shares))
    persons["title"] = draw_texts(random, vocabulary.TITLES, count, [8, 1, 2]).where(random.random(count) < TITLE_SHARE)
    persons["home"] = "h" + numbers_as_texts(persons["person"].to_numpy(), 7)
    persons["salutation"] = persons["gender"].map({"female": "Frau", "male": "Herr"}).astype("str")
    dials = add_addresses(persons, random)
    add_contact_points(persons, dials, random, chance)
    # More people came lately than long ago: the square root leans towards the present.
    persons["since_days"] = (1 + (HISTORY_DAYS - 1) * (1 - np.sqrt(random.random(count)))).astype(int)
    card = numbers_as_texts(distinct_numbers(count, 8, chance.shared("cards"), chance.first_person), 8)
    persons["loyalty_number"] = ("KK" + card).where(random.random(count) < LOYALTY_SHARE)
    persons["interest"] = draw(random, [c[1] for c in vocabulary.CATEGORIES], count)
    minor_age = random.integers(13 * 366, 18 * 365, count)
    persons["birth_date_if_minor"] = calendar.days(minor_age).astype("datetime64[s]")
    married = random.random(count) < MARRIED_SHARE
    persons["former_last_name"] = draw_texts(random, names, count, shares).where(married)
    for system, share in PRESENCE.items():
        persons[f"in_{system}"] = random.random(count) < share
    persons["in_cards"] = persons["loyalty_number"].notna()
    persons["is_deceased"] = persons["is_employee"] = False
    persons["noises"] = np.zeros(count, dtype=np.uint64)
    persons["in_crm"] |= ~persons[[f"in_{system}" for system in ("shop", "support", "mail_order", "market")]].any(
        axis=1
    )
    return persons


def draw_first_names(gender: pd.Series[str], birth_years: Array, random: Random) -> pd.Series[str]:
    """First names that fit gender and decade of birth: a name is as likely as the decade is near to its peak."""
    names = vocabulary.first_names()
    decades = (np.asarray(birth_years) // 10 * 10).astype(int)
    found = np.empty(len(gender), dtype=object)
    for wanted in ("female", "male"):
        own = [(name, year) for name, of, year in names if of == wanted]
        for decade in np.unique(decades):
            who = np.flatnonzero((gender == wanted).to_numpy() & (decades == decade))
            weights = [0.02 + np.exp(-(((year - decade - 5) / 9) ** 2)) for _, year in own]
            found[who] = draw(random, [name for name, _ in own], len(who), weights)
    return texts(found)


def add_addresses(persons: pd.DataFrame, random: Random) -> pd.Series[str]:
    """Add `street_name`, `house_number`, `postal_code`, `city`; return the dialling block of each person's city."""
    count = len(persons)
    places = [
        (city, dial, code, weight / len(codes)) for city, dial, weight, codes in vocabulary.cities() for code in codes
    ]
    shares = np.array([place[3] for place in places])
    place = random.choice(len(places), count, p=shares / shares.sum())
    for column, position in (("city", 0), ("postal_code", 2)):
        persons[column] = texts(np.array([p[position] for p in places], dtype=object)[place])
    streets, weights = zip(*vocabulary.streets(), strict=True)
    persons["street_name"] = draw_texts(random, streets, count, weights)
    house = numbers_as_texts(1 + random.geometric(0.03, count))
    persons["house_number"] = house + draw_texts(random, ["", "a", "b", "c"], count, [88, 6, 4, 2])
    return texts(np.array([p[1] for p in places], dtype=object)[place])


def add_contact_points(persons: pd.DataFrame, dials: pd.Series[str], random: Random, chance: Chance) -> None:
    """Add `email`, `second_email`, `phone` (landline) and `mobile`, all numbers in E.164."""
    count = len(persons)

    def distinct(name: str) -> Array:
        return distinct_numbers(count, 7, chance.shared(name), chance.first_person)

    first, last = fold(persons["first_name"]), fold(persons["last_name"])
    year = texts(persons["birth_date"].dt.year.astype("str")).str.slice(2)
    forms = [
        first + "." + last,
        first + last,
        first.str.slice(0, 1) + "." + last,
        first + "_" + last + year,
        last + year,
    ]
    local = choose(forms, random.choice(len(forms), count, p=[0.5, 0.15, 0.15, 0.12, 0.08]))
    domains, weights = zip(*vocabulary.PROVIDERS, strict=True)
    domain = draw_texts(random, domains, count, weights)
    own = random.random(count) < 0.04
    domain = domain.mask(own, "familie-" + last + ".example")
    persons["email"] = make_distinct(local, domain, chance).where(random.random(count) < MAILBOX_SHARE)
    nickname = first.str.slice(0, 4) + numbers_as_texts(distinct("nicknames"), 7)
    second = nickname + "@" + draw_texts(random, domains, count, weights)
    persons["second_email"] = second.where(random.random(count) < SECOND_MAILBOX_SHARE)
    landline = numbers_as_texts(distinct("landlines"), 7)
    persons["phone"] = (dials + landline).where(random.random(count) < LANDLINE_SHARE)
    subscriber = numbers_as_texts(distinct("mobiles"), 7)
    persons["mobile"] = (vocabulary.MOBILE_PREFIX + subscriber).where(random.random(count) < MOBILE_SHARE)


def make_distinct(local: pd.Series[str], domain: pd.Series[str], chance: Chance) -> pd.Series[str]:
    """Mailboxes in which the second and later bearers of a name got a number, distinct over all chunks.

    Also without their dots, which some providers ignore.
    """
    if chance.chunk:
        local = local + f".{chance.chunk}"
    mailbox = local + "@" + domain
    number = numbers_as_texts(distinct_numbers(len(mailbox), 7, chance.stream("mailboxes")))
    without_dots = local.str.replace(".", "", regex=False) + "@" + domain
    return mailbox.mask(without_dots.duplicated(), local + number + "@" + domain)


def fold(names: pd.Series[str]) -> pd.Series[str]:
    """Names as they are written in a mailbox: lower case, no accents, nothing but letters."""
    distinct = names.drop_duplicates()
    folded = distinct.str.lower()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e")):
        folded = folded.str.replace(letter, plain, regex=False)
    return names.map(dict(zip(distinct, folded.str.replace("[^a-z]", "", regex=True), strict=True))).astype("str")


def choose(forms: list[pd.Series[str]], which: Array) -> pd.Series[str]:
    """From each row the form with that number."""
    return texts(np.choose(which, [form.to_numpy(dtype=object) for form in forms]))
