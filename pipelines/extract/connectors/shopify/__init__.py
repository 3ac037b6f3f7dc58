"""Shopify's Admin GraphQL: bulk operations for a complete read, pages by cursor for what changed, throttled by cost.

`queries` has every text that is sent, `api` asks and waits, `bulk` runs operations, `records` says what a node becomes,
`reading` is the connector. The mapping is in `configuration/mappings/shopify.yml`.
"""

from pipelines.extract.connectors.shopify.reading import STREAMS, Shopify

__all__ = ["STREAMS", "Shopify"]
