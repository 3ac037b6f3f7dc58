"""`value.yml`: how the value of a customer is measured."""

from typing import Annotated

from pydantic import Field

from pipelines.configuration.base import Model


class ValueConfig(Model):
    """`top_share` of the customers with revenue in the window are the top tier; `window_days` counts back from as_of."""

    top_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    window_days: Annotated[int, Field(ge=1)] = 730
