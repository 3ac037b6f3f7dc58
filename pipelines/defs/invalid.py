"""What the Dagster UI shows when the configuration is invalid: one asset with the sentences, not a red location."""

from __future__ import annotations

import dagster as dg

from pipelines.errors import ConfigurationError, KundenstammError

NAME = "configuration_is_invalid"


def invalid_definitions(error: KundenstammError) -> dg.Definitions:
    sentences = error.sentences if isinstance(error, ConfigurationError) else [str(error)]
    text = "\n".join(f"- {sentence}" for sentence in sentences)

    @dg.asset(
        name=NAME,
        group_name="extract",
        description=f"Nothing can run until this is mended:\n\n{text}",
        owners=["team:data-engineering"],
    )
    def configuration_is_invalid() -> None:
        raise dg.Failure(text, allow_retries=False)

    return dg.Definitions(
        assets=[configuration_is_invalid], jobs=[dg.define_asset_job("nightly", selection=[configuration_is_invalid])]
    )
