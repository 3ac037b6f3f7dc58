"""What goes wrong between the people and the files: the table of all noises, each with its rate and its places.

Add a noise as a function `(rows, hit, random) -> rows` in `families`, `fates`, `slips`, `mishaps` or `company_slips`
and a row of `NOISES`. Noise that is switched off leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.errors import KundenstammError
from pipelines.sample import company_slips, families, fates, mishaps, slips
from pipelines.sample.chance import Array, Chance, Random

Rates = Mapping[str, float]
REGISTERS = ("crm", "shop", "support", "mail_order")
RECORDS = (*REGISTERS, "guests", "market")
ORDERS = ("orders", "mail_orders")
ADDRESS = ("street_name", "house_number", "postal_code", "city")
NAMES = ("first_name", "last_name")
PLACES = ("firms", "persons", *RECORDS, *ORDERS, "lines", "companies", "merging", "permissions", "tickets", "sendings")


@dataclass(frozen=True)
class Noise:
    """`rate` is the share of rows drawn, `where` the places (`PLACES`), `columns` what the function may change.

    `reads` are columns that it needs besides; a noise without `columns` adds rows and gets all of them.
    """

    function: Callable[[pd.DataFrame, Array, Random], pd.DataFrame]
    rate: float
    where: tuple[str, ...]
    columns: tuple[str, ...]
    description: str
    reads: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.function.__name__


def apply_noises(rows: pd.DataFrame, where: str, rates: Rates, chance: Chance) -> pd.DataFrame:
    """Apply every noise of that place in the order of `NOISES`, each with a random stream of its own.

    Bit n of column `noises` is set in every row that noise n of `NOISES` really changed or added.
    """
    if "noises" not in rows:
        rows = rows.assign(noises=np.zeros(len(rows), dtype=np.uint64))
    for number, noise in enumerate(NOISES):
        if where in noise.where:
            random = chance.stream(f"{noise.name} {where}")
            chosen = np.flatnonzero(random.random(len(rows)) < rates[noise.name])
            if len(chosen):
                rows = _apply(rows, chosen, noise, np.uint64(1 << number), random)
    return rows


def _apply(rows: pd.DataFrame, chosen: Array, noise: Noise, bit: np.uint64, random: Random) -> pd.DataFrame:
    seen = rows[list(dict.fromkeys((*noise.columns, *noise.reads)))] if noise.columns else rows
    before = seen.take(chosen).reset_index(drop=True)
    after = noise.function(before, np.ones(len(chosen), dtype=bool), random)
    added = after.iloc[len(before) :]
    changed = np.zeros(len(before), dtype=bool)
    columns: dict[str, Any] = {}
    for name in noise.columns:
        old, new = before[name], after[name].iloc[: len(before)]
        differs = ~((old == new) | (old.isna() & new.isna())).to_numpy(dtype=bool)
        if differs.any():
            columns[name] = _put(rows[name], chosen[differs], new[differs])
            changed |= differs
    noises = rows["noises"].to_numpy().copy()
    noises[chosen[changed]] |= bit
    found = rows.assign(**columns, noises=noises)
    if len(added):
        added = added.assign(noises=added["noises"].to_numpy() | bit)
        found = pd.concat([found, added], ignore_index=True)
    return found


def _put(column: pd.Series[Any], at: Array, values: pd.Series[Any]) -> pd.Series[Any]:
    found = column.array.copy()
    found[at] = values.array
    return pd.Series(found, index=column.index)


def list_noises(rows: pd.DataFrame, record_id: str) -> pd.DataFrame:
    """One row per row and noise that changed it: `source_record_id`, `noise`."""
    bits = rows["noises"].to_numpy()
    found = []
    for number, noise in enumerate(NOISES):
        at = np.flatnonzero(bits & np.uint64(1 << number))
        if len(at):
            ids = rows[record_id].take(at).to_numpy(dtype=object)
            found.append(pd.DataFrame({"source_record_id": ids, "noise": noise.name}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame({"source_record_id": [], "noise": []})


def resolve_rates(overrides: Rates | None, more: Rates | None = None) -> dict[str, float]:
    """The rate of every noise, and of `more` that can go wrong, with the overrides.

    Raises:
        KundenstammError: for an unknown noise or a rate outside 0 to 1.
    """
    rates = {noise.name: noise.rate for noise in NOISES} | dict(more or {})
    for name, rate in (overrides or {}).items():
        if name not in rates:
            raise KundenstammError(f"There is no noise named '{name}'; allowed: {', '.join(rates)}.")
        if not 0 <= rate <= 1:
            raise KundenstammError(f"The rate of noise '{name}' is {rate}; allowed is a share from 0 to 1.")
        rates[name] = float(rate)
    return rates


# In the order in which they happen.
NOISES = (
    # Who people are.
    Noise(
        families.share_in_families,
        0.12,
        ("persons",),
        families.FAMILY_COLUMNS,
        "one mailbox, landline and address",
        reads=("gender", "person"),
    ),
    Noise(families.name_son_after_father, 0.004, ("persons",), families.SON_COLUMNS, "father and son of one name"),
    Noise(families.bear_twins, 0.004, ("persons",), families.TWIN_COLUMNS, "twins at one address", reads=("gender",)),
    Noise(families.share_flats, 0.02, ("persons",), families.FLAT_COLUMNS, "people of a flat share one landline"),
    Noise(
        fates.let_minors_in,
        0.005,
        ("persons",),
        ("birth_date", "company"),
        "the person is under age",
        reads=("birth_date_if_minor",),
    ),
    Noise(fates.report_deaths, 0.006, ("persons",), ("is_deceased",), "the person died"),
    Noise(fates.employ_staff, 0.005, ("persons",), ("is_employee",), "the person works for the company"),
    Noise(
        fates.change_employer,
        0.10,
        ("persons",),
        ("former_company",),
        "a business contact changed the employer",
        reads=("company",),
    ),
    Noise(
        company_slips.found_sisters,
        0.10,
        ("firms",),
        ("founder", "website", *ADDRESS, "trade", "legal_form", "name"),
        "two companies of one founder in one house",
    ),
    # What they order.
    Noise(mishaps.order_as_guest, 0.10, ("orders",), ("is_guest",), "an order without a customer account"),
    Noise(mishaps.cancel_orders, 0.03, ORDERS, ("is_cancelled",), "a cancelled order"),
    Noise(mishaps.leave_unpaid, 0.02, ORDERS, ("is_unpaid",), "an unpaid order"),
    Noise(mishaps.redeem_vouchers, 0.08, ("orders",), ("voucher",), "a voucher on an order"),
    Noise(mishaps.pay_in_foreign_currency, 0.01, ("mail_orders",), ("currency",), "an order in a foreign currency"),
    Noise(mishaps.return_goods, 0.06, ("lines",), ("is_returned",), "a line that is sent back"),
    # What a system knows of them.
    Noise(slips.duplicate_records, 0.04, REGISTERS, (), "a second record of a person in one system"),
    Noise(
        slips.use_second_mailbox,
        0.15,
        RECORDS,
        ("email",),
        "another of the person's mailboxes",
        reads=("second_email",),
    ),
    Noise(
        slips.use_role_mailbox, 0.05, ("crm",), ("email",), "the mailbox of the whole office", reads=("role_mailbox",)
    ),
    Noise(
        slips.use_office_phone,
        0.30,
        ("crm", "support"),
        ("phone",),
        "the employer's switchboard",
        reads=("office_phone",),
    ),
    Noise(
        slips.hide_behind_relay,
        0.90,
        ("market",),
        ("email", "phone", "mobile"),
        "the marketplace's relay address",
        reads=("person",),
    ),
    Noise(slips.keep_old_address, 0.05, ("crm", "mail_order"), ADDRESS, "the person moved, the system does not know"),
    Noise(
        slips.keep_former_name,
        0.30,
        ("crm", "support", "mail_order"),
        ("last_name",),
        "the name before marriage",
        reads=("former_last_name",),
    ),
    Noise(slips.leave_fields_empty, 0.10, REGISTERS, ("phone", "mobile", "birth_date", *ADDRESS), "an empty field"),
    Noise(slips.use_nicknames, 0.03, RECORDS, ("first_name",), "the name that friends use"),
    Noise(slips.misspell_names, 0.03, RECORDS, NAMES, "a typing error in a name"),
    Noise(slips.transpose_letters, 0.01, RECORDS, ("last_name",), "two letters of the last name swapped"),
    Noise(slips.misspell_streets, 0.03, RECORDS, ("street_name",), "a typing error in a street"),
    Noise(slips.transliterate_umlauts, 0.20, RECORDS, (*NAMES, "street_name", "city"), "umlauts as ae or a"),
    Noise(slips.vary_case, 0.02, RECORDS, ("last_name", "email"), "capitals and stray blanks"),
    Noise(
        slips.put_title_in_first_name,
        0.015,
        RECORDS,
        ("first_name",),
        "title or salutation in the first name",
        reads=("title", "salutation"),
    ),
    Noise(slips.put_company_in_name, 0.004, RECORDS, NAMES, "a company in place of a person"),
    Noise(slips.swap_name_parts, 0.01, RECORDS, NAMES, "first and last name swapped"),
    Noise(slips.join_name_parts, 0.03, RECORDS, (*NAMES, "full_name"), "the whole name in one field"),
    Noise(slips.vary_phone_formats, 0.60, RECORDS, ("phone", "mobile"), "phone numbers as people write them"),
    Noise(slips.add_plus_tags, 0.015, RECORDS, ("email",), "a tag behind a plus sign in the mailbox"),
    Noise(slips.mistype_email_domains, 0.012, RECORDS, ("email",), "a slip in the provider's name"),
    Noise(slips.invalidate_emails, 0.004, RECORDS, ("email",), "no e-mail address in the e-mail field"),
    Noise(slips.fill_in_placeholders, 0.008, RECORDS, ("email", "last_name", "phone"), "n/a, test@test.de, 0000"),
    Noise(slips.spoil_dates, 0.004, ("crm",), ("birth_date",), "a birth date that is none, or 01.01.1900"),
    Noise(slips.inject_hostile_latin_text, 0.001, ("crm", "mail_order"), ("last_name",), "text that breaks programs"),
    Noise(slips.inject_hostile_text, 0.001, ("shop", "support", "market"), ("last_name",), "the same, in any script"),
    Noise(
        company_slips.duplicate_companies, 0.20, ("companies",), (), "a second record of a company, written otherwise"
    ),
    # What the CRM's staff did to its records.
    Noise(fates.delete_in_crm, 0.01, ("merging",), ("deleted_at",), "a deleted record", reads=("updated_at",)),
    Noise(fates.restore_in_crm, 0.004, ("merging",), ("deleted_at", "remark"), "a record deleted and restored"),
    Noise(
        fates.merge_in_crm,
        0.10,
        ("merging",),
        ("merged_into",),
        "a second record merged into the first",
        reads=("first_record",),
    ),
    Noise(
        fates.unmerge_in_crm,
        0.05,
        ("merging",),
        ("merged_into", "remark"),
        "a second record merged and un-merged",
        reads=("first_record",),
    ),
    Noise(mishaps.never_confirm, 0.08, ("permissions",), ("answer",), "an opt-in that was never confirmed"),
    Noise(mishaps.lack_consent, 0.15, ("permissions",), ("answer",), "a customer whom nobody asked", reads=("buys",)),
    Noise(
        mishaps.opt_in_after_objection,
        0.02,
        ("permissions",),
        ("has_objected_before",),
        "objection, then opt-in",
        reads=("answer",),
    ),
    Noise(
        mishaps.withdraw_one_address,
        0.05,
        ("permissions",),
        ("withdraws_second",),
        "one of two mailboxes withdrew",
        reads=("second_email", "email", "answer"),
    ),
    # Service and newsletters.
    Noise(mishaps.ask_from_unknown_address, 0.02, ("tickets",), ("requester",), "a ticket of somebody unknown"),
    Noise(mishaps.lack_priority, 0.04, ("tickets",), ("priority",), "a ticket without priority"),
    Noise(mishaps.reopen_tickets, 0.06, ("tickets",), ("reopened",), "a ticket that was opened again"),
    Noise(mishaps.bounce, 0.02, ("sendings",), ("bounce",), "a message that came back"),
    Noise(mishaps.open_by_machine, 0.12, ("sendings",), ("is_machine",), "a message opened by a scanner"),
    Noise(mishaps.unsubscribe, 0.006, ("sendings",), ("unsubscribes",), "a message that made somebody leave"),
    Noise(mishaps.complain, 0.001, ("sendings",), ("complains",), "a message reported as spam"),
)
