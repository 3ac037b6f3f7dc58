"""What goes wrong with what people do: orders, permissions, tickets and newsletters.

Add a noise of that kind as a function `(rows, hit, random) -> rows` here and its row in `noise`. Each sets a mark or a
word that the system's own module turns into what the system writes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Random, draw_texts
from pipelines.sample.retail import VOUCHERS

FOREIGN = {"CHF": "CH", "GBP": "GB", "PLN": "PL", "SEK": "SE"}  # currency and country


def order_as_guest(orders: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The order names no customer, only e-mail, phone and name."""
    return orders.assign(is_guest=orders["is_guest"].to_numpy() | hit)


def cancel_orders(orders: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The order was cancelled on the same day."""
    return orders.assign(is_cancelled=orders["is_cancelled"].to_numpy() | hit)


def leave_unpaid(orders: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Nobody paid so far; after a while it is dunned."""
    return orders.assign(is_unpaid=orders["is_unpaid"].to_numpy() | hit)


def redeem_vouchers(orders: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """A voucher takes a tenth off every line."""
    return orders.assign(voucher=orders["voucher"].mask(hit, draw_texts(random, VOUCHERS, len(orders))))


def pay_in_foreign_currency(orders: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The order goes abroad and is in the currency there."""
    return orders.assign(currency=orders["currency"].mask(hit, draw_texts(random, list(FOREIGN), len(orders))))


def return_goods(lines: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The line is sent back, once it has arrived."""
    return lines.assign(is_returned=lines["is_returned"].to_numpy() | hit)


def never_confirm(answers: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """An opt-in that was asked for and never confirmed."""
    asked = answers["answer"].isin(["confirmed"]).to_numpy()
    return answers.assign(answer=answers["answer"].mask(hit & asked, "requested"))


def lack_consent(answers: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """A customer whom nobody ever asked."""
    return answers.assign(answer=answers["answer"].mask(hit & answers["buys"].to_numpy(), "none"))


def opt_in_after_objection(answers: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Somebody objected and agreed later, for the same mailbox."""
    return answers.assign(has_objected_before=hit & (answers["answer"] == "confirmed").to_numpy())


def withdraw_one_address(answers: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Somebody with two mailboxes agreed for both and withdrew for the second."""
    both = answers["second_email"].notna() & answers["email"].notna() & (answers["answer"] == "confirmed")
    return answers.assign(withdraws_second=hit & both.to_numpy())


def ask_from_unknown_address(tickets: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Nobody knows who asked: the ticket has no requester, at most an order."""
    return tickets.assign(requester=tickets["requester"].mask(hit))


def lack_priority(tickets: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """Nobody set a priority; urgent ones had one."""
    usual = (tickets["priority"] != "P1").to_numpy()
    return tickets.assign(priority=tickets["priority"].mask(hit & usual))


def reopen_tickets(tickets: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The answer did not help, and the ticket was opened again."""
    times = 1 + random.poisson(0.3, len(tickets))
    return tickets.assign(reopened=np.where(hit, times, tickets["reopened"]))


def bounce(sendings: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The message came back: the mailbox is gone (hard) or full (soft)."""
    kind = draw_texts(random, ["hard", "soft"], len(sendings), [1, 2])
    return sendings.assign(bounce=sendings["bounce"].mask(hit, kind))


def open_by_machine(sendings: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """A scanner opens the message within seconds, whatever the person does."""
    return sendings.assign(is_machine=sendings["is_machine"].to_numpy() | hit)


def unsubscribe(sendings: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The person clicks on the link at the end."""
    return sendings.assign(unsubscribes=sendings["unsubscribes"].to_numpy() | hit)


def complain(sendings: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The person reports the message as spam."""
    return sendings.assign(complains=sendings["complains"].to_numpy() | hit)
