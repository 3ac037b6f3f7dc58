"""The connectors: how a database or a vendor's API is read into spools. What is landed of it is decided elsewhere.

Add a connector as a module with a class that is an `offers.Connector`, an entry here, its block in
`pipelines.configuration.connectors`, its mapping in `pipelines/configuration/mappings`, and a server of the sample
company that speaks its protocol. Nothing here writes to a landing file.
"""

from __future__ import annotations

from pipelines.configuration import SourceConfig
from pipelines.extract.offers import Connector
from pipelines.settings import Settings


def streams_of_vendor(connector: str) -> tuple[tuple[str, ...], ...]:
    """Entities that one read of a vendor delivers together, in the order of landing; others are read one by one."""
    if connector == "hubspot":
        from pipelines.extract.connectors.hubspot import STREAMS

        return STREAMS
    if connector == "shopify":
        from pipelines.extract.connectors.shopify import STREAMS as SHOP_STREAMS

        return SHOP_STREAMS
    return ()


def open_connector(source: SourceConfig, settings: Settings) -> Connector:
    """The connector of a source that is no folder of files; contacts nobody."""
    if source.connector == "sql":
        from pipelines.extract.connectors.sql import Database

        return Database(source, settings)
    if source.connector == "zendesk":
        from pipelines.extract.connectors.zendesk import Zendesk

        return Zendesk(source, settings)
    if source.connector == "hubspot":
        from pipelines.extract.connectors.hubspot import Hubspot

        return Hubspot(source, settings)
    from pipelines.extract.connectors.shopify import Shopify

    return Shopify(source, settings)
