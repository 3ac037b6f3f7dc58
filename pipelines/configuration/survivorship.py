"""`survivorship.yml`: which value of which record becomes the customer's."""

from pydantic import Field

from pipelines.configuration.base import Model


class SurvivorshipConfig(Model):
    """Source names, best first, per field group; a source that is not named comes after all named ones."""

    source_priority: dict[str, list[str]] = Field(default_factory=dict)
    default_priority: list[str] = Field(default_factory=list)
