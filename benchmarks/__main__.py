"""`make bench`: the nightly job on companies of several sizes, then the quality of the identities on public sets."""

from __future__ import annotations

import argparse

from benchmarks import identity, pipeline


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3, help="warm runs of the smallest size; medians are printed")
    arguments = parser.parse_args()
    pipeline.print_tables(sorted(arguments.customers), arguments.runs)
    identity.print_table()


if __name__ == "__main__":
    main()
