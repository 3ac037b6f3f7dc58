"""`survivorship.yml`: which value of which record becomes the customer's."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from pipelines.configuration.base import Model

# How to choose among records that differ: the source that stands first, what changed last, what most records say, what
# fills the most fields, what is proven for the longest time.
Strategy = Literal["source_priority", "most_recent", "most_frequent", "most_complete", "longest_verified"]
FieldGroup = Literal["name", "email", "phone", "mobile", "address", "birth_date", "company", "language", "gender"]
FIELD_GROUPS: tuple[FieldGroup, ...] = get_args(FieldGroup)

# The contact point that a group of fields is; nothing else is ever verified.
CONTACT_KINDS: dict[FieldGroup, str] = {"email": "email", "phone": "phone", "mobile": "phone", "address": "address"}


def _named_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"'{name}' is named twice; a name has one place in the order")
    return names


Strategies = Annotated[tuple[Strategy, ...], Field(min_length=1), AfterValidator(_named_once)]
Sources = Annotated[tuple[str, ...], AfterValidator(_named_once)]


class DefaultRule(Model):
    """What holds for every group of fields that does not say otherwise.

    Attributes:
        strategies: the first one that tells two records apart decides; where none does, the key of the record.
        sources: names, best first; a source that is not named comes after all named ones.
    """

    strategies: Strategies = ("most_complete", "source_priority", "most_recent")
    sources: Sources = ()

    @model_validator(mode="after")
    def _nothing_in_general_is_verified(self) -> "DefaultRule":
        if "longest_verified" in self.strategies:
            raise ValueError(f"longest_verified is only for the groups {', '.join(CONTACT_KINDS)}; name it there")
        return self


class GroupRule(Model):
    """What is different for one group; what it leaves out is as in `default`."""

    strategies: Strategies | None = None
    sources: Sources | None = None


class SurvivorshipConfig(Model):
    default: DefaultRule = DefaultRule()
    groups: dict[FieldGroup, GroupRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _only_contact_points_are_verified(self) -> "SurvivorshipConfig":
        for group in self.groups:
            if "longest_verified" in self.strategies(group) and group not in CONTACT_KINDS:
                raise ValueError(
                    f"groups.{group}: longest_verified is only for the groups {', '.join(CONTACT_KINDS)}; remove it"
                )
        return self

    def strategies(self, group: FieldGroup) -> tuple[Strategy, ...]:
        """The strategies of a group, in order."""
        return (self.groups[group].strategies if group in self.groups else None) or self.default.strategies

    def sources(self, group: FieldGroup) -> tuple[str, ...]:
        """The sources of a group, best first."""
        own = self.groups[group].sources if group in self.groups else None
        return self.default.sources if own is None else own
