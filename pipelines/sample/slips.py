"""What a record gets wrong about a person: slips of the keyboard, old data, other people's habits of writing.

Add a noise of person records as a function `(records, hit, random) -> records` here and its row in `noise`. `hit` marks
the rows that were drawn; a function changes those of them that can show the noise at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Random, draw_texts, numbers_as_texts, texts
from pipelines.sample.persons import add_addresses

Text: TypeAlias = "pd.Series[str]"
Form = Callable[[Text], Text]


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


def use_nicknames(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The first name that friends use; names without one stay as they are."""
    short = records["first_name"].map(vocabulary.NICKNAMES).astype("str")
    return records.assign(first_name=records["first_name"].mask(hit & short.notna().to_numpy(), short))


def keep_former_name(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The last name from before the person married, where there was one."""
    former = records["former_last_name"]
    return records.assign(last_name=records["last_name"].mask(hit & former.notna().to_numpy(), former))


def use_office_phone(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The switchboard of the employer stands in place of the person's own number."""
    office = records["office_phone"]
    return records.assign(phone=records["phone"].mask(hit & office.notna().to_numpy(), office))


def use_role_mailbox(records: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """A mailbox that the whole office reads stands in place of the person's own."""
    role = records["role_mailbox"]
    return records.assign(email=records["email"].mask(hit & role.notna().to_numpy(), role))


def fill_in_placeholders(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A required field holds anything: n/a, test@test.de, 0000, and in one of five records 01.01.1900 as well."""
    which = random.integers(0, 3, len(records))
    found = records
    for number, (column, words) in enumerate(PLACEHOLDERS.items()):
        value = draw_texts(random, words, len(records))
        found = found.assign(**{column: found[column].mask(hit & (which == number), value)})
    return found


PLACEHOLDERS = {
    "email": ("test@test.de", "n/a", "keine@keine.de"),
    "last_name": ("n/a", "unbekannt", "xxx"),
    "phone": ("0000", "n/a", "123456789"),
}


def put_company_in_name(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A company stands where a person's name belongs."""
    trade = draw_texts(random, [w.capitalize() for w in vocabulary.COMPANY_WORDS], len(records))
    company = records["last_name"] + " " + trade + " " + draw_texts(random, vocabulary.COMPANY_FORMS, len(records))
    return records.assign(first_name=records["first_name"].mask(hit), last_name=records["last_name"].mask(hit, company))


def inject_hostile_text(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Text that breaks careless programs: SQL, formulas, emoji, right-to-left names, ten thousand characters."""
    hostile = draw_texts(random, vocabulary.HOSTILE_TEXTS, len(records))
    return records.assign(last_name=records["last_name"].mask(hit, hostile))


def inject_hostile_latin_text(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The same for a system that knows Western letters only."""
    hostile = draw_texts(random, vocabulary.HOSTILE_LATIN_TEXTS, len(records))
    return records.assign(last_name=records["last_name"].mask(hit, hostile))


def hide_behind_relay(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The marketplace gives an address of its own that forwards to the buyer, and no number."""
    alias = "k" + numbers_as_texts(random.integers(10**9, 10**10, len(records))) + "@" + vocabulary.RELAY_DOMAIN
    # One buyer has one relay address, however often the person buys.
    alias = texts(alias.groupby(records["person"].to_numpy()).transform("first"))
    nothing = texts([None] * len(records))
    return records.assign(
        email=records["email"].mask(hit, alias),
        phone=records["phone"].mask(hit, nothing),
        mobile=records["mobile"].mask(hit, nothing),
    )


def misspell_names(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """One slip of the keyboard in the first or the last name."""
    in_first = random.random(len(records)) < 0.4
    return records.assign(
        first_name=misspell(records["first_name"], hit & in_first, random),
        last_name=misspell(records["last_name"], hit & ~in_first, random),
    )


def transpose_letters(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """Two neighbouring letters of the last name change places."""
    return records.assign(last_name=misspell(records["last_name"], hit, random, kinds=1))


def misspell_streets(records: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """One slip of the keyboard in the street."""
    return records.assign(street_name=misspell(records["street_name"], hit, random))


def misspell(values: Text, hit: Array, random: Random, kinds: int = 4) -> Text:
    """Swap, drop, double or replace one letter after the first; words under four letters stay as they are.

    Only the first so many `kinds` of slips happen.
    """
    rows = np.flatnonzero(hit & (values.str.len().fillna(0) >= 4).to_numpy())
    if not len(rows):
        return values
    words = values.iloc[rows].to_numpy(dtype=object).astype("U")
    width = words.dtype.itemsize // 4 + 1
    letters = np.zeros((len(rows), width), dtype=np.uint32)
    letters[:, :-1] = words.view(np.uint32).reshape(len(rows), width - 1)
    length = np.char.str_len(words)
    at = (1 + random.random(len(rows)) * (length - 2)).astype(int)
    kind = random.integers(0, kinds, len(rows))
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
    tag = draw_texts(random, ["+shop", "+einkauf", "+newsletter", "+news"], len(records))
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
    spoiled = draw_texts(random, ["00.00.0000", "31.02.1980", "unbekannt", "01.01.1900"], len(records))
    birth = records["birth_date"]
    return records.assign(birth_date=birth.mask(hit & birth.notna().to_numpy(), spoiled))
