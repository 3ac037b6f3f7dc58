"""`sources.yml`, the blocks of the connectors: how a database or a vendor is reached. Secrets only as `${ENV_VAR}`.

Add a block here for a new connector, with the connector itself in `pipelines.extract.connectors`. Which entities a
source delivers and how their fields map is in `sources`.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from pipelines.configuration.base import Model

VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
DATABASES = ("postgresql", "mysql", "mariadb")


def _check_secret(value: str) -> str:
    if not VARIABLE.fullmatch(value):
        raise ValueError("a secret must not stand here; write ${NAME} and set the environment variable NAME")
    return value


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    is_local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if VARIABLE.search(value):
        return value
    if not parts.hostname or parts.scheme not in ({"http", "https"} if is_local else {"https"}):
        raise ValueError("write a whole address that begins with https://")
    if parts.username or parts.password or parts.query:
        raise ValueError("an address holds no credentials and no parameters; a token stands in `token`")
    return value.rstrip("/")


Secret = Annotated[str, AfterValidator(_check_secret)]
Address = Annotated[str, AfterValidator(_check_address)]


class StorageConfig(Model):
    """Object storage that speaks S3, where it is not Amazon's own or its keys are not in the usual places.

    Without keys they are looked for as every AWS program does (environment, profile, role of the machine).
    """

    endpoint: Address | None = None
    region: Annotated[str, Field(min_length=1)] | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None

    @model_validator(mode="after")
    def _keys_are_a_pair(self) -> "StorageConfig":
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("`access_key` and `secret_key` belong together; name both or none")
        return self


class SqlConfig(Model):
    """A database. `overlap_minutes` reaches back behind the newest change that was read, for what commits late."""

    url: str
    overlap_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 31)] = 60
    batch_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if VARIABLE.fullmatch(value):
            return value
        if not separator or scheme not in DATABASES:
            raise ValueError(f"a database's address begins with one of {', '.join(d + '://' for d in DATABASES)}")
        credentials = rest.rpartition("@")[0]
        if (password := credentials.partition(":")[2]) and not VARIABLE.fullmatch(password):
            raise ValueError("a password must not stand here; write ${NAME} and set the environment variable NAME")
        return value


class ZendeskConfig(Model):
    """A Zendesk account: its address, and an API token with the e-mail address of the agent it belongs to."""

    url: Address
    email: Annotated[str, Field(min_length=3)]
    token: Secret


class HubspotConfig(Model):
    """A HubSpot account: the token of a private app. `version` is a date (`2026-03`) or `v3`.

    `primary_labels` are labels of associations by which the company says which of several contacts is the main one.
    """

    token: Secret
    version: Annotated[str, Field(pattern=r"^(v3|20\d\d-\d\d)$")] = "2026-03"
    url: Address = "https://api.hubapi.com"
    primary_labels: Annotated[list[str], Field(default_factory=list)]
    overlap_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 31)] = 10


class ShopifyConfig(Model):
    """A Shopify shop: its address (`https://NAME.myshopify.com`) and an Admin API access token."""

    url: Address
    token: Secret
    version: Annotated[str, Field(pattern=r"^(20\d\d-(01|04|07|10)|unstable)$")] = "2026-10"
    overlap_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 31)] = 10
    poll_seconds: Annotated[float, Field(gt=0, le=300)] = 5.0


Connector = Literal["files", "sql", "hubspot", "shopify", "zendesk"]
