"""`value.yml`: how the value of a customer is measured."""

from typing import Annotated

from pydantic import Field

from pipelines.configuration.base import Model


class ValueConfig(Model):
    """The top tier is `top_share` of the customers with revenue in the window of `window_days` before as_of."""

    top_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    window_days: Annotated[int, Field(ge=1, le=366 * 100)] = 730
