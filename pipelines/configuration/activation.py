"""`permissions.yml`, `exclusions.yml`, `audiences.yml`: who may be contacted, who must not, and who is exported."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.configuration.base import Model
from pipelines.configuration.condition import ConditionError, Kind, kind_of, render_condition
from pipelines.configuration.documents import parse
from pipelines.settings import DBT_PROJECT_DIR

Channel = Literal["email", "sms", "messenger", "phone", "post", "ad_platform"]
Basis = Literal["confirmed_consent", "consent", "existing_customer", "until_objection"]

# The contracts of the tables an audience may be described by; a column of the first hides one of the second.
_DESCRIBED_BY = ("core/customers.yml", "analysis/customer_value.yml")


class PermissionsConfig(Model):
    """Which legal bases suffice per channel for advertising."""

    channels: dict[Channel, list[Basis]]


class ExclusionsConfig(Model):
    """Days and states that keep a customer from being contacted.

    Nobody is in an audience while the tickets of a source are older than `support_max_age_hours`, whatever the source
    itself may do when it cannot be read.
    """

    open_critical_ticket: bool = True
    missing_permission: bool = True
    just_bought_days: Annotated[int, Field(ge=0)] = 14
    support_max_age_hours: Annotated[int, Field(ge=1, le=24 * 31)] = 48
    critical_priorities: tuple[Literal["low", "normal", "high", "urgent"], ...] = ("urgent",)


class AudienceConfig(Model):
    """One audience: `where` is an SQL condition over the columns of `marts.customers` and `marts.customer_value`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    description: str
    channel: Channel
    purpose: str = "advertising"
    controller: str
    where: Annotated[str, Field(min_length=1)]

    @field_validator("where")
    @classmethod
    def _is_a_condition(cls, value: str) -> str:
        try:
            render_condition(value, audience_columns())
        except ConditionError as error:
            raise ValueError(f"the condition is not valid: {error}") from None
        return value

    @property
    def condition(self) -> str:
        """`where` as safe SQL."""
        return render_condition(self.where, audience_columns())


class AudiencesConfig(Model):
    audiences: list[AudienceConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "AudiencesConfig":
        names = [a.name for a in self.audiences]
        for name in sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two audiences are named '{name}'; a name must be unique")
        return self


@cache
def audience_columns() -> Mapping[str, Kind]:
    """The columns that a condition may name, from the contracts of the two tables."""
    found: dict[str, Kind] = {}
    for file in reversed(_DESCRIBED_BY):
        [model] = parse((DBT_PROJECT_DIR / "models" / "marts" / file).read_text(encoding="utf-8"))["models"]
        found |= {column["name"]: kind_of(column["data_type"]) for column in model["columns"]}
    return found
