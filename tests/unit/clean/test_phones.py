"""Phone numbers through the whole stage, with and without what earlier runs remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipelines.clean.cache import cache_file
from pipelines.clean.phones import CACHED, rules_version

CASES = {
    ("0171 / 123 45-68", "DE"): ("+491711234568", True, True),
    ("+49 (0)171 1234568", None): ("+491711234568", True, True),
    ("0049-171-1234568", "Narnia"): ("+491711234568", True, True),
    ("Tel. 030 23125 111", "Deutschland"): ("+493023125111", False, True),
    ("030 23125111 App. 12", None): ("+493023125111", False, True),
    ("079 123 45 67", "Schweiz"): ("+41791234567", True, True),
    ("0043 664 1234568", "DE"): ("+436641234568", True, True),
    ("491711234568", "DE"): ("+491711234568", True, True),
    ("0000000", "DE"): (None, False, False),
    ("+49 1111 1111111", "DE"): (None, False, False),
    ("0123456789", "DE"): (None, False, False),
    ("12", "DE"): (None, False, False),
    ("keine", "DE"): (None, False, False),
    ("0171 1234568 / 0172 7654321", "DE"): ("+491711234568", True, True),
    ("0171 1234568 oder +49 30 23125111", "DE"): ("+491711234568", True, True),
    ("030 / 23 12 51 11 Fax 030 23125112", "DE"): ("+493023125111", False, True),
    ("030 231251-11/12", "DE"): ("+493023125111", False, True),
    ("030 23125111 #23", "DE"): ("+493023125111", False, True),
    ("+493023125111;ext=5", "DE"): ("+493023125111", False, True),
    ("030 23125111 ab 18 Uhr", "DE"): ("+493023125111", False, True),
    ("030 23125111 (18-20 Uhr)", "DE"): ("+493023125111", False, True),
    ("0171 l2345 O8", "DE"): ("+491711234508", True, True),
    ("1711234568.0", "DE"): ("+491711234568", True, True),
    ("1,71123E+10", "DE"): (None, False, False),
    ("٠١٧١ ١٢٣٤٥٦٨", "DE"): ("+491711234568", True, True),  # noqa: RUF001
    ("+7 912 345-67-89", "RU"): ("+79123456789", True, True),
    ("8 912 345-67-88", "RU"): ("+79123456788", True, True),
    ("06 69812345", "IT"): ("+390669812345", False, True),
    ("06 20 123 4567", "HU"): ("+36201234567", True, True),
}
CONTACTS = [
    {"source_record_id": f"{i:02}", "phone": phone, "country": country} for i, (phone, country) in enumerate(CASES)
]


def test_numbers_are_read_by_country(clean: Any) -> None:
    cleaned = clean({"crm_contacts": CONTACTS})
    found = {r["raw_value"]: (r["value"], r["is_mobile"], r["is_valid"]) for r in cleaned.tables["phones"]}
    assert found == {phone: expected for (phone, _), expected in CASES.items()}
    assert [p["phone"] for p in cleaned.tables["persons"] if p["source_record_id"] == "05"] == ["+41791234567"]


def test_the_number_of_a_permission_or_an_order_is_read_by_the_country_of_its_person(clean: Any) -> None:
    cleaned = clean(
        {
            "crm_contacts": [{"source_record_id": "c", "country": "CH", "mobile": "079 123 45 67"}],
            "crm_permissions": [{"source_record_id": "p", "contact_record_id": "c", "phone": "079 123 45 67"}],
            "shop_orders": [{"source_record_id": "o", "phone": "079 123 45 67", "billing_country": "Swiss"}],
        }
    )
    assert {(r["entity"], r["value"]) for r in cleaned.tables["contact_points"]} == {
        ("contacts", "+41791234567"),
        ("permissions", "+41791234567"),
        ("orders", "+41791234567"),
    }


def test_remembered_numbers_change_nothing_and_a_damaged_memory_is_replaced(
    clean: Any, run_clean: Any, settings: Any
) -> None:
    first = clean({"crm_contacts": CONTACTS})
    file = cache_file(settings, "phones")
    assert file.exists()
    remembered = run_clean()
    file.write_bytes(b"no database at all")
    assert sorted_rows(first) == sorted_rows(remembered) == sorted_rows(run_clean())


def sorted_rows(cleaned: Any) -> dict[str, list[str]]:
    """The tables without the order of their rows, on which nobody may rely."""
    return {table: sorted(map(repr, rows)) for table, rows in cleaned.tables.items()}


def test_the_memory_holds_only_what_the_library_was_asked_in_the_last_run(clean: Any, settings: Any) -> None:
    from pipelines.clean.cache import load_values

    clean({"crm_contacts": CONTACTS})
    clean(
        {"crm_contacts": [contact for contact in CONTACTS if contact["phone"] in {"491711234568", "0171 / 123 45-68"}]}
    )
    remembered = load_values(settings, CACHED, rules_version())
    assert remembered is not None
    assert remembered.column("dialed").to_pylist() == ["491711234568"]
    assert load_values(settings, "phones", "another version").num_rows == 0
    assert load_values(replace(settings, data_dir=settings.data_dir / "elsewhere"), "phones", "any") is None
