"""Why company records are one account or are not: what a published version knows about it, and how it is told.

Add here a fact that belongs to the explanation of an account. What is read is personal: it goes to who asked and
nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.explain.read import UnknownError, find_path, open_version
from pipelines.explain.words import COMPANY_REASONS, COMPANY_RULES, say
from pipelines.resolve.account_model import PRIOR
from pipelines.resolve.ids import ACCOUNT_PREFIX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

COMPANIES = "companies"  # the entity of company records
START_WEIGHT = math.log2(PRIOR / (1 - PRIOR))  # before anything is compared


@dataclass(frozen=True)
class CompanyRecord:
    """One company record with its own values, as cleaned; `account_id` is whose it is."""

    key: str
    name: str
    account_id: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class CompanyLink:
    """What joins two records, or would and was refused for `reason`; `reasons` are the parts of its weight in words."""

    a: CompanyRecord
    b: CompanyRecord
    rule: str
    weight: float | None
    reasons: str | None
    reason: str | None = None


@dataclass(frozen=True)
class AccountExplanation:
    """Everything about one account. `asked_id` may be an id that was merged into it."""

    version: str
    asked_id: str
    account_id: str
    former_ids: tuple[str, ...]
    records: tuple[CompanyRecord, ...]
    links: tuple[CompanyLink, ...]
    refused: tuple[CompanyLink, ...]


@dataclass(frozen=True)
class AccountPairExplanation:
    """Why two company records are one account or not.

    Attributes:
        path: the links that lead from one to the other, when they are one account.
        refused: refused links between the two accounts, those of the two records themselves first.
    """

    version: str
    a: CompanyRecord
    b: CompanyRecord
    path: tuple[CompanyLink, ...]
    refused: tuple[CompanyLink, ...]


def is_account(name: str) -> bool:
    """Whether the name is an account's id, or that of a company record."""
    return (name.startswith(ACCOUNT_PREFIX) and ":" not in name) or name.split(":")[1:2] == [COMPANIES]


def explain_account(settings: Settings, name: str) -> AccountExplanation:
    """Explain the account of this id, also of one that was merged away, or of this company record.

    Raises:
        UnknownError: the id was never issued, nobody carries it any more, or the record is not there.
        BuildError: nothing is published, or this user may not read the restricted file.
    """
    with open_version(settings) as connection:
        account_id = _find_account(connection, name)
        records = _read_records(connection, "account_id = ?", account_id)
        keys = [record.key for record in records]
        former = connection.execute(
            "select account_id from state.account_id_history "
            "where current_account_id = ? and account_id <> ? order by account_id",
            [account_id, account_id],
        ).fetchall()
        return AccountExplanation(
            version=settings.current.resolve().name,
            asked_id=name if ":" not in name else account_id,
            account_id=account_id,
            former_ids=tuple(str(row[0]) for row in former),
            records=tuple(records),
            links=tuple(_read_links(connection, "account_links", keys)),
            refused=tuple(_read_links(connection, "refused_account_links", keys)),
        )


def explain_account_pair(settings: Settings, a: str, b: str) -> AccountPairExplanation:
    """Explain why two company records are one account, or why not.

    Args:
        settings: names the published version.
        a, b: each a company record (`source:companies:id`) or an account. Of two accounts the records are told between
            which a link was refused, else the first of each.

    Raises:
        UnknownError: one is not there, or both are the same.
        BuildError: nothing is published, or this user may not read the restricted file.
    """
    with open_version(settings) as connection:
        mine, theirs = (_find_records(connection, name) for name in (a, b))
        keys = [[record.key for record in side] for side in (mine, theirs)]
        if set(keys[0]) & set(keys[1]):
            raise UnknownError("Both are the same company record or account; name two.")
        accounts = [_read_records(connection, "account_id = ?", side[0].account_id) for side in (mine, theirs)]
        of_both = [record.key for side in accounts for record in side]
        path: Sequence[CompanyLink] = ()
        refused: list[CompanyLink] = []
        if mine[0].account_id == theirs[0].account_id:
            path = find_path(_read_links(connection, "account_links", of_both), keys[0][0], keys[1][0])
        else:
            sides = [{record.key for record in side} for side in accounts]
            refused = [
                link
                for link in _read_links(connection, "refused_account_links", of_both)
                if {link.a.key, link.b.key} & sides[0] and {link.a.key, link.b.key} & sides[1]
            ]
            refused.sort(key=lambda link: not ({link.a.key, link.b.key} <= {*keys[0], *keys[1]}))
        told = {record.key for record in (refused[0].a, refused[0].b)} if refused else set()
        first, second = (next((r for r in side if r.key in told), side[0]) for side in (mine, theirs))
        return AccountPairExplanation(settings.current.resolve().name, first, second, tuple(path), tuple(refused))


def _find_records(connection: DuckDBPyConnection, name: str) -> list[CompanyRecord]:
    """The company record of this name, or all records of this account."""
    account_id = _find_account(connection, name)
    if ":" not in name:
        return _read_records(connection, "account_id = ?", account_id)
    source, _, record_id = name.split(":", 2)
    return _read_records(connection, "source_system = ? and source_record_id = ?", source, record_id)


def _find_account(connection: DuckDBPyConnection, name: str) -> str:
    if ":" in name:
        source, _, record_id = name.split(":", 2)
        found = _read_records(connection, "source_system = ? and source_record_id = ?", source, record_id)
        if not found:
            raise UnknownError(
                "This company record is not in the published version. Name it as source:companies:id, or name an "
                "account."
            )
        return found[0].account_id
    row = connection.execute(
        "select current_account_id, status_version from state.account_id_history where account_id = ?", [name]
    ).fetchone()
    if row is None:
        raise UnknownError(
            "This account id was never issued up to the published version; it is mistyped, or of a version that was "
            "rolled back. marts.accounts lists all accounts."
        )
    if row[0] is None:
        raise UnknownError(f"This account id is retired since version {row[1]}: no record of it is left.")
    return str(row[0])


def _read_records(connection: DuckDBPyConnection, condition: str, *parameters: object) -> list[CompanyRecord]:
    rows = connection.execute(
        f"""
        select record_key, source_system || ':{COMPANIES}:' || source_record_id, account_id, name, domain, vat_id,
            register_number, street, concat_ws(' ', postal_code, city), case when is_deleted then 'deleted' end
        from restricted.audit.compared_companies join state.account_records using (record_key)
        where {condition}
        order by source_system, source_record_id
        """,
        list(parameters),
    ).fetchall()
    return [
        CompanyRecord(key, name, account_id, tuple(str(v) for v in values if v))
        for key, name, account_id, *values in rows
    ]


def _read_links(connection: DuckDBPyConnection, table: str, keys: Sequence[str]) -> Iterator[CompanyLink]:
    reason = "reason" if table == "refused_account_links" else "null"
    rows = connection.execute(
        f"select record_key_a, record_key_b, rule, match_weight, reasons, {reason} from warehouse.audit.{table} "
        "where record_key_a = any($1) or record_key_b = any($1) order by record_key_a, record_key_b, rule",
        [list(keys)],
    ).fetchall()
    named = sorted({key for row in rows for key in row[:2]})
    records = {record.key: record for record in _read_records(connection, "record_key = any(?)", named)}
    for a, b, *rest in rows:
        yield CompanyLink(records[a], records[b], *rest)


def tell_account(told: AccountExplanation) -> Iterator[str]:
    """Everything about one account, line by line."""
    numbers = {record.key: number for number, record in enumerate(told.records, start=1)}
    count = len(told.records)
    yield f"{told.account_id}: {count} company record{'' if count == 1 else 's'} (version {told.version})"
    if told.former_ids:
        yield f"Merged into it: {', '.join(told.former_ids)}."
    yield from ("", "Records")
    for record in told.records:
        yield f"  {numbers[record.key]:>3}  {describe_company(record)}"
    for head, sign, links in (
        ("Why they are one company", "=", told.links),
        ("What was not joined", "≠", told.refused),
    ):
        if links:
            yield from ("", head)
        for link in links:
            yield f"  {_name(link.a, numbers)} {sign} {_name(link.b, numbers)}  {describe_company_link(link)}"
            yield from _reasons(link)


def tell_account_pair(told: AccountPairExplanation) -> Iterator[str]:
    """Why two company records are one account or not, line by line."""
    yield f"A  {describe_company(told.a)}  [{told.a.account_id}]"
    yield f"B  {describe_company(told.b)}  [{told.b.account_id}]"
    yield ""
    if told.a.account_id == told.b.account_id:
        count = len(told.path)
        yield f"They are one account, {told.a.account_id}, by {count} link{'' if count == 1 else 's'}:"
    elif told.refused:
        yield "They are two accounts, because this was refused:"
    else:
        yield (
            "They are two accounts: they share neither a number, name, website nor address, or are alike in too little "
            "of it. Add a must-link to overrides.csv if they are one company."
        )
    for sign, links in (("=", told.path), ("≠", told.refused)):
        for link in links:
            yield f"  {link.a.name} {sign} {link.b.name}  {describe_company_link(link)}"
            yield from _reasons(link)


def _reasons(link: CompanyLink) -> Iterator[str]:
    if link.reasons:
        yield f"         before anything is compared ({START_WEIGHT:+.1f}), {link.reasons}"


def describe_company(record: CompanyRecord) -> str:
    """Its name and its own values."""
    return f"{record.name}  {' · '.join(record.values)}"


def _name(record: CompanyRecord, numbers: dict[str, int]) -> str:
    return f"{numbers[record.key]:>3}" if record.key in numbers else f"{describe_company(record)} [{record.account_id}]"


def describe_company_link(link: CompanyLink) -> str:
    """What joins two company records, or would and does not."""
    weight = f", match weight {link.weight:.1f}" if link.weight is not None else ""
    if link.reason is not None:
        return f"{say(COMPANY_REASONS, link.reason)}  [{link.rule}{weight}; {link.reason}]"
    return say(COMPANY_RULES, link.rule) + weight
