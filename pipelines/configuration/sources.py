"""`sources.yml`: the sources, their entities and how their columns map to the canonical ones."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.configuration.base import Model
from pipelines.entities import ENTITIES, SYSTEM_COLUMNS, Entity

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

    type: Literal["csv", "parquet", "jsonl"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"] | None = None
    decimal: Literal[",", "."] | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    time_zone: str | None = None


class EntityConfig(Model):
    """One entity of a source."""

    path: Annotated[str, Field(min_length=1)]
    columns: dict[str, str | list[str] | SqlExpression] = {}
    key: list[str] | None = None
    identifiers: dict[str, str] = {}
    custom: dict[str, CustomField] = {}
    defaults: dict[str, str | int | float | bool] = {}
    references: dict[str, str] = {}
    format: FormatConfig = FormatConfig()


class SourceConfig(Model):
    """One source. `max_shrink` is the largest share by which a delivery may shrink before it is stopped."""

    name: Annotated[str, Field(pattern=SOURCE_NAME)]
    role: Literal["crm", "shop", "support"]
    controller: Annotated[str, Field(min_length=1)]
    connector: Literal["files"] = "files"
    path: str = "."
    enabled: bool = True
    format: FormatConfig = FormatConfig()
    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.2
    entities: Annotated[dict[str, EntityConfig], Field(min_length=1)]

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
            allowed_columns = {c.name for c in (*entity.columns, *SYSTEM_COLUMNS)}
            if entity_name == "order_lines":  # a flat export carries the order's attributes on every line
                orders = ENTITIES["shop", "orders"]
                allowed_columns |= {f"order_{c.name}" for c in (*orders.columns, *SYSTEM_COLUMNS)}
            for part in ("columns", "defaults", "references"):
                for name in sorted(set(getattr(entity_config, part)) - allowed_columns):
                    problems.append(
                        f"entities.{entity_name}.{part}.{name}: not a canonical column of {entity_name}; "
                        f"use `custom` for a field of your own"
                    )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def find_entity(self, name: str) -> Entity | None:
        """The canonical entity: of the source's own role first, else of the one role that has it."""
        own = ENTITIES.get((self.role, name))
        return own or next((e for (_, n), e in ENTITIES.items() if n == name), None)

    def format_of(self, entity_name: str) -> FormatConfig:
        """The entity's format; what it leaves out is the source's."""
        own = self.entities[entity_name].format.model_dump(exclude_none=True)
        return FormatConfig(**{**self.format.model_dump(exclude_none=True), **own})


class SourcesConfig(Model):
    sources: Annotated[list[SourceConfig], Field(min_length=1)]

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
