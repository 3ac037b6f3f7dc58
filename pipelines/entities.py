"""The canonical entities: what a source may deliver, column by column.

Add an entity or a column here when `data-model` names it; landing, `raw.*` and the audit's contracts follow from it.
No file formats, no SQL of a single stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Type(StrEnum):
    """Canonical types; the value is DuckDB's name. Timestamps are UTC without zone."""

    TEXT = "VARCHAR"
    INTEGER = "BIGINT"
    DECIMAL = "DECIMAL(18,4)"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    JSON = "JSON"


@dataclass(frozen=True)
class Column:
    """One canonical column. `references` names the entity that the column's record id belongs to.

    The reference `person` means the person entity of the role of the source that is referred to.
    """

    name: str
    type: Type = Type.TEXT
    references: str | None = None

    @property
    def key_column(self) -> str | None:
        """Name of the keyed reference that `raw.*` adds beside a record id, e.g. `order_record_key`."""
        return self.name.removesuffix("_id") + "_key" if self.references else None


@dataclass(frozen=True)
class Entity:
    """One canonical entity. A bulk entity has so many records that what they hold is cleaned once by distinct value."""

    role: str
    name: str
    columns: tuple[Column, ...] = field(repr=False)
    is_person: bool = False
    is_bulk: bool = False

    @property
    def table(self) -> str:
        """Name in schema `raw`, e.g. `crm_contacts`."""
        return f"{self.role}_{self.name}"

    def column(self, name: str) -> Column | None:
        return next((c for c in (*self.columns, *SYSTEM_COLUMNS) if c.name == name), None)


# Carried by every entity. `source_system`, the entity and `source_record_id` together are the key.
SYSTEM_COLUMNS = (
    Column("source_record_id"),
    Column("created_at", Type.TIMESTAMP),
    Column("updated_at", Type.TIMESTAMP),
    Column("deleted_at", Type.TIMESTAMP),
    Column("merged_into_record_id"),
)

PERSON_ENTITY = {"crm": "contacts", "shop": "customers", "support": "users"}


def _columns(**columns: str) -> tuple[Column, ...]:
    """Columns by type: each keyword is a type name, its value the column names; `a>b` means that a refers to b."""
    found = []
    for type_name, names in columns.items():
        for name in names.split():
            column, _, references = name.partition(">")
            found.append(Column(column, Type[type_name.upper()], references or None))
    return tuple(found)


_PERSON = _columns(
    text="""salutation title first_name last_name full_name email phone mobile street postal_code city region country
        gender language company_record_id>companies company_name job_title lifecycle_stage lead_source owner""",
    date="birth_date",
    boolean="is_test is_deceased is_employee",
)

_ENTITIES = (
    Entity("crm", "contacts", _PERSON, is_person=True),
    Entity(
        "crm",
        "companies",
        _columns(
            text="""name legal_form domain vat_id register_number street postal_code city country industry
                parent_company_record_id>companies""",
            integer="employee_count",
            boolean="is_key_account",
        ),
    ),
    Entity(
        "crm",
        "permissions",
        _columns(
            text="""contact_record_id>person email phone controller channel purpose kind status method wording_version
                evidence order_record_id>orders""",
            timestamp="requested_at given_at confirmed_at withdrawn_at expires_at",
            boolean="objection_notice_shown",
        ),
    ),
    Entity(
        "crm",
        "contact_methods",
        _columns(
            text="contact_record_id>person kind value street postal_code city region country",
            boolean="is_primary is_verified is_undeliverable",
            timestamp="valid_from valid_until",
        ),
    ),
    Entity(
        "crm",
        "company_contacts",
        _columns(
            text="contact_record_id>person company_record_id>companies role",
            boolean="is_primary",
            timestamp="valid_from valid_until",
        ),
    ),
    Entity(
        "crm",
        "deals",
        _columns(
            text="""contact_record_id>person company_record_id>companies name pipeline stage lost_reason currency
                campaign_record_id>campaigns owner""",
            boolean="is_won is_lost",
            decimal="amount",
            date="expected_close_date",
            timestamp="closed_at",
        ),
    ),
    Entity("crm", "deal_contacts", _columns(text="deal_record_id>deals contact_record_id>person role")),
    Entity(
        "crm",
        "stage_changes",
        _columns(
            text="contact_record_id>person company_record_id>companies deal_record_id>deals from_stage stage",
            timestamp="entered_at",
        ),
    ),
    Entity(
        "crm",
        "interactions",
        _columns(
            text="""contact_record_id>person company_record_id>companies email phone channel direction outcome
                ticket_record_id>tickets deal_record_id>deals campaign_record_id>campaigns""",
            timestamp="started_at",
            integer="duration_seconds",
        ),
    ),
    Entity(
        "shop",
        "customers",
        (*_PERSON, *_columns(boolean="accepts_marketing is_guest")),
        is_person=True,
    ),
    Entity(
        "shop",
        "orders",
        _columns(
            text="""customer_record_id>person email phone controller company_name vat_id billing_first_name
                billing_last_name billing_street billing_postal_code billing_city billing_country shipping_first_name
                shipping_last_name shipping_street shipping_postal_code shipping_city shipping_country status currency
                payment_status channel store marketplace campaign_record_id>campaigns utm_source utm_medium
                utm_campaign""",
            timestamp="ordered_at cancelled_at paid_at chargeback_at delivered_at",
            boolean="prices_include_tax",
            decimal="items_amount discount_amount shipping_amount tax_amount total_amount",
            integer="dunning_level",
        ),
    ),
    Entity(
        "shop",
        "order_lines",
        _columns(
            text="order_record_id>orders product_record_id>products lot",
            decimal="quantity unit_amount discount_amount tax_rate tax_amount unit_cost_amount",
        ),
    ),
    Entity(
        "shop",
        "returns",
        _columns(
            text="order_record_id>orders order_line_record_id>order_lines reason",
            decimal="quantity amount",
            timestamp="returned_at refunded_at",
        ),
    ),
    Entity(
        "shop",
        "products",
        _columns(
            text="sku name category category_path brand parent_product_record_id>products currency",
            decimal="list_amount cost_amount",
            boolean="is_gift_card is_sensitive",
        ),
    ),
    Entity(
        "shop",
        "order_discounts",
        _columns(text="order_record_id>orders code campaign_record_id>campaigns", decimal="amount"),
    ),
    Entity(
        "shop",
        "carts",
        _columns(
            text="customer_record_id>person email currency recovered_order_record_id>orders",
            decimal="total_amount",
            timestamp="abandoned_at completed_at",
            json="lines",
        ),
    ),
    Entity("support", "users", _PERSON, is_person=True),
    Entity(
        "support",
        "tickets",
        _columns(
            text="""requester_record_id>person company_record_id>companies type subject priority status channel category
                tags group product_record_id>products order_record_id>orders""",
            timestamp="sla_breached_at solved_at first_reply_at",
            integer="reopened_count",
        ),
    ),
    Entity(
        "support",
        "ratings",
        _columns(
            text="contact_record_id>person ticket_record_id>tickets order_record_id>orders kind comment",
            decimal="score scale_max",
            timestamp="rated_at",
        ),
    ),
    Entity(
        "marketing",
        "campaigns",
        _columns(
            text="name class channel controller purpose currency advertises variant_of",
            timestamp="starts_at ends_at",
            decimal="budget_amount cost_amount",
        ),
    ),
    Entity(
        "marketing",
        "campaign_steps",
        _columns(text="campaign_record_id>campaigns name goal", integer="step"),
    ),
    Entity(
        "marketing",
        "touches",
        _columns(
            text="""contact_record_id>person email phone campaign_record_id>campaigns variant channel kind message_id
                bounce_type""",
            integer="step",
            boolean="is_machine",
            timestamp="occurred_at",
        ),
        is_bulk=True,
    ),
    Entity(
        "web",
        "events",
        _columns(
            text="""anonymous_id session_id user_id>person email kind url referrer utm_source utm_medium utm_campaign
                click_id product_record_id>products order_record_id>orders device country region permission_state""",
            timestamp="occurred_at",
        ),
        is_bulk=True,
    ),
    Entity(
        "erp",
        "invoices",
        _columns(
            text="order_record_id>orders customer_record_id>person number currency",
            timestamp="invoiced_at due_at paid_at",
            integer="dunning_level",
            boolean="is_disputed",
            decimal="amount",
        ),
    ),
    Entity(
        "enrichment",
        "attributes",
        _columns(
            text="contact_record_id>person email group name value provider license",
            timestamp="observed_at",
        ),
        is_bulk=True,
    ),
)

# By (role, name). An order of `raw.*` tables that never changes by itself: the order of declaration.
ENTITIES: dict[tuple[str, str], Entity] = {(e.role, e.name): e for e in _ENTITIES}
ROLES = tuple(dict.fromkeys(e.role for e in _ENTITIES))


def entity_named(name: str) -> Entity | None:
    """The entity of that name in any role; names are unique across roles."""
    return next((e for e in _ENTITIES if e.name == name), None)
