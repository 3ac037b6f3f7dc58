"""`company.yml`: who the company is and whom to alert."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

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


class AlertConfig(Model):
    """Where alerts go. `start_by` is the local time (HH:MM) by which the nightly run must have started."""

    webhook: str | None = None
    email: EmailAlertConfig | None = None
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
