"""How companies are called: legal forms, and what of a name is the name itself.

Add a legal form when it ends names of companies and no last name of a person. Cleaning writes legal forms by it,
resolving compares names by it; what a comparison proves is decided there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A name of fewer letters and digits says too little, also with the postal code.
SHORTEST_NAME = 3


def create_name_macros(connection: DuckDBPyConnection) -> None:
    """Create the macros on this connection; temporary, so nothing stays in the file.

    `company_words` are the words of a name; `legal_form_of`, `company_stem` and `is_generic` take such words.
    """
    for definition in (_WORDS, _LEGAL_FORM, _STEM, _GENERIC):
        connection.execute(f"create or replace temp macro {definition}")


def _literals(values: Iterable[str]) -> str:
    return ", ".join(literal(value) for value in values)


# What people write where a form wants a company and they have none.
NO_COMPANY = (
    *words("privat privatperson privatkunde privatkundin private personal individual particulier privato particular"),
    *words("selbst selbstständig selbständig selbststaendig selbstaendig freiberufler freiberuflerin freiberuflich"),
    *words("freelance freelancer self-employed selfemployed student studentin schüler schülerin rentner rentnerin"),
    *words("pensionist pensionistin hausfrau hausmann arbeitslos arbeitssuchend einzelperson"),
    *(
        "keine firma",
        "kein unternehmen",
        "ohne firma",
        "no company",
        "self employed",
        "not applicable",
        "privater haushalt",
    ),
)

# What a company is, and not which one: one town has several of them.
GENERIC_WORDS = words(
    "apotheke arztpraxis praxis zahnarztpraxis zahnarzt gemeinschaftspraxis physiotherapie tierarztpraxis baeckerei "
    "konditorei metzgerei fleischerei friseur friseursalon kosmetikstudio hotel gasthof gasthaus pension restaurant "
    "cafe bistro imbiss pizzeria kiosk tankstelle werkstatt autohaus fahrschule kita kindergarten kindertagesstaette "
    "hort schule grundschule hauptschule realschule gymnasium gesamtschule berufsschule hochschule universitaet "
    "gemeinde gemeindeverwaltung stadt stadtverwaltung rathaus landratsamt kreisverwaltung finanzamt amtsgericht "
    "feuerwehr freiwillige polizei kirchengemeinde evangelische katholische pfarramt sportverein sparkasse volksbank "
    "raiffeisenbank bank filiale zentrale zweigstelle niederlassung kanzlei rechtsanwaltskanzlei rechtsanwalt "
    "steuerberatung steuerberater steuerkanzlei architekturbuero ingenieurbuero hausverwaltung immobilien "
    "versicherung versicherungsagentur krankenhaus klinik pflegeheim altenheim seniorenheim pharmacy bakery school "
    "office company store shop"
)

# Legal forms as they end a name, in lower case without dots and signs; the longer ones first.
LEGAL_FORMS = {
    "gmbh co kgaa": "gmbh co kgaa",
    "gmbh co kg": "gmbh co kg",
    **dict.fromkeys(
        ("gmbh und co kg", "gmbh u co kg", "gmbh cokg", "gmbh co", "gesmbh co kg", "ges mbh co kg"), "gmbh co kg"
    ),
    "gmbh co ohg": "gmbh co ohg",
    **{f"{form} co {of}": f"{form} co {of}" for form in ("se", "ltd", "stiftung") for of in ("kg", "kgaa")},
    "ug haftungsbeschraenkt co kg": "ug co kg",
    "ug co kg": "ug co kg",
    "ag co kgaa": "ag co kgaa",
    "ag co kg": "ag co kg",
    "ug haftungsbeschraenkt": "ug",
    "gesellschaft mit beschraenkter haftung": "gmbh",
    "aktiengesellschaft": "ag",
    **dict.fromkeys(("gesellschaft mbh", "ges mbh", "gesmbh"), "gmbh"),
    **dict.fromkeys(("unternehmergesellschaft haftungsbeschraenkt", "unternehmergesellschaft"), "ug"),
    **dict.fromkeys(("partg mbb", "partgmbb", "partnerschaftsgesellschaft mbb", "partnerschaftsgesellschaft"), "partg"),
    **{form: form for form in ("gug", "egbr", "kdoer", "aoer", "flexco")},
    **{form: form for form in ("partg", "ggmbh", "gmbh", "kgaa", "ohg", "gbr", "ug", "ag", "kg", "se", "eg")},
    "mbh": "gmbh",
    **dict.fromkeys(("e kfm", "e kfr", "ekfm", "ekfr", "e k", "ek"), "ek"),
    **dict.fromkeys(("e v", "ev"), "ev"),
    **dict.fromkeys(("limited", "ltd"), "ltd"),
    **dict.fromkeys(("s a r l", "s a rl", "sa rl"), "sarl"),
    **dict.fromkeys(("sp z o o", "sp z oo", "spzoo"), "sp zoo"),
    **dict.fromkeys(("e u", "eu"), "eu"),
    **{form: form for form in ("plc", "inc", "llc", "corp", "bv", "nv", "sarl", "sas", "srl", "spa", "aps", "sro")},
    **{form: form for form in ("og", "oy", "oyj", "ab", "kft", "doo", "lda", "sl")},
    **dict.fromkeys(("co ltd", "pty ltd", "pte ltd", "pvt ltd"), "ltd"),
    **{form: form for form in ("llp", "sagl", "sasu", "eurl", "snc", "sci", "srls", "slu", "sau", "ltda", "vof")},
    **{form: form for form in ("bvba", "sprl", "asbl", "vzw", "asa", "zrt", "nyrt", "bt", "jdoo", "eood", "ood")},
    **{form: form for form in ("uab", "sia", "vos", "ооо", "еоод")},  # noqa: RUF001
    "oy ab": "oy",
    "oue": "ou",
    "incorporated": "inc",
    "corporation": "corp",
    "spol s ro": "sro",
    **dict.fromkeys(("spolka z oo", "społka z oo"), "sp zoo"),
    **dict.fromkeys(("sp zoo sp k", "sp z oo sp k"), "sp zoo sp k"),
    "sp k": "sp k",
    "sp j": "sp j",
    **dict.fromkeys(("sa de cv", "s a de c v"), "sa de cv"),
    **dict.fromkeys(("s de rl de cv", "s de r l de c v"), "s de rl de cv"),
    **dict.fromkeys(("a s", "as"), "as"),
    "s a": "sa",
    "sa": "sa",
}
# How a legal form is written, where it is not in capitals.
SPELLINGS = {
    **{form: form.upper() for form in LEGAL_FORMS.values()},
    "gmbh": "GmbH",
    "ggmbh": "gGmbH",
    "gug": "gUG (haftungsbeschränkt)",
    "egbr": "eGbR",
    "kdoer": "KdöR",
    "aoer": "AöR",
    "flexco": "FlexCo",
    "gmbh co ohg": "GmbH & Co. OHG",
    **{f"se co {of.lower()}": f"SE & Co. {of}" for of in ("KG", "KGaA")},
    **{f"ltd co {of.lower()}": f"Ltd & Co. {of}" for of in ("KG", "KGaA")},
    **{f"stiftung co {of.lower()}": f"Stiftung & Co. {of}" for of in ("KG", "KGaA")},
    "sagl": "Sagl",
    "srls": "S.r.l.s.",
    "snc": "S.n.c.",
    "slu": "S.L.U.",
    "sau": "S.A.U.",
    "ltda": "Ltda.",
    "vof": "V.O.F.",
    "ou": "OÜ",
    "zrt": "Zrt.",
    "nyrt": "Nyrt.",
    "bt": "Bt.",
    "jdoo": "j.d.o.o.",
    "vos": "v.o.s.",
    "sp zoo sp k": "Sp. z o.o. sp.k.",
    "sp k": "sp.k.",
    "sp j": "sp.j.",
    "sa de cv": "S.A. de C.V.",
    "s de rl de cv": "S. de R.L. de C.V.",
    "gmbh co kg": "GmbH & Co. KG",
    "gmbh co kgaa": "GmbH & Co. KGaA",
    "ug co kg": "UG (haftungsbeschränkt) & Co. KG",
    "ag co kg": "AG & Co. KG",
    "ag co kgaa": "AG & Co. KGaA",
    "ug": "UG (haftungsbeschränkt)",
    "kgaa": "KGaA",
    "gbr": "GbR",
    "partg": "PartG",
    "ek": "e.K.",
    "ev": "e.V.",
    "eg": "eG",
    "eu": "e.U.",
    "ltd": "Ltd",
    "inc": "Inc.",
    "corp": "Corp.",
    "aps": "ApS",
    "sarl": "S.à r.l.",
    "spa": "S.p.A.",
    "srl": "S.r.l.",
    "sa": "S.A.",
    "as": "AS",  # a company in shares of several countries, each of which writes it otherwise
    "sp zoo": "Sp. z o.o.",
    "sro": "s.r.o.",
    "doo": "d.o.o.",
    "kft": "Kft.",
    "oy": "Oy",
    "oyj": "Oyj",
    "bv": "B.V.",
    "nv": "N.V.",
    "lda": "Lda.",
    "sl": "S.L.",
}


_FORMS = "|".join(LEGAL_FORMS)

# Words in lower case, umlauts as digraphs, without dots (e.K.) and signs; without who owns it, whose desk it is, and
# whether it is being founded or wound up.
_WORDS = rf"""
company_words(x) as nullif(trim(regexp_replace(regexp_replace(regexp_replace(
    strip_accents(replace(replace(replace(replace(replace(lower(x), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'),
        '.', '')),
    '[^\p{{L}}\p{{N}}]+', ' ', 'g'),
    '(\S) (inh|inhaber|inhaberin|abt|abteilung) .*$', '\1'),
    ' ({_FORMS}) (i ?g|i ?l|in gruendung|in liquidation) ?$', ' \1')), '')
"""

_LEGAL_FORM = f"""
legal_form_of(words) as map([{_literals(LEGAL_FORMS)}], [{_literals(LEGAL_FORMS.values())}])[
    regexp_extract(' ' || words, ' ({_FORMS})$', 1)]
"""

_STEM = f"""
company_stem(words) as nullif(trim(regexp_replace(' ' || words, ' ({_FORMS})$', '')), '')
"""

_GENERIC = f"""
is_generic(words) as coalesce(
    list_has_all([{_literals(GENERIC_WORDS)}], string_split(company_stem(words), ' ')), false)
"""
