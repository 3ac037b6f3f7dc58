"""`python -m benchmarks.identity`: public sets, the sample company, or a build of one's own with its truth.

python -m benchmarks.identity                                  the public sets and a sample of 2,000 customers
python -m benchmarks.identity --customers 10000                another size of the sample; 0 leaves it out
python -m benchmarks.identity --build warehouse.duckdb --truth persons.parquet
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.identity.table import print_build, print_table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, nargs="*", default=[2_000], help="sizes of the sample company")
    parser.add_argument("--sets", nargs="*", default=None, help="names of public sets; all of them by default")
    parser.add_argument("--build", type=Path, help="a warehouse.duckdb that was resolved")
    parser.add_argument("--truth", type=Path, help="parquet or CSV: source_system, entity, source_record_id, person")
    arguments = parser.parse_args()
    if (arguments.build is None) != (arguments.truth is None):
        parser.error("--build and --truth belong together")
    if arguments.build:
        print_build(arguments.build, arguments.truth)
    else:
        print_table(customers=[n for n in arguments.customers if n > 0], sets=arguments.sets)


if __name__ == "__main__":
    main()
