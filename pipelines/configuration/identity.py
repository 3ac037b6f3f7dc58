"""`identity.yml`: what is evidence that two records are one person, and when it stops being any."""

from typing import Annotated

from pydantic import Field, field_validator

from pipelines.configuration.base import Model


class IdentifierConfig(Model):
    """Limits of one kind of identifier.

    Attributes:
        max_names: how many clearly different first names one value may carry and still be evidence at all.
        max_birth_dates: the same for birth dates.
        blocked: values that are never evidence; `*` stands for any text, a value that ends with `@` for every
            mailbox of that name.
    """

    max_names: Annotated[int, Field(ge=1)] = 6
    max_birth_dates: Annotated[int, Field(ge=1)] = 6
    blocked: tuple[Annotated[str, Field(min_length=2)], ...] = ()


class IdentityConfig(Model):
    """Thresholds and limits of identity resolution; probabilities from 0 to 1.

    The model that weighs pairs is learned once and kept; another `model` or `seed` learns it anew from the next run's
    data, and so does, with `learn_anew_on_drift`, data that is no longer like that it was learned from. `identifiers`
    names the kinds `email`, `phone`, `address` and any identifier that `sources.yml` maps.
    """

    match_probability: Annotated[float, Field(gt=0, lt=1)] = 0.9
    company_match_probability: Annotated[float, Field(gt=0, lt=1)] = 0.95
    identifiers: dict[str, IdentifierConfig] = Field(default_factory=dict)
    seed: Annotated[int, Field(ge=0)] = 1
    model: Annotated[int, Field(ge=1)] = 1
    learn_anew_on_drift: bool = True

    @field_validator("identifiers")
    @classmethod
    def _patterns_leave_something(cls, value: dict[str, IdentifierConfig]) -> dict[str, IdentifierConfig]:
        for kind, limits in value.items():
            if any(not pattern.strip("*@") for pattern in limits.blocked):
                raise ValueError(f"{kind}.blocked: a pattern of nothing but '*' would block every value; remove it")
        return value

    def limits(self, kind: str) -> IdentifierConfig:
        """The limits of a kind of identifier; what the file does not name has the default limits."""
        return self.identifiers.get(kind, IdentifierConfig())
