"""Names: each rule with the fewest rows that show it."""

from __future__ import annotations

from typing import Any

from pipelines.clean.names import NAME_FIELDS
from tests.unit.clean.conftest import chosen_rules, shipped_rules

# What a mailbox says needs mailboxes; that is tested with the whole stage.
RULES = tuple(rule for rule in shipped_rules("name") if rule.name != "first_name_typo_by_email")

CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a title in front of the first name": ({"first_name": "Dr. Anna"}, {"title": "Dr.", "first_name": "Anna"}),
    "two titles, one of them there already": (
        {"title": "Prof.", "first_name": "Dr. med. Anna", "last_name": "Maier"},
        {"title": "Prof. Dr. med.", "first_name": "Anna", "last_name": "Maier"},
    ),
    "characters nobody sees": (
        {"first_name": "An\u00adna\u200b", "last_name": "von\u00a0der  Heide\x07"},
        {"first_name": "Anna", "last_name": "von der Heide"},
    ),
    "joiners that are part of the spelling in Persian, Malayalam and Hindi": (
        {
            "first_name": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
            "last_name": "\u0d05\u0d30\u0d41\u0d23\u0d4d\u200d",
        },
        {
            "first_name": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
            "last_name": "\u0d05\u0d30\u0d41\u0d23\u0d4d\u200d",
        },
    ),
    "joiners that are none": (
        {"first_name": "\u200dAn\u200cna\u200d", "last_name": "\u200c\u0631\u0636\u0627"},
        {"first_name": "Anna", "last_name": "\u0631\u0636\u0627"},
    ),
    "an engineer": ({"last_name": "Dipl.-Ing. Maier"}, {"title": "Dipl.-Ing.", "last_name": "Maier"}),
    "a title in the salutation": (
        {"salutation": "Frau Dr.", "last_name": "Maier"},
        {"salutation": "Frau", "title": "Dr.", "last_name": "Maier"},
    ),
    "a title spelled out": ({"title": "professor", "last_name": "Maier"}, {"title": "Prof.", "last_name": "Maier"}),
    "names that begin like a title": (
        {"first_name": "Drake", "last_name": "Dröge"},
        {"first_name": "Drake", "last_name": "Dröge"},
    ),
    "a salutation in the first name": (
        {"first_name": "Herrn Karl", "last_name": "Maier"},
        {"salutation": "Herr", "first_name": "Karl", "last_name": "Maier"},
    ),
    "Mister": (
        {"first_name": "Mr. John", "last_name": "Doe"},
        {"salutation": "Mr", "first_name": "John", "last_name": "Doe"},
    ),
    "a salutation behind the last name": (
        {"first_name": "Jan", "last_name": "Eichenmüller Herr"},
        {"salutation": "Herr", "first_name": "Jan", "last_name": "Eichenmüller"},
    ),
    "a salutation behind the first name": (
        {"salutation": "Frau", "first_name": "Anna Frau", "last_name": "Maier"},
        {"salutation": "Frau", "first_name": "Anna", "last_name": "Maier"},
    ),
    "a salutation behind the whole name": (
        {"full_name": "Anna Maier (Frau)"},
        {"salutation": "Frau", "first_name": "Anna", "last_name": "Maier"},
    ),
    "a whole name with the last name Herr": (
        {"full_name": "Lothar Herr"},
        {"first_name": "Lothar", "last_name": "Herr"},
    ),
    "a noble last name that is Herr": (
        {"first_name": "Karl", "last_name": "von Herr"},
        {"first_name": "Karl", "last_name": "von Herr"},
    ),
    "a last name that is Herr": (
        {"first_name": "Karl", "last_name": "Herr"},
        {"first_name": "Karl", "last_name": "Herr"},
    ),
    "a full name": ({"full_name": "Anna Maria Maier"}, {"first_name": "Anna Maria", "last_name": "Maier"}),
    "a full name of a son": ({"full_name": "Karl Maier jun."}, {"first_name": "Karl", "last_name": "Maier jun."}),
    "a full name with that of birth": (
        {"full_name": "Anna von Maier geb. Lang"},
        {"first_name": "Anna", "last_name": "von Maier geb. Lang"},
    ),
    "a full name, last name first": (
        {"full_name": "Maier, Anna"},
        {"first_name": "Anna", "last_name": "Maier"},
    ),
    "a full name with everything": (
        {"full_name": "Frau Prof. Dr. Anna von der Heide"},
        {"salutation": "Frau", "title": "Prof. Dr.", "first_name": "Anna", "last_name": "von der Heide"},
    ),
    **{
        f"titles, {title}": (
            {"full_name": f"{title} Anna Maier"},
            {"title": title, "first_name": "Anna", "last_name": "Maier"},
        )
        for title in (
            *("Univ.-Prof. Dr.", "Priv.-Doz. Dr.", "PD Dr.", "Jun.-Prof.", "DDr.", "Dr.in", "Prof. em.", "Mag.a"),
            *(
                "Mag. (FH)",
                "Dipl.-Ing. (FH)",
                "Dipl.-Wirt.-Ing.",
                "DI",
                "Dr. iur. utr.",
                "Dr. sc. hum.",
                "Dr. med. univ.",
            ),
            *("MUDr.", "JUDr.", "Mgr.", "mgr inż.", "Dott.ssa", "Drs.", "Rev."),
        )
    },
    **{
        f"a degree, {degree}": (
            {"full_name": f"Anna Maier, {degree}"},
            {"title": degree, "first_name": "Anna", "last_name": "Maier"},
        )
        for degree in ("MD", "M.D.", "Esq.", "CPA", "M. Sc.", "LL.M.")
    },
    **{
        f"names that look like a title, {first} {last}": (
            {"full_name": f"{first} {last}"},
            {"first_name": first, "last_name": last},
        )
        for first, last in (("Chidi", "Mba"), ("Mba", "Eze"), ("Phil", "Collins"), ("Don", "Johnson"), ("Jan", "Ag"))
    },
    **{
        f"a last name of several words, {last}": (
            {"full_name": f"Karl {last}"},
            {"first_name": "Karl", "last_name": last},
        )
        for last in (
            *("Freiherr von Stein", "Graf Lambsdorff", "Prinz zu Hohenlohe", "von Thun und Hohenstein", "van 't Hoff"),
            *("in 't Veld", "op den Kamp", "uit den Bosch", "Ó Briain", "Nic Dhonnchadha", "Ortega y Gasset"),
            *("Brito e Cunha", "de la Cruz y Mendoza", "Maier III", "Maier - Lang", "Müller née Dupont", "de' Medici"),
        )
    },
    "two persons": ({"full_name": "Hans und Anna Müller"}, {"first_name": "Hans und Anna", "last_name": "Müller"}),
    "a couple": ({"full_name": "Herrn und Frau Müller"}, {"salutation": "Herr und Frau", "last_name": "Müller"}),
    "a family": (
        {"full_name": "Fam. Hans Müller"},
        {"salutation": "Familie", "first_name": "Hans", "last_name": "Müller"},
    ),
    "a salutation without a dot": ({"full_name": "Hr Müller"}, {"salutation": "Herr", "last_name": "Müller"}),
    "somebody called Herr": ({"full_name": "Herr Herr"}, {"salutation": "Herr", "last_name": "Herr"}),
    "salutations of others": (
        {"full_name": "Sig.ra Anna Rossi"},
        {"salutation": "Sig.ra", "first_name": "Anna", "last_name": "Rossi"},
    ),
    "for somebody's attention": ({"full_name": "z. Hd. Frau Maier"}, {"salutation": "Frau", "last_name": "Maier"}),
    "with somebody": ({"full_name": "Hans Müller c/o Schmidt"}, {"first_name": "Hans", "last_name": "Müller"}),
    "a remark": ({"full_name": "Hans Müller (Einkauf)"}, {"first_name": "Hans", "last_name": "Müller"}),
    "a son behind a comma": ({"full_name": "Sammy Davis, Jr."}, {"first_name": "Sammy", "last_name": "Davis Jr."}),
    "a son behind both": ({"full_name": "King, Martin, Jr."}, {"first_name": "Martin", "last_name": "King Jr."}),
    "a title behind two commas": (
        {"full_name": "Müller, Hans, Dr."},
        {"title": "Dr.", "first_name": "Hans", "last_name": "Müller"},
    ),
    "a comma and no more": ({"full_name": "Müller,"}, {"last_name": "Müller"}),
    "too many commas": ({"full_name": "Müller, Hans, Berlin"}, {"first_name": "Hans", "last_name": "Müller"}),
    "one word that is a first name": ({"full_name": "Anna-Lena"}, {"first_name": "Anna-Lena"}),
    "one word behind a salutation": ({"full_name": "Herr Frank"}, {"salutation": "Herr", "last_name": "Frank"}),
    "the last name in capitals": ({"full_name": "DUPONT Anna"}, {"first_name": "Anna", "last_name": "Dupont"}),
    "the first name in capitals": ({"full_name": "ANNA Dupont"}, {"first_name": "Anna", "last_name": "Dupont"}),
    "a mailbox in place of a name": ({"first_name": "anna.maier@web.de"}, {}),
    "a number in place of a name": ({"full_name": "0171 1234567"}, {}),
    "a name with a figure": ({"first_name": "2Pac"}, {"first_name": "2Pac"}),
    "a sample of a form": ({"first_name": "Vorname", "last_name": "Nachname"}, {}),
    "UTF-8 read as something else": ({"full_name": "JosÃ© MÃ¼ller"}, {"first_name": "José", "last_name": "Müller"}),
    "a letter whose last byte nobody sees": ({"last_name": "GarcÃ\xada"}, {"last_name": "García"}),
    "Portuguese capitals": ({"last_name": "CONCEIÇÃO"}, {"last_name": "Conceição"}),
    "signs of HTML": ({"full_name": "Anna O&#39;M&uuml;ller"}, {"first_name": "Anna", "last_name": "O'Müller"}),
    "marks apart from their letters": ({"last_name": "Mu\u0308ller"}, {"last_name": "Müller"}),
    "a lost letter stays to be seen": ({"last_name": "M\ufffdller"}, {"last_name": "M\ufffdller"}),
    "pictures": ({"full_name": "Anna 😀 Maier ❤️"}, {"first_name": "Anna", "last_name": "Maier"}),
    "quotes around": ({"full_name": '"Anna Maier"'}, {"first_name": "Anna", "last_name": "Maier"}),
    "a Japanese name in two words": ({"full_name": "山田 太郎"}, {"first_name": "太郎", "last_name": "山田"}),
    "a Chinese family of two signs": ({"full_name": "欧阳修"}, {"first_name": "修", "last_name": "欧阳"}),
    "a particle that is a first name": ({"full_name": "Al Pacino"}, {"first_name": "Al", "last_name": "Pacino"}),
    "a Vietnamese first name": ({"full_name": "Van Nguyen"}, {"first_name": "Van", "last_name": "Nguyen"}),
    "a Chinese name in one word": ({"full_name": "徐玉华"}, {"first_name": "玉华", "last_name": "徐"}),
    "a Japanese name in one word": ({"full_name": "佐藤花子"}, {"first_name": "花子", "last_name": "佐藤"}),
    "a Korean name in one word": ({"full_name": "김민수"}, {"first_name": "민수", "last_name": "김"}),
    "a particle in lower case": ({"full_name": "van Dijk"}, {"last_name": "van Dijk"}),
    "a noble name alone": ({"full_name": "Von Goethe"}, {"last_name": "Von Goethe"}),
    "two particles": ({"full_name": "Van den Berg"}, {"last_name": "Van den Berg"}),
    "a place behind the whole name": (
        {"full_name": "Hans Müller, Berlin"},
        {"first_name": "Hans", "last_name": "Müller"},
    ),
    "a place behind both names in the last": (
        {"last_name": "Hans Müller, Berlin"},
        {"first_name": "Hans", "last_name": "Müller"},
    ),
    "a last name that is a first name, and a first name": (
        {"full_name": "Martin Schulz, Anna"},
        {"first_name": "Anna", "last_name": "Martin Schulz"},
    ),
    "a last name of two first names": (
        {"full_name": "Hans Walter, Dragana"},
        {"first_name": "Dragana", "last_name": "Hans Walter"},
    ),
    "a title behind the comma": (
        {"full_name": "Maier, Dr. Anna"},
        {"title": "Dr.", "first_name": "Anna", "last_name": "Maier"},
    ),
    "a degree behind the name": (
        {"full_name": "Anna Maier, MBA", "salutation": "Ms."},
        {"salutation": "Ms", "title": "MBA", "first_name": "Anna", "last_name": "Maier"},
    ),
    "a full name of one word": ({"full_name": "Maier"}, {"last_name": "Maier"}),
    "both names in the first": ({"first_name": "Piet van Dyk"}, {"first_name": "Piet", "last_name": "van Dyk"}),
    "both names in the last": ({"last_name": "Maier, Anna"}, {"first_name": "Anna", "last_name": "Maier"}),
    "particles alone are no first name": ({"last_name": "von der Heide"}, {"last_name": "von der Heide"}),
    "capitals": (
        {"first_name": "ANNA-LENA", "last_name": "VON DER MÜLLER-O'NEIL"},
        {"first_name": "Anna-Lena", "last_name": "von der Müller-O'Neil"},
    ),
    "lower case": (
        {"first_name": "jürgen", "last_name": "mcdonald"},
        {"first_name": "Jürgen", "last_name": "McDonald"},
    ),
    "a last name that is a particle": (
        {"first_name": "THI", "last_name": "LE"},
        {"first_name": "Thi", "last_name": "Le"},
    ),
    "a last name that is a title": (
        {"first_name": "Anna", "last_name": "Doktor"},
        {"first_name": "Anna", "last_name": "Doktor"},
    ),
    "mixed case is somebody's own": (
        {"first_name": "DeShawn", "last_name": "de Vries"},
        {"first_name": "DeShawn", "last_name": "de Vries"},
    ),
    "umlauts and accents stay": (
        {"first_name": "Zoë", "last_name": "Müller"},
        {"first_name": "Zoë", "last_name": "Müller"},
    ),
    "a title of nobody": ({"first_name": "Dr. xxx"}, {"title": "Dr."}),
    "placeholders": ({"first_name": "xxx", "last_name": "n/a", "title": "-", "full_name": "Unbekannt"}, {}),
    "a test": ({"first_name": "Test", "last_name": "Testa"}, {"last_name": "Testa"}),
}


def names_of(row: dict[str, Any]) -> dict[str, str]:
    return {f: row[f] for f in NAME_FIELDS if row[f] is not None and f != "full_name"}


def test_names_are_brought_into_their_fields(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([delivered for delivered, _ in CASES.values()], RULES)
    found = dict(zip(CASES, map(names_of, drafts), strict=True))
    assert found == {case: expected for case, (_, expected) in CASES.items()}


COMPANIES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "for a last name": ({"last_name": "Löwe Bau GmbH & Co. KG"}, {"company_name": "Löwe Bau GmbH & Co. KG"}),
    "for a first name": ({"first_name": "Löwe Technik e. K."}, {"company_name": "Löwe Technik e. K."}),
    "for a whole name": ({"full_name": "Turnverein Nord e.V."}, {"company_name": "Turnverein Nord e.V."}),
    "beside the company": (
        {"last_name": "Löwe AG", "company_name": "Löwe Holding AG"},
        {"company_name": "Löwe Holding AG"},
    ),
    "behind a first name": (
        {"first_name": "Anna", "last_name": "Löwe GmbH"},
        {"first_name": "Anna", "last_name": "Löwe GmbH"},
    ),
    "a company from abroad": ({"full_name": "Rossi Logistica S.r.l."}, {"company_name": "Rossi Logistica S.r.l."}),
    "a company of entrepreneurs": (
        {"last_name": "Löwe UG (haftungsbeschränkt)"},
        {"company_name": "Löwe UG (haftungsbeschränkt)"},
    ),
    "for a last name that looks like a form": (
        {"full_name": "Kim Se"},
        {"first_name": "Kim", "last_name": "Se", "full_name": "Kim Se"},
    ),
    "with a person": (
        {"last_name": "Löwe Bau GmbH, z. Hd. Herrn Maier"},
        {"last_name": "Maier", "company_name": "Löwe Bau GmbH"},
    ),
    "without a legal form": ({"last_name": "Bäckerei Maier"}, {"company_name": "Bäckerei Maier"}),
    "a Czech company": ({"last_name": "Nový a.s."}, {"company_name": "Nový a.s."}),
    "a person in capitals": ({"full_name": "JAN AG"}, {"first_name": "Jan", "last_name": "Ag", "full_name": "JAN AG"}),
    "a company in small letters": ({"full_name": "löwe ag"}, {"company_name": "löwe ag"}),
    "for one word": ({"last_name": "Gmbh"}, {"last_name": "Gmbh"}),
}


def test_a_company_in_place_of_a_person_is_a_company(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([delivered for delivered, _ in COMPANIES.values()], RULES)
    fields = ("first_name", "last_name", "full_name", "company_name")
    found = [{field: row[field] for field in fields if row[field] is not None} for row in drafts]
    assert dict(zip(COMPANIES, found, strict=True)) == {case: expected for case, (_, expected) in COMPANIES.items()}


USUAL = [{"first_name": f, "last_name": n} for f in ("Anna", "Karl") for n in ("Maier", "Schulz", "Lang") for _ in "ab"]


def test_swapped_names_are_put_right_when_the_data_itself_proves_it(apply_to_drafts: Any) -> None:
    drafts, changes = apply_to_drafts([*USUAL, {"first_name": "Maier", "last_name": "Anna"}], RULES)
    assert names_of(drafts[-1]) == {"first_name": "Anna", "last_name": "Maier"}
    assert {(c["field"], c["before"], c["after"]) for c in changes if c["rule"] == "names_swapped"} == {
        ("first_name", "Maier", "Anna"),
        ("last_name", "Anna", "Maier"),
    }


def test_weak_evidence_for_swapped_names_is_proposed_and_not_applied(apply_to_drafts: Any) -> None:
    drafts, changes = apply_to_drafts([*USUAL, {"first_name": "Seltenhuber", "last_name": "Anna"}], RULES)
    assert names_of(drafts[-1]) == {"first_name": "Seltenhuber", "last_name": "Anna"}
    assert {(c["rule"], c["status"]) for c in changes} == {("names_swapped_likely", "proposed")}


def test_names_that_are_both_are_not_swapped(apply_to_drafts: Any) -> None:
    both = [{"first_name": f, "last_name": n} for f, n in (("Karl", "Walter"), ("Walter", "Karl")) for _ in range(9)]
    _, changes = apply_to_drafts(both, RULES)
    assert changes == []


def test_two_first_names_without_a_last_name_stay_together(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([*USUAL, {"first_name": "Lena Anna"}], RULES)
    assert names_of(drafts[-1]) == {"first_name": "Lena Anna"}


def test_a_salutation_behind_one_name_is_one_where_that_is_known_as_a_last_name(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([*USUAL, {"full_name": "Maier Herr"}, {"full_name": "Anna Herr"}], RULES)
    assert names_of(drafts[-2]) == {"salutation": "Herr", "last_name": "Maier"}
    assert names_of(drafts[-1]) == {"first_name": "Anna", "last_name": "Herr"}


FREQUENT = [{"first_name": f, "last_name": n} for f in ("Maria", "Torsten") for n in "ABCDEFGHIJKLMNO" for _ in "ab"]


def test_a_rare_first_name_one_slip_from_a_frequent_one_is_proposed(apply_to_drafts: Any) -> None:
    written = ["Tosrten", "Trosten", "Torstn", "Maike", "Marie", "Mia"]
    drafts, changes = apply_to_drafts(
        [*FREQUENT, *({"first_name": name, "last_name": "Z"} for name in written)], RULES, "name_drafts"
    )
    assert [row["first_name"] for row in drafts[len(FREQUENT) :]] == written
    assert [(c["before"], c["after"], c["status"]) for c in changes if c["rule"] == "first_name_typo"] == [
        (name, "Torsten", "proposed") for name in written[:3]
    ]


def test_what_the_file_leaves_out_is_off_and_what_it_proposes_is_not_done(apply_to_drafts: Any) -> None:
    rows = [{"first_name": "ANNA", "last_name": "Dr. Maier"}, {"last_name": "MAIER"}]
    drafts, changes = apply_to_drafts(rows, chosen_rules("name", {"rule": "name_casing", "risk": "propose"}))
    assert names_of(drafts[0]) == rows[0]
    assert {(c["field"], c["after"], c["status"]) for c in changes} == {
        ("first_name", "Anna", "proposed"),
        ("last_name", "Maier", "proposed"),
    }


def test_own_titles_legal_forms_and_particles_count(apply_to_drafts: Any) -> None:
    rules = chosen_rules(
        "name",
        {"rule": "company_in_person_field", "legal_forms": ["Genossenschaft"]},
        {"rule": "titles", "titles": ["Dipl.-Verw."]},
        {"rule": "name_casing", "particles": ["op"]},
    )
    rows = [{"first_name": "Dipl.-Verw. Anna", "last_name": "OP DEN KAMP"}, {"last_name": "Obst Genossenschaft"}]
    drafts, _ = apply_to_drafts(rows, rules)
    assert names_of(drafts[0]) == {"title": "Dipl.-Verw.", "first_name": "Anna", "last_name": "op den Kamp"}
    assert drafts[1]["company_name"] == "Obst Genossenschaft"
