"""`company.yml`: who the company is and whom to alert."""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from pipelines.configuration.base import Model, TimeZone


class EmailAlertConfig(Model):
    """Mail server and addresses for alerts; `password` only as `${ENV_VAR}`."""

    to: Annotated[list[str], Field(min_length=1)]
    sender: str
    host: str
    port: int = 25
    user: str | None = None
    password: str | None = None
    use_starttls: bool = False

    @field_validator("password")
    @classmethod
    def _is_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", value):
            raise ValueError("a password must not stand here; write ${NAME} and set the environment variable NAME")
        return value


class WebhookConfig(Model):
    """Where a message is posted; the form is told by the address unless it is named. May be the address alone."""

    url: Annotated[str, Field(min_length=1)]
    form: Literal["slack", "teams"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _may_be_an_address(cls, data: Any) -> Any:
        return {"url": data} if isinstance(data, str) else data


AlertKind = Literal["run_failed", "run_refused", "run_canceled", "night_missed", "new_critical_finding", "source_stale"]


class AlertConfig(Model):
    """Where alerts go, and of what kinds, all by default.

    `start_by` is the local time (HH:MM) by which the nightly run must have started.
    """

    webhook: WebhookConfig | None = None
    email: EmailAlertConfig | None = None
    only: list[AlertKind] | None = None
    start_by: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "04:00"


class CompanyConfig(Model):
    name: Annotated[str, Field(min_length=1)]
    time_zone: TimeZone = "Europe/Berlin"
    base_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "DE"
    controllers: Annotated[list[str], Field(min_length=1)]
    nightly_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "02:00"
    alerts: AlertConfig = AlertConfig()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
