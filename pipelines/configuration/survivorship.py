"""`survivorship.yml`: which value of which record becomes the customer's."""

from pipelines.configuration.base import Model


class SurvivorshipConfig(Model):
    """Source names, best first, per field group; a source that is not named comes after all named ones."""

    source_priority: dict[str, list[str]] = {}
    default_priority: list[str] = []
