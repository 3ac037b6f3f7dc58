"""`identity.yml`: what is evidence that two records are one person, and when it stops being any."""

from typing import Annotated

from pydantic import Field

from pipelines.configuration.base import Model


class IdentifierConfig(Model):
    """Limits of one kind of identifier: how many different persons one value may carry and still be evidence."""

    max_names: Annotated[int, Field(ge=1)] = 2
    max_birth_dates: Annotated[int, Field(ge=1)] = 1
    blocked: list[str] = []


class IdentityConfig(Model):
    """Thresholds and limits of identity resolution; probabilities from 0 to 1."""

    match_probability: Annotated[float, Field(gt=0, lt=1)] = 0.95
    identifiers: dict[str, IdentifierConfig] = {}
    seed: int = 1
