"""What a file tells of records that are not its own: of who asks or has ordered, and on lines of the order and product.

Add here which records may be read from the file of others. What the file's own columns are is in `guesses`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.entities import ENTITIES, PERSON_ENTITY, Entity, Type
from pipelines.extract import contract
from pipelines.extract.fields import ORDER_PREFIX
from pipelines.extract.guesses import MOSTLY, NEARLY_ALL, ORDER_LINES, ORDERS, FileColumn, carries_orders, map_columns
from pipelines.extract.words import COLUMN_WORDS, ID_WORD, fold_word, words_for
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRODUCTS = ENTITIES["shop", "products"]
BILLING_FIELDS = ("first_name", "last_name", "street", "postal_code", "city", "country")  # of who has ordered
SCALES = (5, 10, 100)  # the best score of stars, of the question whether one would recommend, of percents
NAMES_A_PERSON = frozenset({"email", "phone", "mobile", "full_name", "last_name"})


@dataclass
class Beside:
    """What the entry of a file says beyond its own columns.

    Attributes:
        columns: further columns of the records themselves: of their orders, or computed.
        key: columns that are the id together.
        defaults: what is the same for all records.
        used: columns of the file that `columns` computes something from.
        entities: other entities that are read from the file, their canonical columns to columns of the file.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    defaults: dict[str, int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    entities: dict[str, dict[str, str]] = field(default_factory=dict)


def find_beside(
    connection: DuckDBPyConnection,
    entity: Entity,
    columns: list[FileColumn],
    mapping: dict[str, str],
    doubts: list[str],
    *,
    has_key: bool,
) -> Beside:
    """Find what else the file `delivered` tells; `mapping` may get the reference to whom it tells of."""
    found = Beside()
    if "street" in mapping:
        _join_house_number(columns, mapping, found)
    if entity != ORDER_LINES:
        found.entities |= _find_persons(entity, columns, mapping, doubts)
        if "score" in mapping and "scale_max" not in mapping:
            _find_scale(connection, mapping["score"], found, doubts)
        return found
    if "unit_amount" in mapping and "quantity" not in mapping:
        found.defaults["quantity"] = 1
        doubts.append("no column looks like a quantity, so every line is one piece")
    _compute_unit_amount(connection, columns, mapping, found, doubts)
    _compute_discount(columns, mapping, found, doubts)
    if carries_orders(columns, {**mapping, **found.columns}):
        _find_orders(connection, columns, mapping, found, doubts)
    _find_products(columns, mapping, found, doubts)
    if not has_key:
        found.key = _find_line_key(connection, columns, mapping)
    return found


def _find_persons(
    entity: Entity, columns: list[FileColumn], mapping: dict[str, str], doubts: list[str], *, on_lines: bool = False
) -> dict[str, dict[str, str]]:
    """The persons that records name without more than a number, from the same file: who asks, who has ordered.

    Entity to canonical column to column of the file. Without them nobody would know whose the number is. Where the
    file has no number of the person, the mail address is it.
    """
    reference = next((c.name for c in entity.columns if c.references == "person"), None)
    role = PERSON_ENTITY.get(entity.role)
    if reference is None or role is None or entity.is_bulk:
        return {}
    if reference not in mapping and entity.column("email"):
        return {}  # the record says itself how its person is reached
    persons = ENTITIES[entity.role, role]
    taken = {name for target, name in mapping.items() if target not in {"email", "phone", "company_name"}}
    free = [c for c in columns if c.name not in taken]
    found = {t: n for t, n in map_columns(persons, free, []).items() if persons.column(t) in persons.columns}
    found |= {t: mapping[f"billing_{t}"] for t in BILLING_FIELDS if t not in found and f"billing_{t}" in mapping}
    if not (NAMES_A_PERSON & found.keys() or (on_lines and found)):
        return {}
    key = mapping.get(reference, found.get("email"))
    if key is None:
        return {}
    mapping[reference] = key
    doubts.append(
        f"{role} are read from the same file: for each '{key}' what the last line with it says; take them out if "
        f"another file has them"
    )
    return {role: {"source_record_id": key, **{t: n for t, n in found.items() if n != key or t == "email"}}}


def _find_orders(
    connection: DuckDBPyConnection,
    columns: list[FileColumn],
    mapping: dict[str, str],
    found: Beside,
    doubts: list[str],
) -> None:
    """What lines say of their order, which is the same on all of its lines, and of who has ordered."""
    own = {*mapping.values(), *found.used}
    free = [c for c in columns if c.name not in own and _is_same_within(connection, mapping["order_record_id"], c)]
    orders = map_columns(ORDERS, free, doubts)
    found.entities |= _find_persons(ORDERS, [c for c in columns if c.name not in own], orders, doubts, on_lines=True)
    found.columns |= {ORDER_PREFIX + target: name for target, name in orders.items()}
    if orders:
        doubts.append(
            f"what is said of the orders is on their lines: for each '{mapping['order_record_id']}' the first"
        )


def _find_products(columns: list[FileColumn], mapping: dict[str, str], found: Beside, doubts: list[str]) -> None:
    """What lines say of the product beside its number."""
    key = mapping.get("product_record_id")
    if key is None:
        return
    taken = {*mapping.values(), *found.used, *(n for n in found.columns.values() if isinstance(n, str))}
    taken |= {name for persons in found.entities.values() for name in persons.values()}
    told = map_columns(PRODUCTS, [c for c in columns if c.name not in taken], [])
    told = {t: n for t, n in told.items() if (column := PRODUCTS.column(t)) and column.type is Type.TEXT}
    if "name" in told or "category" in told:
        found.entities[PRODUCTS.name] = {"source_record_id": key, **told}
        doubts.append(
            f"{PRODUCTS.name} are read from the same file: for each '{key}' what the last line with it says; take them "
            f"out if another file has them"
        )


def _find_line_key(connection: DuckDBPyConnection, columns: list[FileColumn], mapping: dict[str, str]) -> list[str]:
    """The order with the number of the line in it, or else with the product, if no two lines have the same."""
    order = mapping.get("order_record_id")
    if order is None:
        return []
    words = words_for("order_line_record_id", COLUMN_WORDS)
    numbers = [c.name for c in columns if fold_word(c.name) in words]
    numbers += [c.name for c in columns if ID_WORD.search(fold_word(c.name)) and c.name not in mapping.values()]
    for name in (*numbers, mapping.get("product_record_id", order)):
        if name == order:
            continue
        one, other = identifier(order), identifier(name)
        row = connection.execute(
            f"select count(*) = count(distinct case when {one} is not null and {other} is not null "
            f"then ({one}, {other}) end) from delivered"
        ).fetchone()
        if row == (True,):
            return [order, name]
    return []


def _compute_unit_amount(
    connection: DuckDBPyConnection,
    columns: list[FileColumn],
    mapping: dict[str, str],
    found: Beside,
    doubts: list[str],
) -> None:
    """The amount of one piece, where lines tell that of all pieces, in numbers the engine reads as they are."""
    words = words_for("line_amount", COLUMN_WORDS)
    amount = next((c.name for c in columns if fold_word(c.name) in words and c.name not in mapping.values()), None)
    quantity = mapping.get("quantity")
    if "unit_amount" in mapping or quantity is None or amount is None:
        return
    whole, pieces = (f"try_cast({identifier(name)} as decimal(18, 4))" for name in (amount, quantity))
    row = connection.execute(
        f"select coalesce(avg(({whole} is not null and {pieces} <> 0)::integer), 0) from delivered"
    ).fetchone()
    if row and row[0] >= MOSTLY:
        found.columns["unit_amount"] = {"sql": f"{whole} / nullif({pieces}, 0)"}
        found.used.add(amount)
        doubts.append(f"'{amount}' is taken for the amount of the whole line, and divided by '{quantity}'")


def _compute_discount(columns: list[FileColumn], mapping: dict[str, str], found: Beside, doubts: list[str]) -> None:
    """What is taken off a line, where the file says which share of its price that is."""
    words = words_for("discount_amount", COLUMN_WORDS)
    share = next((c for c in columns if fold_word(c.name) in words and c.name not in mapping.values()), None)
    if share is None or share.fraction_share < 1 or "unit_amount" not in mapping or "quantity" not in mapping:
        return
    factors = (mapping["unit_amount"], mapping["quantity"], share.name)
    product = " * ".join(f"try_cast({identifier(name)} as decimal(18, 4))" for name in factors)
    found.columns["discount_amount"] = {"sql": f"round({product}, 4)"}
    found.used.add(share.name)
    doubts.append(f"'{share.name}' is taken for the share of the line's price that is taken off")


def _join_house_number(columns: list[FileColumn], mapping: dict[str, str], found: Beside) -> None:
    words = words_for("house_number", COLUMN_WORDS)
    number = next((c.name for c in columns if fold_word(c.name) in words and c.name not in mapping.values()), None)
    if number is not None:
        found.columns["street"] = [mapping["street"], number]
        found.used.add(number)


def _find_scale(connection: DuckDBPyConnection, score: str, found: Beside, doubts: list[str]) -> None:
    """The best score there can be, when the file does not say it: of the usual ones the least that all fit."""
    number = f"try_cast(replace({identifier(score)}::text, ',', '.') as double)"
    row = connection.execute(f"select max({number}), min({number}) from delivered").fetchone()
    if row and row[0] is not None and row[1] >= 0:
        scale = next((scale for scale in SCALES if row[0] <= scale), None)
        if scale is not None:
            found.defaults["scale_max"] = scale
            doubts.append(f"the best score there can be in '{score}' is taken to be {scale}")


def _is_same_within(connection: DuckDBPyConnection, order: str, column: FileColumn) -> bool:
    """Whether a column says one thing per order; nearly, as a file may be damaged."""
    key, value = identifier(order), contract.as_text(identifier(column.name), column.kind)
    row = connection.execute(
        f"select coalesce(avg((n <= 1)::integer), 0) from "
        f"(select count(distinct {value}) as n from delivered where {key} is not null group by {key})"
    ).fetchone()
    return bool(row and row[0] >= NEARLY_ALL)
