"""`python -m benchmarks.audit`: which rule finds which defect, false alarms on clean seeds, and what it costs."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.audit import cost
from benchmarks.audit.defects import Nights
from pipelines.audit import cool_down, load_catalogue
from pipelines.audit.results import display_rule_id
from pipelines.configuration import load_configuration
from pipelines.sample.breaking import DEFECTS
from pipelines.settings import Settings

RATES = (0.001, 0.01, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=10, help="clean companies that are looked at for false alarms")
    parser.add_argument("--rates", type=float, nargs="*", default=RATES)
    parser.add_argument("--defects", nargs="*", default=list(DEFECTS), choices=list(DEFECTS))
    parser.add_argument("--folder", type=Path, help="keep nights and results here, and go on with what is there")
    parser.add_argument("--keep", action="store_true", help="keep the computed nights, to check changed rules on them")
    parser.add_argument("--no-cost", action="store_true", help="leave out what the rules cost")
    parser.add_argument("--run", type=Path, help="data folder of a run by `kundenstamm run`, whose audit is measured")
    arguments = parser.parse_args()
    console = Console(width=max(Console().width, 120))
    with tempfile.TemporaryDirectory(prefix="kundenstamm-audit-") as temporary:
        folder = (arguments.folder or Path(temporary)).absolute()
        nights = Nights(folder, arguments.customers, keep_builds=arguments.keep)
        if arguments.defects:
            console.print(_matrix(console, nights, arguments.defects, arguments.rates))
        if arguments.seeds:
            console.print(_false_alarms(folder, arguments.customers, arguments.seeds))
        cool_down()
        if arguments.no_cost:
            return
        console.print(cost.measure(arguments.run or nights.publish_first_night()))
        if arguments.run:
            console.print(cost.share_of_run(arguments.run))


def _matrix(console: Console, nights: Nights, defects: Sequence[str], rates: Sequence[float]) -> Table:
    """A row per defect, a column per rate: the rules that find it, a dash where none does.

    Each night is told when it is known: all of them take an hour.
    """
    clean = set(nights.find_clean())
    table = Table("defect", *(f"{rate:.1%}" for rate in rates), box=box.SIMPLE_HEAD, title="Which rules find what")
    finding: set[str] = set()
    for defect in defects:
        found = []
        for rate in rates:
            found.append(sorted(set(nights.find(defect, rate)) - clean))
            console.print(f"{defect} at {rate:.1%}: {' '.join(map(display_rule_id, found[-1])) or '-'}")
        finding |= {rule for rules in found for rule in rules}
        table.add_row(defect, *(" ".join(map(display_rule_id, rules)) or "-" for rules in found))
    rules = {rule.id for rule in load_catalogue(load_configuration(Settings.from_environment())).rules}
    table.caption = f"{len(finding & rules)} of {len(rules)} rules found at least one of {len(defects)} defects."
    return table


def _false_alarms(folder: Path, customers: int, seeds: int) -> Table:
    table = Table("seed", "rules that are not met", box=box.SIMPLE_HEAD, title="Clean companies, second night")
    for seed in range(1, seeds + 1):
        found = Nights(folder, customers, seed).find_clean()
        table.add_row(str(seed), " ".join(map(display_rule_id, found)) or "-")
    return table


if __name__ == "__main__":
    main()
