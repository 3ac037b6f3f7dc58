"""`buying_center.yml`: which part somebody has when a company buys, told from a function or job title."""

from typing import Annotated, Literal

from pydantic import Field

from pipelines.configuration.base import Model

# After Webster and Wind, A General Model for Understanding Organizational Buying Behavior (1972).
Role = Literal["decision_maker", "buyer", "influencer", "gatekeeper", "user"]
WordStart = Annotated[str, Field(min_length=2, pattern=r"^[^\W\d_]+( [^\W\d_]+)*$")]


class RoleConfig(Model):
    """A title with a word that begins with one of `words` has this role, unless a role above it has the title."""

    role: Role
    words: Annotated[tuple[WordStart, ...], Field(min_length=1)]


class BuyingCenterConfig(Model):
    """The roles, asked in this order; one may occur several times. A title that no word fits has none."""

    roles: tuple[RoleConfig, ...] = ()
