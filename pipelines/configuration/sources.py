"""`sources.yml`: the sources, their entities and how their columns map to the canonical ones."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.configuration.base import Model, TimeZone
from pipelines.configuration.connectors import (
    Connector,
    HubspotConfig,
    ShopifyConfig,
    SqlConfig,
    StorageConfig,
    ZendeskConfig,
)
from pipelines.configuration.mappings import object_mapping, shipped_mapping, with_shipped_mapping
from pipelines.entities import ENTITIES, PERSON_ENTITY, SYSTEM_COLUMNS, Column, Entity, Type

SOURCE_NAME = r"^[a-z][a-z0-9_]{0,30}$"
RESERVED_NAMES = frozenset(
    {
        "raw",
        "staging",
        "clean",
        "identity",
        "intermediate",
        "marts",
        "audit",
        "activation",
        "meta",
        "publish",
        "config",
        "main",
        "dbt",
    }
)

CONNECTOR_BLOCKS = ("sql", "hubspot", "shopify", "zendesk")
# How programs write what people write in many ways; said once, so that nothing has to be found out.
PROGRAM_FORMAT = {"decimal": ".", "dates": "ymd", "time_zone": "UTC"}

# The entity whose rows may carry another one: a flat export has the order's attributes on every line.
FLAT_ENTITY = ENTITIES["shop", "order_lines"]


class SqlExpression(Model):
    """A canonical column computed from the file's own columns."""

    sql: Annotated[str, Field(min_length=1)]


class CustomField(Model):
    """A field of the company's own, landed in `custom` (JSON) with its type and purpose."""

    from_: Annotated[str, Field(alias="from", min_length=1)]
    type: Literal["text", "integer", "decimal", "boolean", "date", "timestamp"] = "text"
    purpose: Annotated[str, Field(min_length=1)]


class FormatConfig(Model):
    """How the files are written. What is left out is detected per file and stated in the load record."""

    type: Literal["csv", "parquet", "jsonl", "workbook"] | None = None
    sheet: Annotated[str, Field(min_length=1)] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"] | None = None
    decimal: Literal[",", "."] | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    time_zone: TimeZone | None = None


FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class EntityConfig(Model):
    """One entity of a source: in the files at `path`, a database's `table` or `query`, or a custom `object` of HubSpot.

    `changed` is the column that grows when a row of the database changes; without it everything is read every time.
    `delivery` says what the files at `path` are: all records (what is missing is gone), or what is new or changed.
    `repeated` records stand on many lines, as a customer on every order: the last line with an id is the record.
    """

    path: Annotated[str, Field(min_length=1)] | None = None
    delivery: Literal["snapshot", "increments"] | None = None
    repeated: bool | None = None
    table: Annotated[str, Field(min_length=1)] | None = None
    query: Annotated[str, Field(min_length=1)] | None = None
    changed: Annotated[str, Field(min_length=1)] | None = None
    object: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None
    columns: dict[str, str | Annotated[list[str], Field(min_length=1)] | SqlExpression] = Field(default_factory=dict)
    key: Annotated[list[str], Field(min_length=1)] | None = None
    identifiers: dict[FieldName, str] = Field(default_factory=dict)
    custom: dict[FieldName, CustomField] = Field(default_factory=dict)
    defaults: dict[str, str | int | float | bool] = Field(default_factory=dict)
    references: dict[str, str] = Field(default_factory=dict)
    format: FormatConfig = FormatConfig()


class SourceConfig(Model):
    """One source, with the block of its connector.

    `max_shrink` is the largest share by which a delivery may shrink before it is stopped. What is read in increments is
    read in full again every `full_every_days`, where increments do not tell of every deletion. `if_failed` says whether
    a run stops when the source cannot be loaded, or goes on with what is landed, for `max_age_days` at most.
    """

    name: Annotated[str, Field(pattern=SOURCE_NAME)]
    role: Literal["crm", "shop", "support", "marketing", "web", "erp", "enrichment"]
    controller: Annotated[str, Field(min_length=1)]
    connector: Connector = "files"
    sql: SqlConfig | None = None
    hubspot: HubspotConfig | None = None
    shopify: ShopifyConfig | None = None
    zendesk: ZendeskConfig | None = None
    path: str = "."
    storage: StorageConfig | None = None
    enabled: bool = True
    format: FormatConfig = FormatConfig()
    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.2
    full_every_days: Annotated[int, Field(ge=1, le=366)] = 7
    if_failed: Literal["stop", "continue"] = "stop"
    max_age_days: Annotated[int, Field(ge=1, le=31)] = 2
    entities: Annotated[dict[str, EntityConfig], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _has_shipped_mapping(cls, data: Any) -> Any:
        return with_shipped_mapping(data)

    @field_validator("name")
    @classmethod
    def _is_not_reserved(cls, value: str) -> str:
        if value in RESERVED_NAMES:
            raise ValueError(f"the name '{value}' is used by the warehouse itself; choose another")
        return value

    @model_validator(mode="after")
    def _maps_canonical_columns_only(self) -> "SourceConfig":
        problems = []
        for entity_name, entity_config in self.entities.items():
            entity = self.find_entity(entity_name)
            if entity is None:
                allowed = ", ".join(sorted({name for _, name in ENTITIES}))
                problems.append(f"entities.{entity_name}: there is no such entity; allowed: {allowed}")
                continue
            columns = mappable_columns(entity)
            for part in ("columns", "defaults", "references"):
                problems += [
                    f"entities.{entity_name}.{part}.{name}: not a canonical column of {entity_name}; "
                    f"use `custom` for a field of your own"
                    for name in sorted(set(getattr(entity_config, part)) - set(columns))
                ]
            problems += [
                f"entities.{entity_name}.references.{name}: this column refers to no other record"
                for name in sorted(entity_config.references)
                if name in columns and not columns[name].references
            ]
            problems += [
                f"entities.{entity_name}.defaults.{name}: the default is no {columns[name].type.name.lower()}"
                for name, value in sorted(entity_config.defaults.items())
                if name in columns and not _fits(value, columns[name].type)
            ]
            if entity_config.key and "source_record_id" in entity_config.columns:
                problems.append(f"entities.{entity_name}: name either `key` or `columns.source_record_id`, not both")
            if entity_config.repeated and not (entity_config.key or "source_record_id" in entity_config.columns):
                problems.append(
                    f"entities.{entity_name}: what is `repeated` needs a key, which says whose line it is: "
                    f"`columns.source_record_id`, `key`"
                )
            if "orders" in self.entities and is_flat(entity_name, entity_config):
                problems.append(
                    f"entities.{entity_name}: orders come from a file of their own or from the lines (order_<column>), "
                    f"not from both"
                )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _says_where_records_are(self) -> "SourceConfig":
        """The block of the connector is there and no other; entities say where their records are as it needs it."""
        problems = []
        for block in CONNECTOR_BLOCKS:
            if (getattr(self, block) is not None) != (block == self.connector):
                is_own = block == self.connector
                problems.append(
                    f"the connector {self.connector} needs a block `{block}`"
                    if is_own
                    else f"the block `{block}` is for the connector {block}, but this source has {self.connector}"
                )
        if self.storage is not None and self.connector != "files":
            problems.append(f"the block `storage` is for the connector files, but this source has {self.connector}")
        for name, config in self.entities.items():
            parts = ("path", "delivery", "table", "query", "changed", "object")
            given = {part for part in parts if getattr(config, part) is not None}
            where = f"entities.{name}"
            if self.connector == "files" and given - {"delivery"} != {"path"}:
                problems.append(f"{where}: a source of files names a `path` for every entity, and nothing else")
            elif self.connector == "files" and config.delivery == "increments":
                if not (config.key or "source_record_id" in config.columns):
                    problems.append(
                        f"{where}: increments need a key, so that a change finds its record: "
                        f"`columns.source_record_id`, `key`"
                    )
                if is_flat(name, config):
                    problems.append(
                        f"{where}: lines that carry their orders are delivered in full; take `delivery` out"
                    )
            elif self.connector == "sql":
                if len(given & {"table", "query"}) != 1 or given & {"path", "object", "delivery"}:
                    problems.append(f"{where}: name either a `table` or a `query` of the database")
                if "changed" in given and not (config.key or "source_record_id" in config.columns):
                    problems.append(
                        f"{where}: what is read by `changed` needs a key: `columns.source_record_id`, `key`"
                    )
                if "changed" in given and is_flat(name, config):
                    problems.append(f"{where}: lines that carry their orders are read in full; take `changed` out")
            elif self.connector not in {"files", "sql"}:
                if unknown := given - ({"object"} if self.connector == "hubspot" else set()):
                    problems.append(
                        f"{where}.{min(unknown)}: {self.connector} knows where its records are; take it out"
                    )
                problems += self._changed_ids(name, config)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _changed_ids(self, name: str, config: EntityConfig) -> list[str]:
        """Deletions, merges and links name the vendor's own ids: these are landed as they are."""
        shipped = object_mapping(config.object) or shipped_mapping(self.connector).get(name)
        if shipped is None:
            allowed = ", ".join(shipped_mapping(self.connector))
            return [f"entities.{name}: {self.connector} delivers no such records; allowed: {allowed}"]
        ids = {n: t for n, t in shipped["columns"].items() if n.endswith("record_id") and isinstance(t, str)}
        changed = [n for n, target in ids.items() if config.columns.get(n) not in (None, target)]
        if "source_record_id" not in config.columns:
            changed.append("source_record_id")
        return [f"entities.{name}.columns.{n}: ids are {self.connector}'s own and stay as they ship" for n in changed]

    def find_entity(self, name: str) -> Entity | None:
        """The canonical entity: of the source's own role first, else of the one role that has it."""
        own = ENTITIES.get((self.role, name))
        return own or next((e for (_, n), e in ENTITIES.items() if n == name), None)

    @property
    def landed_entities(self) -> list[str]:
        """Names of the entities that are landed: the configured ones, and the orders of flat order lines."""
        names = list(self.entities)
        if any(is_flat(name, config) for name, config in self.entities.items()):
            names.append("orders")
        return names

    def format_of(self, entity_name: str) -> FormatConfig:
        """The entity's format; what it leaves out is the source's."""
        own = self.entities[entity_name].format.model_dump(exclude_none=True)
        usual = {} if self.connector == "files" else PROGRAM_FORMAT
        return FormatConfig(**{**usual, **self.format.model_dump(exclude_none=True), **own})


def is_flat(entity_name: str, config: EntityConfig) -> bool:
    """Whether order lines carry their orders: a mapped `order_<column>` that no line has itself."""
    if entity_name != FLAT_ENTITY.name:
        return False
    own = {c.name for c in (*FLAT_ENTITY.columns, *SYSTEM_COLUMNS)}
    return any(name not in own for name in (*config.columns, *config.defaults))


def mappable_columns(entity: Entity) -> dict[str, Column]:
    """Canonical columns by name; order lines may also carry every column of orders as `order_<column>`."""
    columns = {c.name: c for c in (*entity.columns, *SYSTEM_COLUMNS)}
    if entity == FLAT_ENTITY:
        orders = ENTITIES["shop", "orders"]
        for column in (*orders.columns, *SYSTEM_COLUMNS[1:]):
            name = f"order_{column.name}"
            columns.setdefault(name, Column(name, column.type, column.references))
    return columns


def _fits(value: str | int | float | bool, target: Type) -> bool:
    """Whether a default can be the declared type; dates and timestamps are written as in ISO 8601."""
    if target is Type.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return target is Type.TEXT
    try:
        if target is Type.INTEGER:
            int(str(value))
        elif target is Type.DECIMAL:
            return abs(Decimal(str(value))) < 10**14
        elif target is Type.DATE:
            date.fromisoformat(str(value))
        elif target is Type.TIMESTAMP:
            return datetime.fromisoformat(str(value)).tzinfo is None
    except (ValueError, InvalidOperation):
        return False
    return True


MOST_SOURCES = 60  # a set of them is one whole number in marts.customer_contact_points


class SourcesConfig(Model):
    sources: Annotated[list[SourceConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _are_few_enough(self) -> "SourcesConfig":
        if len(self.sources) > MOST_SOURCES:
            raise ValueError(
                f"there are {len(self.sources)} sources; allowed are {MOST_SOURCES}, so unite some of them"
            )
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> "SourcesConfig":
        names = [s.name for s in self.sources]
        for name in sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two sources are named '{name}'; a name must be unique")
        for source in self.sources:
            for entity_name, entity in source.entities.items():
                for column, target in entity.references.items():
                    if target not in names:
                        raise ValueError(
                            f"{source.name}.entities.{entity_name}.references.{column}: there is no source "
                            f"'{target}'; allowed: {', '.join(names)}"
                        )
        return self

    @model_validator(mode="after")
    def _persons_are_found(self) -> "SourcesConfig":
        """A source of a role that has no persons says whose persons its records mean."""
        roles = {s.name: s.role for s in self.sources}
        with_persons = [name for name, role in roles.items() if role in PERSON_ENTITY]
        for source in self.sources:
            for entity_name, config in source.entities.items():
                for column in (source.find_entity(entity_name) or FLAT_ENTITY).columns:
                    target = config.references.get(column.name, source.name)
                    if column.references == "person" and target not in with_persons:
                        raise ValueError(
                            f"{source.name}.entities.{entity_name}.references.{column.name}: source '{target}' has no "
                            f"persons; name the source whose persons are meant; allowed: {', '.join(with_persons)}"
                        )
        return self
