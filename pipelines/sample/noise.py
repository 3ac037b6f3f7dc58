"""What goes wrong between a person and a record: one named function per noise, and the table of them with their rates.

Add a noise as a function `(records, hit, random) -> records` and a row of `NOISES`. `hit` marks the rows that were
drawn; a function changes those of them that can show the noise at all. Noise that is switched off leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from pipelines.errors import KundenstammError
from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Chance, Random, draw, texts
from pipelines.sample.families import share_in_families
from pipelines.sample.persons import add_addresses

Rates = Mapping[str, float]
Text: TypeAlias = "pd.Series[str]"
Form = Callable[[Text], Text]
RECORDS = ("crm", "shop", "guests", "support")
REGISTERS = ("crm", "shop", "support")


@dataclass(frozen=True)
class Noise:
    """`rate` is the share of rows drawn, `where` the tables: persons, orders or the records of a system."""

    name: str
    rate: float
    where: tuple[str, ...]
    function: Callable[[pd.DataFrame, Array, Random], pd.DataFrame]
    description: str


def apply_noises(records: pd.DataFrame, where: str, rates: Rates, chance: Chance) -> pd.DataFrame:
    """Apply every noise of that place in the order of `NOISES`, each with a random stream of its own."""
    for noise in NOISES:
        if where in noise.where:
            random = chance.stream(f"{noise.name} {where}")
            hit = random.random(len(records)) < rates[noise.name]
            records = noise.function(records, hit, random)
    return records


def resolve_rates(overrides: Rates | None) -> dict[str, float]:
    """The rate of every noise, with the overrides.

    Raises:
        KundenstammError: for an unknown noise or a rate outside 0 to 1.
    """
    rates = {noise.name: noise.rate for noise in NOISES}
    for name, rate in (overrides or {}).items():
        if name not in rates:
            raise KundenstammError(f"There is no noise named '{name}'; allowed: {', '.join(rates)}.")
        if not 0 <= rate <= 1:
            raise KundenstammError(f"The rate of noise '{name}' is {rate}; allowed is a share from 0 to 1.")
        rates[name] = float(rate)
    return rates


def order_as_guest(orders: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The order names no customer, only e-mail, phone and name."""
    return orders.assign(is_guest=hit)


def duplicate_records(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The same person gets a second record in the same system, later than the first."""
    copies = records[hit].copy()
    copies["copy_of"] = copies["row"]
    copies["since_days"] = 1 + (copies["since_days"].to_numpy() * random.random(len(copies)) * 0.9).astype(int)
    copies["since_days"] = np.minimum(copies["since_days"], records["since_days"].to_numpy()[hit])
    return pd.concat([records, copies], ignore_index=True)


def use_second_mailbox(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Another of the person's own mailboxes is on file."""
    second = hit & records["second_email"].notna().to_numpy()
    return records.assign(email=records["email"].mask(second, records["second_email"]))


def keep_old_address(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The person moved and this system still has the former address."""
    former = pd.DataFrame(index=records.index)
    add_addresses(former, random)
    columns = ("street_name", "house_number", "postal_code", "city")
    return records.assign(**{name: records[name].mask(hit, former[name]) for name in columns})


def leave_fields_empty(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """One of the optional fields was never asked for."""
    groups = (("phone",), ("mobile",), ("birth_date",), ("street_name", "house_number", "postal_code", "city"))
    which = random.integers(0, len(groups), len(records))
    for number, group in enumerate(groups):
        empty = hit & (which == number)
        records = records.assign(**{name: records[name].mask(empty) for name in group})
    return records


def misspell_names(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """One slip of the keyboard in the first or the last name."""
    in_first = random.random(len(records)) < 0.4
    return records.assign(
        first_name=misspell(records["first_name"], hit & in_first, random),
        last_name=misspell(records["last_name"], hit & ~in_first, random),
    )


def misspell_streets(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """One slip of the keyboard in the street."""
    return records.assign(street_name=misspell(records["street_name"], hit, random))


def misspell(values: Text, hit: Array, random: Random) -> Text:
    """Swap, drop, double or replace one letter after the first; words under four letters stay as they are."""
    rows = np.flatnonzero(hit & (values.str.len().fillna(0) >= 4).to_numpy())
    if not len(rows):
        return values
    words = values.iloc[rows].to_numpy(dtype=object).astype("U")
    width = words.dtype.itemsize // 4 + 1
    letters = np.zeros((len(rows), width), dtype=np.uint32)
    letters[:, :-1] = words.view(np.uint32).reshape(len(rows), width - 1)
    length = np.char.str_len(words)
    at = (1 + random.random(len(rows)) * (length - 2)).astype(int)
    kind = random.integers(0, 4, len(rows))
    row, columns = np.arange(len(rows)), np.arange(width)
    same = letters[row, at] == letters[row, at + 1]
    kind = np.where((kind == 0) & same, 3, kind)  # swapping equal letters would change nothing
    source = np.broadcast_to(columns, letters.shape).copy()
    swap = kind == 0
    source[row[swap], at[swap]], source[row[swap], at[swap] + 1] = at[swap] + 1, at[swap]
    source += ((kind == 1)[:, None] & (columns >= at[:, None])).astype(int)
    source -= ((kind == 2)[:, None] & (columns > at[:, None])).astype(int)
    letters = np.take_along_axis(letters, np.minimum(source, width - 1), axis=1)
    other = np.array([ord(c) for c in "etaoinsrhldcumfpgwybvk"], dtype=np.uint32)
    new = other[random.integers(0, len(other), len(rows))]
    new = np.where(new == letters[row, at], np.uint32(ord("z")), new)
    letters[row[kind == 3], at[kind == 3]] = new[kind == 3]
    slipped = values.to_numpy(dtype=object).copy()
    slipped[rows] = np.ascontiguousarray(letters).view(f"U{width}").ravel().astype(object)
    return texts(slipped)


def transliterate_umlauts(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Umlauts become ae, less often a; sharp s becomes ss; in names, street and city."""
    columns = ("first_name", "last_name", "street_name", "city")
    return records.assign(**{name: rewrite(records[name], hit, random, UMLAUT_FORMS) for name in columns})


def _umlaut_form(has_e: bool) -> Form:
    def write(words: Text) -> Text:
        for letter, pair in zip("äöüÄÖÜ", ("ae", "oe", "ue", "Ae", "Oe", "Ue"), strict=True):
            words = words.str.replace(letter, pair if has_e else pair[0], regex=False)
        return words.str.replace("ß", "ss", regex=False)

    return write


UMLAUT_FORMS = (_umlaut_form(True), _umlaut_form(True), _umlaut_form(False))


def vary_case(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Names in capitals, the mailbox's provider too, and a blank after it."""
    local, domain = mailbox_parts(records["email"])
    # Upper case of sharp s is SS; the letter that exists for it is not in Windows-1252.
    capitals = records["last_name"].str.replace("ß", "ss", regex=False).str.upper()
    return records.assign(
        last_name=records["last_name"].mask(hit, capitals),
        email=records["email"].mask(hit, local + "@" + domain.str.upper() + " "),
    )


def put_title_in_first_name(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Title, or salutation where there is none, stands in the first name."""
    prefix = records["title"].fillna(records["salutation"])
    return records.assign(first_name=records["first_name"].mask(hit, prefix + " " + records["first_name"]))


def swap_name_parts(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """First and last name stand in each other's field."""
    first, last = records["first_name"], records["last_name"]
    return records.assign(first_name=first.mask(hit, last), last_name=last.mask(hit, first))


def join_name_parts(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The whole name stands in one field, half of the time as `last, first`."""
    first, last = records["first_name"], records["last_name"]
    joined = (first + " " + last).mask(random.random(len(records)) < 0.5, last + ", " + first)
    return records.assign(first_name=first.mask(hit), last_name=last.mask(hit), full_name=joined.where(hit))


def vary_phone_formats(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Numbers as people write them: 0176/..., +49 (0)176 ..., 0049 176 ..., with blanks, slashes and hyphens."""
    phone, mobile = (rewrite(records[name], hit, random, PHONE_FORMS) for name in ("phone", "mobile"))
    return records.assign(phone=phone, mobile=mobile)


def rewrite(values: Text, hit: Array, random: Random, forms: Sequence[Form]) -> Text:
    """Each value that was hit in one of the forms; empty values stay empty."""
    which = random.integers(0, len(forms), len(values))
    usable = hit & values.notna().to_numpy()
    found = values.to_numpy(dtype=object).copy()
    for number, form in enumerate(forms):
        rows = np.flatnonzero(usable & (which == number))
        if len(rows):
            found[rows] = form(texts(found[rows])).to_numpy(dtype=object)
    return texts(found)


def _phone_form(write_parts: Callable[[Text, Text, Text], Text]) -> Form:
    """A form of German numbers given in E.164, from the area, the next three digits and the rest."""

    def write(phones: Text) -> Text:
        has_long_area = phones.str.startswith(("+49221", "+49176"))
        area = phones.str.slice(3, 5).mask(has_long_area, phones.str.slice(3, 6))
        number = phones.str.slice(5).mask(has_long_area, phones.str.slice(6))
        return write_parts(area, number.str.slice(0, 3), number.str.slice(3))

    return write


PHONE_FORMS = (
    _phone_form(lambda area, head, rest: "0" + area + "/" + head + rest),
    _phone_form(lambda area, head, rest: "+49 (0)" + area + " " + head + " " + rest),
    _phone_form(lambda area, head, rest: "0049 " + area + " " + head + rest),
    _phone_form(
        lambda area, head, rest: "0" + area + " " + head + " " + rest.str.slice(0, 2) + " " + rest.str.slice(2)
    ),
    _phone_form(lambda area, head, rest: "(0" + area + ") " + head + "-" + rest),
    _phone_form(lambda area, head, rest: "0" + area + head + rest),
)


def add_plus_tags(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A tag behind a plus sign in the mailbox: name+shop@..."""
    tag = texts(draw(random, ["+shop", "+einkauf", "+newsletter", "+news"], len(records)))
    local, domain = mailbox_parts(records["email"])
    return records.assign(email=records["email"].mask(hit, local + tag + "@" + domain))


def mistype_email_domains(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A slip in the provider's name: gmial.com, gmx.ed, web.d. Other domains stay as they are."""
    return records.assign(email=rewrite(records["email"], hit, random, DOMAIN_FORMS))


def _slipped_form(number: int) -> Form:
    slips = {domain: forms[number % len(forms)] for domain, forms in vocabulary.DOMAIN_SLIPS.items()}

    def write(emails: Text) -> Text:
        local, domain = mailbox_parts(emails)
        return local + "@" + domain.map(slips).astype("str").fillna(domain)

    return write


DOMAIN_FORMS = tuple(_slipped_form(number) for number in range(12))  # 12 is a multiple of how many slips there are


def mailbox_parts(emails: Text) -> tuple[Text, Text]:
    """What stands before and after the first at sign."""
    return emails.str.replace("@.*$", "", regex=True), emails.str.replace("^[^@]*@", "", regex=True)


def invalidate_emails(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """What stands in the field is no e-mail address."""
    return records.assign(email=make_invalid(records["email"], hit, random))


def make_invalid(emails: Text, hit: Array, random: Random) -> Text:
    """No at sign, no host, two at signs, or a remark instead of an address; empty fields stay empty."""
    return rewrite(emails, hit, random, INVALID_FORMS)


INVALID_FORMS: tuple[Form, ...] = (
    lambda emails: emails.str.replace("@", "", regex=False),
    lambda emails: emails.str.replace("@.*$", "@", regex=True),
    lambda emails: emails.str.replace("@", "@@", regex=False),
    lambda emails: emails.str.replace("^.*$", "keine E-Mail", regex=True),
)


def spoil_dates(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A birth date that is none, or the first day that the form offered."""
    spoiled = texts(draw(random, ["00.00.0000", "31.02.1980", "unbekannt", "01.01.1900"], len(records)))
    birth = records["birth_date"]
    return records.assign(birth_date=birth.mask(hit & birth.notna().to_numpy(), spoiled))


# In the order in which they happen.
NOISES = (
    Noise("share_in_families", 0.12, ("persons",), share_in_families, "families share mailbox, landline and address"),
    Noise("order_as_guest", 0.10, ("orders",), order_as_guest, "orders without a customer account"),
    Noise("duplicate_records", 0.04, REGISTERS, duplicate_records, "a second record of a person in one system"),
    Noise("use_second_mailbox", 0.15, RECORDS, use_second_mailbox, "another of the person's mailboxes"),
    Noise("keep_old_address", 0.05, ("crm",), keep_old_address, "the person moved, the CRM does not know"),
    Noise("leave_fields_empty", 0.10, REGISTERS, leave_fields_empty, "an optional field is empty"),
    Noise("misspell_names", 0.03, RECORDS, misspell_names, "a typing error in a name"),
    Noise("misspell_streets", 0.03, RECORDS, misspell_streets, "a typing error in a street"),
    Noise("transliterate_umlauts", 0.20, RECORDS, transliterate_umlauts, "umlauts as ae or a, sharp s as ss"),
    Noise("vary_case", 0.02, RECORDS, vary_case, "capitals and stray blanks"),
    Noise("put_title_in_first_name", 0.015, RECORDS, put_title_in_first_name, "title or salutation in the first name"),
    Noise("swap_name_parts", 0.01, RECORDS, swap_name_parts, "first and last name swapped"),
    Noise("join_name_parts", 0.03, RECORDS, join_name_parts, "the whole name in one field"),
    Noise("vary_phone_formats", 0.60, RECORDS, vary_phone_formats, "phone numbers as people write them"),
    Noise("add_plus_tags", 0.015, RECORDS, add_plus_tags, "a tag behind a plus sign in the mailbox"),
    Noise("mistype_email_domains", 0.012, RECORDS, mistype_email_domains, "a slip in the provider's name"),
    Noise("invalidate_emails", 0.004, RECORDS, invalidate_emails, "no e-mail address in the e-mail field"),
    Noise("spoil_dates", 0.002, ("crm",), spoil_dates, "a birth date that is none"),
)
