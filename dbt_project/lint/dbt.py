"""What dbt's cross-database macros give to models, for the SQL linter.

Add a function here when a model calls one more of `dbt`.
"""


def _call(name: str, *arguments: object) -> str:
    return f"{name}({', '.join(str(argument) for argument in arguments)})"


def dateadd(datepart: str, interval: object, from_date_or_timestamp: str) -> str:
    return _call("date_add", from_date_or_timestamp, f"'{interval} {datepart}'")


def datediff(first_date: str, second_date: str, datepart: str) -> str:
    return _call("date_diff", f"'{datepart}'", first_date, second_date)


def hash(field: str) -> str:  # noqa: A001 - dbt's name
    return _call("md5", field)


def concat(fields: list[str]) -> str:
    return " || ".join(fields)
