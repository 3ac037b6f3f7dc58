"""What the systems knew on an earlier evening, derived from what they know on the last one.

A row is there once it happened, and what came of it later is not there yet: payments, deliveries, answers, merges,
withdrawals, deletions. Records that were changed later still have an older value. Add here what a system's later
self must not give away; what goes wrong between a system and its deliveries is in `deliveries`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipelines.sample import vocabulary
from pipelines.sample.chance import Array, Chance, Random, numbers_as_texts, pick, texts
from pipelines.sample.company import Systems, Tables
from pipelines.sample.crm import Crm
from pipelines.sample.deliveries import Day, Days, Plan, open_second_accounts, plan_deliveries
from pipelines.sample.mail_order import MailOrder
from pipelines.sample.marketplace import Marketplace
from pipelines.sample.newsletter import Newsletter
from pipelines.sample.noise import ADDRESS, Rates
from pipelines.sample.persons import add_addresses
from pipelines.sample.retail import count_reminders
from pipelines.sample.sales import Sales
from pipelines.sample.shop import Shop
from pipelines.sample.support import Support
from pipelines.sample.tills import Tills

MERGED_LATELY = 0.5  # of the merged contacts were merged within the days; the others before
NUMBERS_CHANGED, ADDRESSES_CHANGED = 0.4, 0.4  # of the records that were changed


class Past:
    """The systems of one chunk of people on each evening before the last, and the mishaps of their deliveries."""

    def __init__(self, systems: Systems, days: Days, chance: Chance, rates: Rates) -> None:
        self.days, self.chance, self.rates = days, chance, rates
        first_id = chance.number(100_001) + len(systems.shop.customers)
        second = open_second_accounts(systems.shop.customers, first_id, days, chance.stream("second accounts"), rates)
        self.second_accounts = second.drop(columns="closed_on")
        # They are gone before the last day, so the last delivery knows nothing of them.
        accounts = pd.concat([systems.shop.customers, self.second_accounts], ignore_index=True)
        self.closed_on = np.concatenate([np.full(len(systems.shop.customers), days.last), second["closed_on"]])
        self.systems = replace(systems, shop=replace(systems.shop, customers=accounts))
        self.merged_at = self._date_merges(systems.crm.contacts)
        self.plans: dict[tuple[str, str], tuple[Plan, pd.Series[str]]] = {}
        self._plan()
        self.former = {
            name: _draw_former_values(records, chance.stream(f"former values {name}"))
            for name, records in self._registers().items()
        }

    def on(self, day: Day) -> Systems:
        """The systems as they delivered themselves on that day."""
        return Systems(
            shop=self._shop(day),
            mail_order=self._mail_order(day),
            tills=self._tills(day),
            marketplace=self._marketplace(day),
            crm=self._crm(day),
            support=self._support(day),
            newsletter=self._newsletter(day),
            events=self._name_accounts(self._delivered("web", "events", self.systems.events, day), "userId", day),
            invoices=self._invoices(day),
            attributes=self._delivered("enrichment", "attributes", self.systems.attributes, day),
            homes=self.systems.homes,
        )

    def tell_truth(self) -> Tables:
        """`truth/deliveries`: one row per record and what went wrong with its delivery, or was done to it, on a day."""
        found = [
            plan.tell(record_ids).assign(source_system=source, entity=entity)
            for (source, entity), (plan, record_ids) in self.plans.items()
        ]
        closed = self.closed_on < self.days.last
        accounts = self.systems.shop.customers["record_id"]
        found.append(_happened("shop", "customers", accounts, closed, self.closed_on, "open_and_close"))
        contacts = self.systems.crm.contacts["record_id"]
        merged_on = self.days.first_delivery(self.merged_at)
        found.append(_happened("crm", "contacts", contacts, merged_on > 0, merged_on, "merge_in_crm"))
        columns = ["source_system", "entity", "source_record_id", "kind", "day"]
        return {"truth/deliveries": pd.concat(found, ignore_index=True)[columns]}

    def _registers(self) -> dict[str, pd.DataFrame]:
        systems = self.systems
        return {
            "crm": systems.crm.contacts,
            "shop": systems.shop.customers,
            "support": systems.support.users,
            "mail_order": systems.mail_order.customers,
        }

    def _date_merges(self, contacts: pd.DataFrame) -> Array:
        """When each merged contact was merged: nobody wrote it down, so half of them lately."""
        random = self.chance.stream("merges")
        count = len(contacts)
        begin, end = self.days.day(0).evening, self.days.day(self.days.last - 1).evening
        earliest = np.maximum(contacts["created_at"].to_numpy().astype("datetime64[s]"), begin)
        room = np.maximum((end - earliest).astype(int), 0)
        lately = earliest + (room * random.random(count)).astype("timedelta64[s]")
        is_lately = random.random(count) < MERGED_LATELY
        moments = np.where(is_lately, lately, contacts["created_at"].to_numpy())
        moments[contacts["merged_into"].isna().to_numpy()] = np.datetime64("NaT")
        return moments.astype("datetime64[s]")

    def _plan(self) -> None:
        systems = self.systems
        for source, records in self._registers().items():
            entity = {"crm": "contacts", "support": "users"}.get(source, "customers")
            self._plan_table(source, entity, records["record_id"], records["created_at"], may_miss=True)
        cards = systems.tills.cards
        self._plan_table("tills", "customers", cards["record_id"], cards["created_at"], may_miss=True)
        orders = systems.shop.orders
        # A guest's order is a record of a person.
        has_account = orders["customer_no"].notna().to_numpy()
        self._plan_table("shop", "orders", orders["order_no"], orders["ordered_at"], may_be_late=has_account)
        sales = systems.marketplace.orders
        self._plan_table("marketplace", "orders", sales["order_no"], sales["ordered_at"])
        receipts = systems.tills.lines
        self._plan_fact("tills", "order_lines", receipts, "line_no", "ordered_at", together=receipts["order_no"])
        self._plan_fact("mail_order", "orders", systems.mail_order.orders, "order_no", "ordered_at")
        self._plan_fact("shop", "returns", systems.shop.returns, "return_no", "returned_at")
        self._plan_fact("mail_order", "returns", systems.mail_order.returns, "return_no", "returned_at")
        self._plan_fact("shop", "carts", systems.shop.carts, "cart_no", "abandoned_at")
        self._plan_fact("crm", "interactions", systems.crm.sales.interactions, "talk_no", "started_at")
        self._plan_fact("crm", "stage_changes", systems.crm.sales.stage_changes, "change_no", "entered_at")
        self._plan_fact("support", "tickets", systems.support.tickets, "ticket_no", "created_at")
        self._plan_fact("support", "ratings", systems.support.ratings, "rating_no", "rated_at")
        self._plan_fact("newsletter", "touches", systems.newsletter.touches, "touch_no", "happened_at")
        self._plan_fact("web", "events", systems.events, "eventId", "at")
        self._plan_fact("erp", "invoices", systems.invoices, "invoice_no", "ordered_at")
        self._plan_fact("enrichment", "attributes", systems.attributes, "attribute_no", "observed_at")

    def _plan_fact(
        self,
        source: str,
        entity: str,
        rows: pd.DataFrame,
        record_id: str,
        known_at: str,
        together: pd.Series[str] | None = None,
    ) -> None:
        every = np.ones(len(rows), dtype=bool)
        self._plan_table(source, entity, rows[record_id], rows[known_at], may_be_late=every, together=together)

    def _plan_table(
        self, source: str, entity: str, record_ids: pd.Series[str], known_at: pd.Series[pd.Timestamp], **kind: Any
    ) -> None:
        random = self.chance.stream(f"deliveries {source} {entity}")
        self.plans[source, entity] = plan_deliveries(known_at, self.days, random, self.rates, **kind), record_ids

    def _delivered(self, source: str, entity: str, rows: pd.DataFrame, day: Day) -> pd.DataFrame:
        """The rows of a planned table that are delivered on that day."""
        plan, _ = self.plans[source, entity]
        return rows.take(plan.rows(day)).reset_index(drop=True)

    def _records(self, source: str, entity: str, day: Day) -> pd.DataFrame:
        """The records of a register that are delivered on that day, with the values they had then."""
        register = self._registers()[source]
        is_later = (register["updated_at"] >= day.evening).to_numpy()
        former = self.former[source]
        older = {name: register[name].mask(is_later, former[name]) for name in former.columns}
        changed = register["updated_at"].mask(is_later, register["created_at"])
        return self._delivered(source, entity, register.assign(**older, updated_at=changed), day)

    def _shop(self, day: Day) -> Shop:
        shop = self.systems.shop
        customers = self._records("shop", "customers", day)
        closed = shop.customers["record_id"][self.closed_on <= day.number]
        orders = _follow_up(self._delivered("shop", "orders", shop.orders, day), day)
        carts = self._name_accounts(self._delivered("shop", "carts", shop.carts, day), "customer_no", day)
        carts = _forget(carts, ["completed_at"], day)
        carts["order_no"] = carts["order_no"].where(carts["completed_at"].notna())
        return replace(
            shop,
            customers=customers[~customers["record_id"].isin(closed)].reset_index(drop=True),
            orders=orders,
            lines=_of(shop.lines, "order_no", orders),
            returns=_forget(self._delivered("shop", "returns", shop.returns, day), ["refunded_at"], day),
            carts=carts,
        )

    def _name_accounts(self, rows: pd.DataFrame, column: str, day: Day) -> pd.DataFrame:
        """The rows with the accounts that there were: who opens one later is a stranger until then."""
        accounts = self.systems.shop.customers
        opened = accounts["record_id"][accounts["created_at"] < day.evening]
        return rows.assign(**{column: rows[column].where(rows[column].isin(opened))})

    def _mail_order(self, day: Day) -> MailOrder:
        house = self.systems.mail_order
        orders = _follow_up(self._delivered("mail_order", "orders", house.orders, day), day)
        return replace(
            house,
            customers=self._records("mail_order", "customers", day),
            orders=orders,
            lines=_of(house.lines, "order_no", orders),
            returns=_forget(self._delivered("mail_order", "returns", house.returns, day), ["refunded_at"], day),
        )

    def _tills(self, day: Day) -> Tills:
        tills = self.systems.tills
        return Tills(
            cards=self._delivered("tills", "customers", tills.cards, day),
            lines=self._delivered("tills", "order_lines", tills.lines, day),
        )

    def _marketplace(self, day: Day) -> Marketplace:
        market = self.systems.marketplace
        orders = self._delivered("marketplace", "orders", market.orders, day)
        return Marketplace(orders, _of(market.lines, "order_no", orders))

    def _crm(self, day: Day) -> Crm:
        crm = self.systems.crm
        is_known = (crm.companies["created_at"] < day.evening).to_numpy()
        companies = crm.companies[is_known].reset_index(drop=True)
        is_later = (companies["updated_at"] >= day.evening).to_numpy()
        companies["updated_at"] = companies["updated_at"].mask(is_later, companies["created_at"])
        companies["employee_count"] = companies["employee_count"].mask(is_later, companies["employee_count"] + 1)
        known = (crm.contacts["created_at"] < day.evening).to_numpy()
        contacts = _forget(self._records("crm", "contacts", day), ["deleted_at"], day)
        unmerged = crm.contacts["record_id"][self.merged_at >= day.evening]
        contacts["merged_into"] = contacts["merged_into"].mask(contacts["record_id"].isin(unmerged))
        # A contact names a company once the CRM has it.
        place = np.append(np.where(is_known, np.cumsum(is_known) - 1, -1), -1)
        contacts["company"] = place[contacts["company"].to_numpy()]
        numbers = crm.contacts["record_id"][known]
        return Crm(
            contacts=contacts,
            companies=companies,
            permissions=_permissions(crm.permissions, day),
            methods=crm.methods[crm.methods["contact_no"].isin(numbers)].reset_index(drop=True),
            sales=self._sales(day, numbers, companies["record_id"]),
        )

    def _sales(self, day: Day, contact_numbers: pd.Series[str], company_numbers: pd.Series[str]) -> Sales:
        sales = self.systems.crm.sales
        jobs, deals, partners = sales.company_contacts, sales.deals, sales.deal_contacts
        jobs = jobs[jobs["contact_no"].isin(contact_numbers) & jobs["company_no"].isin(company_numbers)]
        deals = deals[deals["created_at"] < day.evening].reset_index(drop=True)
        is_open = (deals["closed_at"] >= day.evening).to_numpy()
        deals = _forget(deals, ["closed_at"], day)
        deals["stage"] = deals["stage"].mask(is_open, "Angebot")
        deals["lost_reason"] = deals["lost_reason"].mask(is_open)
        deals["company_no"] = deals["company_no"].where(deals["company_no"].isin(company_numbers))
        partners = partners[partners["deal_no"].isin(deals["deal_no"]) & partners["contact_no"].isin(contact_numbers)]
        talks = self._delivered("crm", "interactions", sales.interactions, day)
        talks["deal_no"] = talks["deal_no"].where(talks["deal_no"].isin(deals["deal_no"]))
        return Sales(
            company_contacts=jobs.reset_index(drop=True),
            deals=deals,
            deal_contacts=partners.reset_index(drop=True),
            stage_changes=self._delivered("crm", "stage_changes", sales.stage_changes, day),
            interactions=talks,
        )

    def _support(self, day: Day) -> Support:
        desk = self.systems.support
        tickets = self._delivered("support", "tickets", desk.tickets, day)
        was_open = (tickets["solved_at"] >= day.evening).to_numpy()
        was_new = (tickets["first_reply_at"] >= day.evening).to_numpy()
        tickets = _forget(tickets, ["first_reply_at", "solved_at"], day)
        tickets["state"] = tickets["state"].mask(was_open, "open").mask(was_new, "new")
        tickets["reopened"] = tickets["reopened"].mask(was_open, 0)
        tickets["updated_at"] = tickets[["created_at", "first_reply_at", "solved_at"]].max(axis=1)
        return Support(
            users=self._records("support", "users", day),
            tickets=tickets,
            ratings=self._delivered("support", "ratings", desk.ratings, day),
        )

    def _newsletter(self, day: Day) -> Newsletter:
        tool = self.systems.newsletter
        known_at = tool.permissions["requested_at"].fillna(tool.permissions["withdrawn_at"])
        permissions = tool.permissions[known_at < day.evening].reset_index(drop=True)
        was_pending = (permissions["confirmed_at"] >= day.evening).to_numpy()
        permissions = _forget(permissions, ["confirmed_at"], day)
        permissions["state"] = permissions["state"].mask(was_pending, "pending")
        return Newsletter(tool.sendings, self._delivered("newsletter", "touches", tool.touches, day), permissions)

    def _invoices(self, day: Day) -> pd.DataFrame:
        invoices = _forget(self._delivered("erp", "invoices", self.systems.invoices, day), ["paid_on"], day)
        return invoices.assign(dunning=count_reminders(invoices, day.days_before))


def _draw_former_values(records: pd.DataFrame, random: Random) -> pd.DataFrame:
    """What each record said before its last change: some had another number, some another address."""
    count = len(records)
    kind = random.random(count)
    former = records[["mobile", *ADDRESS]].copy()
    number = vocabulary.MOBILE_PREFIX + numbers_as_texts(random.integers(0, 10**7, count), 7)
    had_number = (kind < NUMBERS_CHANGED) & records["mobile"].notna().to_numpy()
    former["mobile"] = former["mobile"].mask(had_number, number)
    address = pd.DataFrame(index=former.index)
    add_addresses(address, random)
    had_address = (kind > 1 - ADDRESSES_CHANGED) & records["street_name"].notna().to_numpy()
    for name in ADDRESS:
        former[name] = former[name].mask(had_address, address[name])
    return former


def _forget(rows: pd.DataFrame, columns: list[str], day: Day) -> pd.DataFrame:
    """The rows without the moments that lie ahead of that evening."""
    return rows.assign(**{name: rows[name].where(rows[name] < day.evening) for name in columns})


def _follow_up(orders: pd.DataFrame, day: Day) -> pd.DataFrame:
    """The orders with payment, delivery, cancellation and reminders as far as they had come."""
    orders = _forget(orders, ["cancelled_at", "paid_at", "delivered_at"], day)
    orders["changed_at"] = orders[["ordered_at", "cancelled_at", "paid_at", "delivered_at"]].max(axis=1)
    return orders.assign(dunning=count_reminders(orders, day.days_before))


def _of(rows: pd.DataFrame, column: str, parents: pd.DataFrame) -> pd.DataFrame:
    """The rows that belong to one of the parents."""
    return rows[rows[column].isin(parents[column])].reset_index(drop=True)


def _permissions(permissions: pd.DataFrame, day: Day) -> pd.DataFrame:
    """The CRM's permissions as they stood: withdrawals of later days have not come yet."""
    known_at = permissions["asked_at"].fillna(permissions["given_at"])
    found = permissions[known_at < day.evening].reset_index(drop=True)
    was_given = (found["withdrawn_at"] >= day.evening).to_numpy()
    was_asked = (found["given_at"] >= day.evening).to_numpy()
    found = _forget(found, ["given_at", "confirmed_at", "withdrawn_at"], day)
    return found.assign(status=found["status"].mask(was_given, "erteilt").mask(was_asked, "angefragt"))


def _happened(source: str, entity: str, record_ids: pd.Series[str], hit: Array, day: Array, name: str) -> pd.DataFrame:
    found = pd.DataFrame({"source_record_id": texts(pick(record_ids, np.flatnonzero(hit))), "day": day[hit]})
    return found.assign(source_system=source, entity=entity, kind=name)
