"""What dbt's `adapter` gives to macros, for the SQL linter: the linter renders templates without dbt.

Add a function here when a macro calls one more of `adapter`.
"""

from collections.abc import Callable


def quote(name: str) -> str:
    return f'"{name}"'


def dispatch(_macro: str) -> Callable[..., str]:
    """Any dispatched macro renders to one expression; which, does not matter to style."""
    return lambda *arguments: f"coalesce({', '.join(str(argument) for argument in arguments)})"
