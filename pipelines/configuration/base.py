"""The common form of every configuration model, and types that several of them use."""

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _check_time_zone(value: str) -> str:
    if value not in _time_zones():
        raise ValueError(f"'{value}' is not a time zone; use a name such as Europe/Berlin")
    return value


@cache
def _time_zones() -> set[str]:
    return available_timezones()  # reads the whole database of zones at every call


TimeZone = Annotated[str, AfterValidator(_check_time_zone)]
