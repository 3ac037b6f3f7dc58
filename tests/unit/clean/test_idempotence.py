"""Cleaning a cleaned value changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.clean.addresses import ADDRESS_FIELDS
from pipelines.clean.names import NAME_FIELDS
from tests.unit.clean.conftest import shipped_rules

# Rules that learn from all rows may find more once the others are cleaned; all others depend on their row alone.
LEARNING = {
    *("first_name_holds_both", "last_name_holds_both", "names_swapped", "names_swapped_likely"),
    *("salutation_behind_only_name", "first_name_typo", "first_name_typo_by_email", "birth_date_day_month_swapped"),
    *("city_spelling", "city_typo", "city_from_postal_code", "postal_code_of_other_city", "city_of_other_postal_code"),
}
RULES = [
    rule
    for section in ("name", "address", "attributes", "birth_date")
    for rule in shipped_rules(section)
    if rule.name not in LEARNING
]
FIELDS = (*NAME_FIELDS, *ADDRESS_FIELDS, "house_number", "gender", "language", "birth_date")


def phrases(*choices: str) -> st.SearchStrategy[str]:
    """One of each word list, joined; a list is written as words separated by a bar, empty ones leave the word out."""
    words = [st.sampled_from(choice.split("|")) for choice in choices]
    return st.tuples(*words).map(lambda chosen: " ".join(" ".join(chosen).split()))


FIRST = "Anna|ANNA-LENA|karl heinz|É|j.|MCKENZIE|Drake"
LAST = "Müller|MÜLLER-SCHMIDT|von der heide|VON DÖRNBERG|o'neil|Groß|mcdonald|ß"
SALUTATION = "|Herr|Herrn|Frau|Mr.|Hr."
TITLE = "|Dr.|dr|Prof. Dr. med.|Dipl.-Ing.|PROFESSOR"
NOTHING = ["n/a", "-", "xxx", "test", "unbekannt", "?"]

odd = st.one_of(
    st.none(), st.sampled_from(NOTHING), st.text(min_size=1, max_size=10).map(lambda t: t.replace("\0", ""))
)
person = st.fixed_dictionaries(
    {
        "salutation": st.one_of(odd, phrases(SALUTATION, TITLE)),
        "title": st.one_of(odd, phrases(TITLE)),
        "first_name": st.one_of(odd, phrases(SALUTATION, TITLE, FIRST), phrases(FIRST, SALUTATION)),
        "last_name": st.one_of(odd, phrases(TITLE, LAST), phrases(LAST, ",", TITLE, FIRST)),
        "full_name": st.one_of(odd, phrases(SALUTATION, TITLE, FIRST, LAST), phrases(LAST, ",", TITLE, FIRST)),
        "gender": st.one_of(odd, st.sampled_from(["m", "W", "Divers", "Männlich", "d", "zebra"])),
        "language": st.one_of(odd, st.sampled_from(["de", "de-AT", "Deutsch", "EN", "klingon"])),
        "birth_date": st.one_of(st.none(), st.dates()),
    }
)
address = st.fixed_dictionaries(
    {
        "street": st.one_of(
            odd,
            phrases("Haupt|Berliner|KARL-MARX-|am alten|Rue", "Str.|straße|STRASSE|Weg|strasse", "|5|12 A|3-5|12 - 14"),
            phrases("12|1.|C 4,", "Rue|Mai|12"),
            st.sampled_from(["Hauptstr.5", "Postfach 12 34", "STRASSE DES 17. JUNI 135"]),
        ),
        "postal_code": st.one_of(odd, st.sampled_from(["1067", "01067", "D-50667", "1067.0", "SW1A 1AA", "sw1a 1aa"])),
        "city": st.one_of(odd, st.sampled_from(["BERLIN", "frankfurt am main", "Köln", "SANKT PÖLTEN", "s"])),
        "region": odd,
        "country": st.one_of(odd, st.sampled_from(["DE", "Deutschland", "österreich", "NA", "Narnia", "UK", "CH"])),
    }
)


def as_staged(row: dict[str, Any]) -> dict[str, Any]:
    """What staging and drafting leave: no white space around, single spaces, no empty text."""
    return {f: (" ".join(v.split()) or None) if isinstance(v, str) else v for f, v in row.items()}


@settings(
    max_examples=3,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a smaller example is not worth minutes: the log names the rule
    suppress_health_check=list(HealthCheck),
)
@given(rows=st.lists(st.one_of(person, address).map(as_staged), min_size=25, max_size=50))
def test_cleaning_a_cleaned_value_changes_nothing(apply_to_drafts: Any, rows: list[dict[str, Any]]) -> None:
    once, _ = apply_to_drafts(rows, RULES)
    again, changes = apply_to_drafts([{field: row[field] for field in FIELDS} for row in once], RULES)
    assert [c for c in changes if c["status"] == "applied"] == []
    assert [{f: r[f] for f in FIELDS} for r in again] == [{f: r[f] for f in FIELDS} for r in once]
