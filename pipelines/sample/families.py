"""Families: people who share mailbox, landline and address, and are different people all the same.

Add here what people have in common because they live together. Drawing the people belongs to `persons`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Random, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.persons import fold

SHARED = ("last_name", "home", "street_name", "house_number", "postal_code", "city", "phone")
SIZES = {2: 0.5, 3: 0.3, 4: 0.2}
YEAR = 365  # days
HOME = ("home", "street_name", "house_number", "postal_code", "city", "phone")
# What each function of this module may change.
FAMILY_COLUMNS = (*SHARED, "email", "birth_date", "first_name")
SON_COLUMNS = (*SHARED, "first_name", "gender", "salutation", "birth_date")
TWIN_COLUMNS = (*SHARED, "birth_date", "first_name")
FLAT_COLUMNS = HOME


def share_in_families(persons: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two to four drawn people become a family with one name, address, mailbox and landline.

    First names and birth dates differ; the eldest gives the name, the second is the partner, the others are children.
    """
    members, family, place = draw_families(persons["birth_date"].to_numpy(), hit, random)
    if not len(members):
        return persons
    head = members[np.searchsorted(family, family)]
    shared = {}
    for column in SHARED:
        values = persons[column].to_numpy(dtype=object).copy()
        values[members] = values[head]
        shared[column] = texts(values)
    surname = fold(pick(shared["last_name"], head))
    domain = draw_texts(random, [name for name, _ in vocabulary.PROVIDERS], len(persons))
    number = numbers_as_texts(persons["person"].to_numpy())
    mailbox = persons["email"].to_numpy(dtype=object).copy()
    mailbox[members] = "familie." + surname + texts((number + "@" + domain).iloc[head].to_numpy(dtype=object))
    return persons.assign(
        **shared,
        email=texts(mailbox),
        birth_date=give_ages(persons["birth_date"].to_numpy(), members, head, family, place, random),
        first_name=give_different_first_names(persons, members, family, place),
    )


def draw_families(birth: Array, hit: Array, random: Random) -> tuple[Array, Array, Array]:
    """The rows of all members, their family's number, and their place in it: 0 is the eldest."""
    members = random.permutation(np.flatnonzero(hit))
    sizes = random.choice(list(SIZES), len(members), p=list(SIZES.values()))
    family = np.repeat(np.arange(len(sizes)), sizes)[: len(members)]
    members = members[np.lexsort((members, birth[members], family))]
    if len(family) > 1 and family[-1] != family[-2]:  # nobody was left for the last one
        members, family = members[:-1], family[:-1]
    elif len(family) == 1:
        members, family = members[:0], family[:0]
    return members, family, np.arange(len(family)) - np.searchsorted(family, family)


def give_ages(birth: Array, members: Array, head: Array, family: Array, place: Array, random: Random) -> Array:
    """Birth dates of all people: partners are of about one age, children 24 to 36 years younger than the eldest.

    Nobody is younger than the youngest of all people, so parents of children are made old enough.
    """
    born = birth.astype("datetime64[D]").copy()
    youngest = born.max()
    has_child = np.isin(family, family[place == 2])
    parents = head[has_child & (place == 0)]
    born[parents] = np.minimum(born[parents], youngest - np.timedelta64(24 * YEAR, "D"))
    partner = random.integers(1, 4 * YEAR, len(members)) * random.choice([-1, 1], len(members))
    child = random.integers(24 * YEAR, 36 * YEAR, len(members))
    gap = np.where(place == 1, partner, child).astype("timedelta64[D]")
    # Each further child is at least a year away from the latest possible birth, which keeps siblings apart.
    latest = youngest - (place * 400 + random.integers(0, 300, len(members))).astype("timedelta64[D]")
    wanted = np.minimum(born[head] + gap, latest)
    born[members[place > 0]] = wanted[place > 0]
    found: Array = born.astype("datetime64[s]")
    return found


def give_different_first_names(persons: pd.DataFrame, members: Array, family: Array, place: Array) -> pd.Series[str]:
    """First names of all people; whoever shares one with a relative gets a spare one."""
    own = persons.iloc[members]
    twice = pd.DataFrame({"family": family, "name": own["first_name"].to_numpy()}).duplicated().to_numpy()
    names = persons["first_name"].to_numpy(dtype=object).copy()
    for gender, spare in vocabulary.SPARE_NAMES.items():
        change = twice & (own["gender"] == gender).to_numpy()
        names[members[change]] = np.array(spare, dtype=object)[place[change]]
    return texts(names)


def name_son_after_father(persons: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two men of one first and last name at one address, one of them 25 to 34 years younger."""
    fathers, sons = draw_pairs(hit, random)
    persons = share_with(persons, fathers, sons, (*SHARED, "first_name", "gender", "salutation"))
    for rows in (fathers, sons):
        persons = set_values(persons, rows, {"gender": "male", "salutation": "Herr"})
    names = persons["first_name"].to_numpy(dtype=object).copy()
    names[fathers] = names[sons] = np.array(vocabulary.SPARE_NAMES["male"], dtype=object)[fathers % 4]
    years = (random.integers(25 * YEAR, 34 * YEAR, len(sons))).astype("timedelta64[D]")
    birth = persons["birth_date"].to_numpy().astype("datetime64[D]").copy()
    youngest = birth.max() if len(birth) else birth
    birth[sons] = np.minimum(birth[fathers] + years, youngest)
    birth[fathers] = birth[sons] - years
    return persons.assign(first_name=texts(names), birth_date=birth.astype("datetime64[s]"))


def bear_twins(persons: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two people born on one day, of one last name at one address, with first names of their own."""
    first, second = draw_pairs(hit, random)
    persons = share_with(persons, first, second, SHARED)
    birth = persons["birth_date"].to_numpy().copy()
    birth[second] = birth[first]
    pair = np.tile(np.arange(len(first)), 2)
    names = give_different_first_names(persons, np.concatenate([first, second]), pair, np.repeat([0, 1], len(first)))
    return persons.assign(birth_date=birth, first_name=names)


def share_flats(persons: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two people who are no relatives live at one address and share its landline."""
    first, second = draw_pairs(hit, random)
    return share_with(persons, first, second, HOME)


def draw_pairs(hit: Array, random: Random) -> tuple[Array, Array]:
    """The rows that were hit, two and two; one may be left over."""
    rows = random.permutation(np.flatnonzero(hit))
    half = len(rows) // 2
    return rows[:half], rows[half : 2 * half]


def share_with(persons: pd.DataFrame, owners: Array, sharers: Array, columns: tuple[str, ...]) -> pd.DataFrame:
    """The persons, those at `sharers` with the values of those at `owners`."""
    found = {}
    for column in columns:
        values = persons[column].to_numpy(dtype=object).copy()
        values[sharers] = values[owners]
        found[column] = texts(values)
    return persons.assign(**found)


def set_values(persons: pd.DataFrame, rows: Array, values: dict[str, str]) -> pd.DataFrame:
    """The persons, those at `rows` with these values."""
    is_meant = np.zeros(len(persons), dtype=bool)
    is_meant[rows] = True
    return persons.assign(**{name: persons[name].mask(is_meant, value) for name, value in values.items()})
