"""Defects planted into a finished sample, so that the audit has something to refuse.

Add a defect as a function `(folder, rate) -> rows changed` and a row of `DEFECTS`. Everyday noise belongs to `noise`. A
defect breaks what one layer must notice: landing, the contract of a source, keys, references or arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import KundenstammError
from pipelines.sample.folder import name_day, read_parameters, write_parameters

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DEFAULT_RATE = 0.3


def break_sample(folder: Path, defect: str, rate: float = DEFAULT_RATE) -> int:
    """Plant one of `DEFECTS` into that share of the rows and say so in `sample.json`; return the rows changed.

    Of a sample with daily deliveries, the last one is broken.

    Raises:
        KundenstammError: for an unknown defect, a rate outside 0 to 1, or a folder that is no sample.
    """
    _check(defect, rate)
    content = read_parameters(folder)
    if content is None:
        raise KundenstammError(f"{folder} holds no sample; make one there first.")
    # A broken sample is not the one that its parameters describe, so it is never taken for it again.
    content["parameters"]["defects"] = {**content["parameters"].get("defects", {}), defect: rate}
    write_parameters(folder, content)
    days = content["parameters"].get("days", 0)
    return DEFECTS[defect](folder / name_day(days, days) if days else folder, rate)


def read_defects(named: Sequence[str]) -> dict[str, float]:
    """`NAME=RATE` of each defect as rates by name; without a rate it is 0.3.

    Raises:
        KundenstammError: for an unknown defect, or a rate that is no share from 0 to 1.
    """
    found = {}
    for text in named:
        name, _, rate = text.partition("=")
        try:
            found[name] = float(rate or DEFAULT_RATE)
        except ValueError:
            raise KundenstammError(f"The rate of '{text}' is no number; write NAME=RATE, as in {name}=0.3.") from None
        _check(name, found[name])
    return found


def _check(defect: str, rate: float) -> None:
    if defect not in DEFECTS:
        raise KundenstammError(f"There is no defect named '{defect}'; allowed: {', '.join(DEFECTS)}.")
    if not 0 <= rate <= 1:
        raise KundenstammError(f"The rate of defect '{defect}' is {rate}; allowed is a share from 0 to 1.")


def invalidate_crm_emails(folder: Path, rate: float) -> int:
    """That share of the e-mail addresses in the CRM is none any more: the contract of a source."""
    from pipelines.sample.slips import make_invalid

    contacts = _read_crm(folder, "contacts")
    emails = contacts["E-Mail"]
    is_address = emails.str.strip().str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").fillna(False).to_numpy(dtype=bool)
    hit = is_address & _draw(len(emails), rate)
    contacts["E-Mail"] = make_invalid(emails, hit, _random())
    _write_crm(folder, "contacts", contacts)
    return int(hit.sum())


def shift_order_amounts(folder: Path, rate: float) -> int:
    """That share of the shop's orders is worth one cent more than its lines say: arithmetic."""
    import pyarrow.compute as pc

    orders = _read_shop(folder, "orders")
    hit = _draw(len(orders), rate)
    goods = pc.if_else(hit, pc.add(orders["items_total"], _cent()), orders["items_total"])
    _write_shop(folder, "orders", _replace(orders, "items_total", goods.cast(orders["items_total"].type)))
    return int(hit.sum())


def lose_orders(folder: Path, rate: float) -> int:
    """That share of the shop's orders is not delivered, while their lines are: references."""
    orders = _read_shop(folder, "orders")
    hit = _draw(len(orders), rate)
    _write_shop(folder, "orders", orders.filter(~hit))
    return int(hit.sum())


def shrink_delivery(folder: Path, rate: float) -> int:
    """The CRM delivers that share of its contacts less than before: landing, once there was a delivery before."""
    contacts = _read_crm(folder, "contacts")
    hit = _draw(len(contacts), rate)
    _write_crm(folder, "contacts", contacts[~hit])
    return int(hit.sum())


def repeat_keys(folder: Path, rate: float) -> int:
    """That share of the desk's tickets bears the number of the ticket before, with another state: keys."""
    file = folder / "support" / "tickets.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    hit = _draw(len(lines), rate)
    hit[:1] = False
    for row in hit.nonzero()[0]:
        own, before = (_number(lines[at]) for at in (row, row - 1))
        lines[row] = lines[row].replace(f'"id":{own}', f'"id":{before}', 1)
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return int(hit.sum())


def order_in_future(folder: Path, rate: float) -> int:
    """That share of the shop's orders was placed in ten years: plausibility."""
    import pyarrow as pa
    import pyarrow.compute as pc

    orders = _read_shop(folder, "orders")
    hit = _draw(len(orders), rate)
    later = pc.add(orders["placed_at"], pa.scalar(3650 * 86_400_000_000, pa.duration("us")))
    _write_shop(folder, "orders", _replace(orders, "placed_at", pc.if_else(hit, later, orders["placed_at"])))
    return int(hit.sum())


def garble_dates(folder: Path, rate: float) -> int:
    """That share of the CRM's contacts was created on a day that is none: the typed contract, which rejects them."""
    contacts = _read_crm(folder, "contacts")
    hit = _draw(len(contacts), rate)
    contacts["Angelegt am"] = contacts["Angelegt am"].mask(hit, "32.13.2025 25:61:00")
    _write_crm(folder, "contacts", contacts)
    return int(hit.sum())


def empty_a_column(folder: Path, rate: float) -> int:
    """That share of the contacts has lost its mobile number: completeness."""
    return _change_contacts(folder, rate, lambda contacts: contacts["Mobil"].notna(), {"Mobil": lambda _: None})


def break_encoding(folder: Path, rate: float) -> int:
    """UTF-8 was read as Windows-1252 in that share of the contacts; those with an umlaut in their name show it."""

    def misread(names: pd.Series) -> pd.Series:
        return names.map(lambda name: name.encode("utf-8").decode("cp1252", errors="replace"))

    return _change_contacts(
        folder, rate, lambda c: c["Nachname"].str.contains("[äöüÄÖÜ]", na=False), {"Nachname": misread}
    )


def misread_decimals(folder: Path, rate: float) -> int:
    """In that share of the invoices the decimal comma was taken for a thousands sign: 1.234,56 became 123456."""
    invoices = _read_text(folder, *INVOICES)
    hit = _draw(len(invoices), rate)
    amounts = invoices["WRBTR"]
    invoices["WRBTR"] = amounts.mask(hit, amounts.str.replace(",", "", regex=False) + ",00")
    _write_text(folder, *INVOICES, invoices)
    return int(hit.sum())


def shift_order_times(folder: Path, rate: float) -> int:
    """That share of the shop's orders was placed five hours later: a clock in another time zone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    orders = _read_shop(folder, "orders")
    hit = _draw(len(orders), rate)
    later = pc.add(orders["placed_at"], pa.scalar(5 * 3600 * 1_000_000, pa.duration("us")))
    _write_shop(folder, "orders", _replace(orders, "placed_at", pc.if_else(hit, later, orders["placed_at"])))
    return int(hit.sum())


def repeat_rows(folder: Path, rate: float) -> int:
    """That share of the shop's accounts is delivered twice, as it is."""
    import pyarrow as pa

    customers = _read_shop(folder, "customers")
    hit = _draw(len(customers), rate)
    _write_shop(folder, "customers", pa.concat_tables([customers, customers.filter(hit)]))
    return int(hit.sum())


def copy_records(folder: Path, rate: float) -> int:
    """That share of the contacts is there a second time under another number: an import that was run twice."""
    import pandas as pd

    contacts = _read_crm(folder, "contacts")
    copies = contacts[_draw(len(contacts), rate)].copy()
    copies["Kontakt-Nr"] = "X" + copies["Kontakt-Nr"]
    _write_crm(folder, "contacts", pd.concat([contacts, copies], ignore_index=True))
    return len(copies)


def lose_accounts(folder: Path, rate: float) -> int:
    """That share of the shop's accounts is not delivered, while their orders are: half of a file."""
    customers = _read_shop(folder, "customers")
    hit = _draw(len(customers), rate)
    _write_shop(folder, "customers", customers.filter(~hit))
    return int(hit.sum())


def lose_currencies(folder: Path, rate: float) -> int:
    """That share of the mail-order house's orders has lost its currency."""
    orders = _read_text(folder, *MAIL_ORDERS)
    hit = _draw(len(orders), rate)
    orders["waehrung"] = orders["waehrung"].mask(hit, "")
    _write_text(folder, *MAIL_ORDERS, orders)
    return int(hit.sum())


def flip_consents(folder: Path, rate: float) -> int:
    """That share of the permissions that are a refusal, or not yet one, became a granted consent."""
    permissions = _read_crm(folder, "permissions")
    hit = _draw(len(permissions), rate) & ((permissions["Stand"] != "erteilt") | (permissions["Art"] == "Widerspruch"))
    permissions["Stand"] = permissions["Stand"].mask(hit, "erteilt")
    permissions["Art"] = permissions["Art"].mask(hit, "Einwilligung")
    _write_crm(folder, "permissions", permissions)
    return int(hit.sum())


def invent_birth_dates(folder: Path, rate: float) -> int:
    """Of that share of the birth dates only the year is true: day and month were filled in as 01.01."""
    return _change_contacts(
        folder,
        rate,
        lambda c: c["Geburtsdatum"].notna() & ~c["Geburtsdatum"].str.startswith("01.01.", na=False),
        {"Geburtsdatum": lambda dates: "01.01." + dates.str[-4:]},
    )


def reset_numbers(folder: Path, rate: float) -> int:
    """That share of the contacts has the number of another one of them: the numbers were given anew."""
    import numpy as np

    contacts = _read_crm(folder, "contacts")
    hit = _draw(len(contacts), rate)
    contacts.loc[hit, "Kontakt-Nr"] = np.roll(contacts.loc[hit, "Kontakt-Nr"].to_numpy(), 1)
    _write_crm(folder, "contacts", contacts)
    return int(hit.sum())


def repeat_yesterday(folder: Path, rate: float) -> int:
    """The support desk delivers its newest tickets not yet: the file of the day before, or of that share earlier."""
    file = folder / "support" / "tickets.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = lines[: len(lines) - round(len(lines) * rate)]
    newest_last = sorted(lines, key=lambda line: line.partition('"created":"')[2][:20])
    late = set(newest_last[len(kept) :])
    file.write_text("".join(line + "\n" for line in lines if line not in late), encoding="utf-8")
    return len(late)


def swap_columns(folder: Path, rate: float) -> int:
    """In that share of the contacts postal code and town stand in each other's column."""
    contacts = _read_crm(folder, "contacts")
    hit = _draw(len(contacts), rate) & contacts["PLZ"].notna().to_numpy() & contacts["Ort"].notna().to_numpy()
    contacts.loc[hit, ["PLZ", "Ort"]] = contacts.loc[hit, ["Ort", "PLZ"]].to_numpy()
    _write_crm(folder, "contacts", contacts)
    return int(hit.sum())


def fill_in_one_mailbox(folder: Path, rate: float) -> int:
    """That share of the contacts has one and the same e-mail address: somebody filled in a default."""
    return _change_contacts(
        folder, rate, lambda c: c["E-Mail"].notna(), {"E-Mail": lambda _: "kunden@beispiel-handel.example"}
    )


def rename_states(folder: Path, rate: float) -> int:
    """That share of the tickets has a state that nobody translated."""
    file = folder / "support" / "tickets.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    hit = _draw(len(lines), rate)
    changed = [
        re.sub(r'"state":"\w+"', '"state":"wartet"', line) if h else line for line, h in zip(lines, hit, strict=True)
    ]
    file.write_text("".join(line + "\n" for line in changed), encoding="utf-8")
    return int(hit.sum())


DEFECTS: dict[str, Callable[[Path, float], int]] = {
    "invalid_emails": invalidate_crm_emails,
    "cents_off": shift_order_amounts,
    "missing_orders": lose_orders,
    "shrunken_delivery": shrink_delivery,
    "repeated_keys": repeat_keys,
    "future_orders": order_in_future,
    "garbled_dates": garble_dates,
    "emptied_column": empty_a_column,
    "broken_encoding": break_encoding,
    "misread_decimals": misread_decimals,
    "shifted_times": shift_order_times,
    "repeated_rows": repeat_rows,
    "copied_records": copy_records,
    "missing_accounts": lose_accounts,
    "missing_currencies": lose_currencies,
    "flipped_consents": flip_consents,
    "invented_birth_dates": invent_birth_dates,
    "reset_numbers": reset_numbers,
    "late_delivery": repeat_yesterday,
    "swapped_columns": swap_columns,
    "one_mailbox": fill_in_one_mailbox,
    "renamed_states": rename_states,
}

# Where it stands, delimiter and encoding.
INVOICES = ("erp/rechnungen.csv", "\t", "cp1252")
MAIL_ORDERS = ("mail_order/bestellungen.csv", "|", "utf-8")


def _change_contacts(
    folder: Path,
    rate: float,
    fits: Callable[[pd.DataFrame], pd.Series],
    changes: Mapping[str, Callable[[pd.Series], Any]],
) -> int:
    """Change columns of that share of the contacts, where they fit."""
    contacts = _read_crm(folder, "contacts")
    hit = _draw(len(contacts), rate) & fits(contacts).to_numpy(dtype=bool)
    for column, change in changes.items():
        contacts.loc[hit, column] = change(contacts.loc[hit, column])
    _write_crm(folder, "contacts", contacts)
    return int(hit.sum())


def _random() -> Any:
    import numpy as np

    return np.random.default_rng(1)


def _draw(count: int, rate: float) -> Any:
    return _random().random(count) < rate


def _number(line: str) -> str:
    return line.removeprefix('{"id":').split(",", 1)[0]


def _cent() -> Any:
    import decimal

    import pyarrow as pa

    return pa.scalar(decimal.Decimal("0.01"), pa.decimal128(18, 2))


def _replace(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _read_crm(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    file = folder / "crm" / f"{name}.csv"
    return pd.read_csv(file, sep=";", encoding="cp1252", dtype="str", keep_default_na=False, na_values=[""])


def _write_crm(folder: Path, name: str, table: pd.DataFrame) -> None:
    from pipelines.sample.writing import GERMAN, open_engine

    with open_engine(folder) as engine:
        GERMAN.write(table, folder / "crm" / f"{name}.csv", engine)


def _read_text(folder: Path, name: str, delimiter: str, encoding: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(folder / name, sep=delimiter, encoding=encoding, dtype="str", keep_default_na=False)


def _write_text(folder: Path, name: str, delimiter: str, encoding: str, table: pd.DataFrame) -> None:
    line_end = "\r\n" if b"\r\n" in (folder / name).read_bytes()[:2000] else "\n"
    table.to_csv(
        folder / name, sep=delimiter, encoding=encoding, index=False, lineterminator=line_end, errors="replace"
    )


def _read_shop(folder: Path, name: str) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(folder / "shop" / f"{name}.parquet")


def _write_shop(folder: Path, name: str, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, folder / "shop" / f"{name}.parquet")
