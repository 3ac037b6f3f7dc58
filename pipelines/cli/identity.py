"""Why records are one customer, and the decisions of people about it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.shared import DataOption, console, print_lines, read_settings, short


def explain(
    customer: Annotated[
        str | None,
        typer.Argument(help="A customer or account id, also one that was merged away, or a record of it."),
    ] = None,
    why_not: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help="Two records (source:entity:id, or record_key) or customers that are not one, or two company records "
            "or accounts.",
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that only you may read.")] = None,
    data: DataOption = None,
) -> None:
    """Say why records are one customer and where each value comes from, or why two are not one."""
    from pipelines.explain import (
        explain_account,
        explain_account_pair,
        explain_customer,
        explain_pair,
        is_account,
        tell_account,
        tell_account_pair,
        tell_customer,
        tell_pair,
        write_account_page,
        write_page,
    )

    if (customer is None) == (why_not is None) or (why_not and html):
        raise typer.BadParameter("name one customer, or two records with --why-not; --html is for one.")
    settings = read_settings(data=data)
    customer, why_not = customer and _as_issued(customer), why_not and (_as_issued(why_not[0]), _as_issued(why_not[1]))
    if why_not is not None:
        of_companies = [is_account(name) for name in why_not]
        if any(of_companies) and not all(of_companies):
            raise typer.BadParameter("one is a person and the other a company; name two of a kind.")
        if all(of_companies):
            print_lines(tell_account_pair(explain_account_pair(settings, *why_not)))
        else:
            print_lines(tell_pair(explain_pair(settings, *why_not)))
        return
    if customer and is_account(customer):
        account = explain_account(settings, customer)
        if html is None:
            print_lines(tell_account(account))
            return
        write_account_page(account, html)
    else:
        told = explain_customer(settings, str(customer))
        if html is None:
            print_lines(tell_customer(told))
            return
        write_page(told, html)
    console.print(f"Wrote {short(html)}; it holds personal data, and only you may read it.", markup=False)


def _as_issued(name: str) -> str:
    """An id as it is issued, whatever a spreadsheet or a mail made of it; everything else without blanks around it."""
    name = name.strip()
    return name.lower() if re.fullmatch(r"(?i)[ac]_[a-z2-7]{16}", name) else name


def review(
    export: Annotated[Path | None, typer.Option(help="Write the queue as a sheet (.xlsx or .csv) to fill in.")] = None,
    decided: Annotated[Path | None, typer.Option(help="Take a filled-in sheet into overrides.csv.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decided, for rows of the sheet that do not say so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many pairs are shown.")] = 20,
    data: DataOption = None,
) -> None:
    """Show the pairs that people should decide about, hand them out as a sheet, or take decisions back."""
    from pipelines.lock import hold
    from pipelines.review import export_pairs, import_decisions, list_pairs, tell_pairs

    if export and decided:
        raise typer.BadParameter("--export and --decided are two steps; name one.")
    settings, today = read_settings(data=data), datetime.now(UTC).date()
    if decided:
        with hold(settings):  # a run would find another configuration at its next step, and fail
            report = import_decisions(settings, decided, author=author, today=today)
        console.print(
            f"{report.added_count} decisions added to overrides.csv, {report.known_count} were there already, "
            f"{report.undecided_count} rows are undecided; they hold from the next run on."
        )
        return
    pairs = list_pairs(settings, today)
    if export:
        export_pairs(pairs, export, settings.overrides_file)
        console.print(f"Wrote {len(pairs)} pairs to {short(export)}; it holds personal data.", markup=False)
    else:
        print_lines(tell_pairs(pairs[:limit], len(pairs)))
