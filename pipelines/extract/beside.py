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
from pipelines.extract.words import COLUMN_WORDS, fold_word, is_number, words_for
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
    defaults: dict[str, int | str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    entities: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class _File:
    """The file `delivered`, and what was found out about it so far.

    Attributes:
        connection: has the table `delivered`.
        columns: its columns.
        mapping: canonical name to column of the file, of the records themselves.
        doubts: what a reader should look at; it grows.
        found: what it says beside that; it grows.
    """

    connection: DuckDBPyConnection
    columns: list[FileColumn]
    mapping: dict[str, str]
    doubts: list[str]
    found: Beside = field(default_factory=Beside)

    def find_unmapped(self, canonical: str) -> FileColumn | None:
        """The first column that is called like `canonical` and is not taken for anything yet."""
        words = words_for(canonical, COLUMN_WORDS)
        taken = self.mapping.values()
        return next((c for c in self.columns if fold_word(c.name) in words and c.name not in taken), None)

    def list_free(self) -> list[FileColumn]:
        """The columns that neither the records themselves nor anything computed for them takes."""
        taken = {*self.mapping.values(), *self.found.used}
        return [c for c in self.columns if c.name not in taken]


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
    file = _File(connection, columns, mapping, doubts)
    found = file.found
    if "street" in mapping:
        _join_house_number(file)
    if entity != ORDER_LINES:
        found.entities |= _find_persons(entity, columns, mapping, doubts)
        if "score" in mapping and "scale_max" not in mapping:
            _find_scale(file)
        return found
    if "unit_amount" in mapping and "quantity" not in mapping:
        found.defaults["quantity"] = 1
        doubts.append("no column looks like a quantity, so every line is one piece")
    _compute_unit_amount(file)
    _compute_discount(file)
    if carries_orders(columns, {**mapping, **found.columns}):
        _find_orders(file)
    _find_products(file)
    if not has_key:
        found.key = _find_line_key(file)
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


def _find_orders(file: _File) -> None:
    """What lines say of their order, which is the same on all of its lines, and of who has ordered."""
    order = file.mapping["order_record_id"]
    free = file.list_free()
    orders = map_columns(ORDERS, [c for c in free if _is_same_within(file.connection, order, c)], file.doubts)
    file.found.entities |= _find_persons(ORDERS, free, orders, file.doubts, on_lines=True)
    file.found.columns |= {ORDER_PREFIX + target: name for target, name in orders.items()}
    if orders:
        file.doubts.append(f"what is said of the orders is on their lines: for each '{order}' the first")


def _find_products(file: _File) -> None:
    """What lines say of the product beside its number."""
    key = file.mapping.get("product_record_id")
    if key is None:
        return
    taken = {name for name in file.found.columns.values() if isinstance(name, str)}
    taken |= {name for persons in file.found.entities.values() for name in persons.values()}
    told = map_columns(PRODUCTS, [c for c in file.list_free() if c.name not in taken], [])
    told = {t: n for t, n in told.items() if (column := PRODUCTS.column(t)) and column.type is Type.TEXT}
    if "name" in told or "category" in told:
        file.found.entities[PRODUCTS.name] = {"source_record_id": key, **told}
        file.doubts.append(
            f"{PRODUCTS.name} are read from the same file: for each '{key}' what the last line with it says; take them "
            f"out if another file has them"
        )


def _find_line_key(file: _File) -> list[str]:
    """The order with the number of the line in it, or else with the product, if no two lines have the same."""
    order = file.mapping.get("order_record_id")
    if order is None:
        return []
    words = words_for("order_line_record_id", COLUMN_WORDS)
    numbers = [c.name for c in file.columns if fold_word(c.name) in words]
    taken = file.mapping.values()
    numbers += [c.name for c in file.columns if is_number(c.name) and c.name not in taken]
    for name in (*numbers, file.mapping.get("product_record_id", order)):
        if name == order:
            continue
        one, other = identifier(order), identifier(name)
        row = file.connection.execute(
            f"select count(*) = count(distinct case when {one} is not null and {other} is not null "
            f"then ({one}, {other}) end) from delivered"
        ).fetchone()
        if row == (True,):
            return [order, name]
    return []


def _compute_unit_amount(file: _File) -> None:
    """The amount of one piece, where lines tell that of all pieces, in numbers the engine reads as they are."""
    amount, quantity = file.find_unmapped("line_amount"), file.mapping.get("quantity")
    if "unit_amount" in file.mapping or quantity is None or amount is None:
        return
    whole, pieces = (f"try_cast({identifier(name)} as decimal(18, 4))" for name in (amount.name, quantity))
    row = file.connection.execute(
        f"select coalesce(avg(({whole} is not null and {pieces} <> 0)::integer), 0) from delivered"
    ).fetchone()
    if row and row[0] >= MOSTLY:
        file.found.columns["unit_amount"] = {"sql": f"{whole} / nullif({pieces}, 0)"}
        file.found.used.add(amount.name)
        file.doubts.append(f"'{amount.name}' is taken for the amount of the whole line, and divided by '{quantity}'")


def _compute_discount(file: _File) -> None:
    """What is taken off a line, where the file says which share of its price that is."""
    share = file.find_unmapped("discount_amount")
    if share is None or share.fraction_share < 1 or not {"unit_amount", "quantity"} <= file.mapping.keys():
        return
    factors = (file.mapping["unit_amount"], file.mapping["quantity"], share.name)
    product = " * ".join(f"try_cast({identifier(name)} as decimal(18, 4))" for name in factors)
    file.found.columns["discount_amount"] = {"sql": f"round({product}, 4)"}
    file.found.used.add(share.name)
    file.doubts.append(f"'{share.name}' is taken for the share of the line's price that is taken off")


def _join_house_number(file: _File) -> None:
    number = file.find_unmapped("house_number")
    if number is not None:
        file.found.columns["street"] = [file.mapping["street"], number.name]
        file.found.used.add(number.name)


def _find_scale(file: _File) -> None:
    """The best score there can be, when the file does not say it: of the usual ones the least that all fit."""
    score = file.mapping["score"]
    number = f"try_cast(replace({identifier(score)}::text, ',', '.') as double)"
    row = file.connection.execute(f"select max({number}), min({number}) from delivered").fetchone()
    if row and row[0] is not None and row[1] >= 0:
        scale = next((scale for scale in SCALES if row[0] <= scale), None)
        if scale is not None:
            file.found.defaults["scale_max"] = scale
            file.doubts.append(f"the best score there can be in '{score}' is taken to be {scale}")


def _is_same_within(connection: DuckDBPyConnection, order: str, column: FileColumn) -> bool:
    """Whether a column says one thing per order; nearly, as a file may be damaged."""
    key, value = identifier(order), contract.as_text(identifier(column.name), column.kind)
    row = connection.execute(
        f"select coalesce(avg((n <= 1)::integer), 0) from "
        f"(select count(distinct {value}) as n from delivered where {key} is not null group by {key})"
    ).fetchone()
    return bool(row and row[0] >= NEARLY_ALL)
