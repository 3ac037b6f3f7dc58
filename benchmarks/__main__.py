"""`make bench`: the nightly job on companies of several sizes, then the quality of the identities on public sets.

Each size is kept as soon as it is measured, in the folder `bench` of the data folder; interrupted, it goes on there.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import identity, pipeline


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3, help="warm runs of the smallest size; medians are printed")
    parser.add_argument("--again", action="store_true", help="measure anew what is kept from an earlier call")
    arguments = parser.parse_args()
    is_complete = pipeline.print_tables(sorted(arguments.customers), arguments.runs, again=arguments.again)
    identity.print_table()
    sys.exit(not is_complete)


if __name__ == "__main__":
    main()
