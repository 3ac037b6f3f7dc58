"""HubSpot: lists for a complete read, searches for what changed, archived and merged records, associations,
subscriptions, e-mail events and campaigns, owners, and custom objects as any entity.

`api` asks and pages, `records` says what a record becomes, `reading` is the connector. The mapping is in
`configuration/mappings/hubspot.yml`.
"""

from pipelines.extract.connectors.hubspot.reading import STREAMS, Hubspot

__all__ = ["STREAMS", "Hubspot"]
