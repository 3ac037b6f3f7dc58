"""`python -m pipelines.cli`, where the command itself is not on the path."""

from pipelines.cli import main

main()
