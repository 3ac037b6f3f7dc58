"""`python -m benchmarks.cleaning`: how many corrections are right, rule by rule, on a sample company with known truth.

The same company is made twice: once as usual, once without slips. What cleaning makes of the second one, with nothing
but the rules of form, is what cleaning should make of the first one. Typing errors in cities and postal codes, empty
cities and swapped days and months are no noises of the sample; they are added here.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.identity.sample import build_staged_sample
from pipelines.clean import clean_records
from pipelines.configuration import Configuration, load_configuration
from pipelines.settings import Settings
from pipelines.warehouse import RESTRICTED, connect, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What goes wrong while somebody writes. Nicknames, old addresses and other mailboxes are true, in their way.
SLIPS = (
    *("misspell_names", "transpose_letters", "misspell_streets", "transliterate_umlauts", "vary_case"),
    *("put_title_in_first_name", "put_company_in_name", "swap_name_parts", "join_name_parts", "vary_phone_formats"),
    *("mistype_email_domains", "invalidate_emails", "fill_in_placeholders", "spoil_dates"),
    *("inject_hostile_latin_text", "inject_hostile_text"),
)
# Rules that judge a value by the other values: without them the company without slips is as it was written.
LEARNED = {
    *("swapped_names", "first_name_typo", "first_name_typo_by_email", "one_field_into_parts", "domain_typos"),
    *("city_spelling", "city_typo", "city_from_postal_code", "postal_code_or_city_wrong"),
    "birth_date_day_month_swapped",
}
SPOILED = ("raw.crm_contacts", "raw.shop_customers")
FIELDS = (
    *("first_name", "last_name", "company_name", "email", "phone", "mobile", "street", "house_number", "postal_code"),
    *("city", "country", "birth_date", "gender", "language", "salutation", "title"),
)


@dataclass(frozen=True)
class Judged:
    """Corrections of one rule: `right` ends with the true value, `better` is nearer to it, `wrong` is not.

    `silent` are those on which the truth says nothing, e.g. of a title that the source does not know.
    """

    rule: str
    status: str
    count: int
    right: int
    better: int
    wrong: int
    silent: int

    @property
    def share(self) -> float | None:
        judged = self.right + self.better + self.wrong
        return (self.right + self.better) / judged if judged else None


def judge_corrections(customers: int, seed: int) -> list[Judged]:
    """Clean both companies and compare every correction with the truth."""
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        os.environ["KUNDENSTAMM_SECRET"] = "benchmark" * 8  # records have the same keys in both
        os.environ.pop("KUNDENSTAMM_SAMPLE", None)
        true = _clean(Path(folder) / "true", customers, seed, is_true=True)
        usual = _clean(Path(folder) / "usual", customers, seed, is_true=False)
        files = {"intended": true.build_warehouse, "usual": usual.build_warehouse, RESTRICTED: usual.build_restricted}
        with connect(None, usual, attach=files) as connection:
            return _judge(connection)


def _clean(folder: Path, customers: int, seed: int, *, is_true: bool) -> Settings:
    settings = replace(Settings.from_environment(), data_dir=folder)
    os.environ["KUNDENSTAMM_SAMPLE"] = str(settings.sample_dir)
    configuration = load_configuration(settings)
    rates = dict.fromkeys(SLIPS, 0.0) if is_true else None
    build = build_staged_sample(settings, configuration, settings.sample_dir, customers, seed, rates)
    with connect(settings.build_warehouse, settings) as connection:
        if not is_true:
            for table in SPOILED:
                _spoil(connection, table)
        clean_records(connection, settings, _without_learning(configuration) if is_true else configuration, build)
    return settings


def _without_learning(configuration: Configuration) -> Configuration:
    cleaning = configuration.cleaning
    kept = {
        section: tuple(entry for entry in entries if entry.rule not in LEARNED)
        for section, entries in cleaning
        if isinstance(entries, tuple)
    }
    return replace(configuration, cleaning=cleaning.model_copy(update=kept))


def _spoil(connection: DuckDBPyConnection, table: str) -> None:
    """One record in a hundred for each slip that the sample does not have."""
    for number, (change, condition) in enumerate(
        {
            "city = city[1] || city[3] || city[2] || city[4:]": "length(city) >= 5 and city[2] <> city[3]",
            "city = null": "city is not null",
            "postal_code = postal_code[1:3] || postal_code[5] || postal_code[4]": "postal_code[4] <> postal_code[5]",
            "birth_date = make_date(year(birth_date), day(birth_date), month(birth_date))": "day(birth_date) <= 12",
        }.items()
    ):
        connection.execute(f"update {table} set {change} where hash(record_key) % 100 = {number} and {condition}")


def _judge(connection: DuckDBPyConnection) -> list[Judged]:
    values = " union all ".join(
        f"select record_key, {literal(field)} as field, {field}::text as value from {{catalog}}.clean.persons"
        for field in FIELDS
    )
    rows = connection.execute(
        f"""
        with truth as ({values.format(catalog="intended")}),
        final as ({values.format(catalog="usual")}),
        judged as (
            select rule, status, before, after, truth.value as truth, final.value as final,
                coalesce(after = truth.value, false)
                or (status = 'applied' and coalesce(final.value = truth.value, false))
                or (after is null and before is distinct from truth.value) as is_right,
                truth.value is null and after is not null as is_silent,
                -- Of a text of ten thousand letters nobody asks how near it is.
                damerau_levenshtein(left(after, 80), left(truth.value, 80))
                < damerau_levenshtein(left(coalesce(before, ''), 80), left(truth.value, 80)) as is_better
            from usual.clean.corrections
            inner join truth using (record_key, field)
            inner join final using (record_key, field)
        )
        select rule, status, count(*),
            count(*) filter (not is_silent and is_right),
            count(*) filter (not is_silent and not is_right and is_better),
            count(*) filter (not is_silent and not is_right and not coalesce(is_better, false)),
            count(*) filter (is_silent)
        from judged
        group by rule, status
        order by status, rule
        """
    ).fetchall()
    return [Judged(*row) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cleaning", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    table = Table(title=f"Corrections against the truth, {arguments.customers:,} customers")
    for name in ("rule", "status", "corrections", "right", "better", "wrong", "truth is silent", "precision"):
        table.add_column(name, justify="left" if name in {"rule", "status"} else "right")
    for found in judge_corrections(arguments.customers, arguments.seed):
        counts = (found.count, found.right, found.better, found.wrong, found.silent)
        share = "" if found.share is None else f"{found.share:.4f}"
        table.add_row(found.rule, found.status, *(f"{count:,}" for count in counts), share)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
