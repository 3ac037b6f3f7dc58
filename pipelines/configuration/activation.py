"""`permissions.yml`, `exclusions.yml`, `audiences.yml`: who may be contacted, who must not, and who is exported."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.configuration.base import Model

Channel = Literal["email", "sms", "messenger", "phone", "post", "ad_platform"]
Basis = Literal["confirmed_consent", "consent", "existing_customer", "until_objection"]


class PermissionsConfig(Model):
    """Which legal bases suffice per channel for advertising."""

    channels: dict[Channel, list[Basis]]


class ExclusionsConfig(Model):
    """Days and states that keep a customer from being contacted."""

    open_critical_ticket: bool = True
    missing_permission: bool = True
    just_bought_days: Annotated[int, Field(ge=0)] = 14
    critical_priorities: list[Literal["low", "normal", "high", "urgent"]] = ["urgent"]


class AudienceConfig(Model):
    """One audience: `where` is an SQL condition over the columns of `marts.customers` and `marts.customer_value`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    description: str
    channel: Channel
    purpose: str = "advertising"
    controller: str
    where: Annotated[str, Field(min_length=1)]


class AudiencesConfig(Model):
    audiences: list[AudienceConfig] = []

    @model_validator(mode="after")
    def _names_are_unique(self) -> "AudiencesConfig":
        names = [a.name for a in self.audiences]
        for name in sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two audiences are named '{name}'; a name must be unique")
        return self
