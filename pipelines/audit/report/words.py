"""What the report calls things, in English and German.

Add here the name of a figure, a status or another closed set. Sentences of the page stand in the template, in both
languages side by side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Text:
    """The same said in both languages."""

    en: str
    de: str


def same(text: str) -> Text:
    """A name that is no word of either language."""
    return Text(text, text)


STATUSES = {
    "passed": Text("passed", "erfüllt"),
    "failed": Text("failed", "verletzt"),
    "warned": Text("warned", "verwarnt"),
    "not_applicable": Text("nothing to check", "nichts zu prüfen"),
    "not_run": Text("could not run", "nicht ausführbar"),
}
VERDICTS = {
    "passed": Text("Passed", "Bestanden"),
    "passed_with_warnings": Text("Passed with warnings", "Bestanden mit Warnungen"),
    "refused": Text("Refused", "Zurückgewiesen"),
}
SEVERITIES = {
    "critical": Text("critical", "kritisch"),
    "warning": Text("warning", "Warnung"),
    "info": Text("information", "Hinweis"),
}
STATES = {
    "open": Text("open", "offen"),
    "reopened": Text("reopened", "wieder offen"),
    "accepted": Text("accepted", "hingenommen"),
    "closed": Text("closed", "erledigt"),
}
TRENDS = {
    "new": Text("new", "neu"),
    "rising": Text("rising", "steigend"),
    "falling": Text("falling", "fallend"),
    "steady": Text("steady", "gleich"),
    "gone": Text("mended", "behoben"),
}
DIMENSIONS = {
    "completeness": Text("completeness", "Vollständigkeit"),
    "validity": Text("validity", "Gültigkeit"),
    "uniqueness": Text("uniqueness", "Eindeutigkeit"),
    "consistency": Text("consistency", "Stimmigkeit"),
    "timeliness": Text("timeliness", "Aktualität"),
    "accuracy": Text("accuracy", "Richtigkeit"),
    "integrity": Text("integrity", "Bezüge"),
    "permission": Text("permission", "Erlaubnis"),
}
FIGURES = {
    "customers": Text("Customers", "Kunden"),
    "person_records": Text("Records of persons", "Personensätze"),
    "merged_records": Text("Duplicates merged", "Zusammengeführte Dubletten"),
    "orders": Text("Orders", "Bestellungen"),
    "revenue": Text("Revenue", "Umsatz"),
    "contactable_email": Text("May be contacted by e-mail", "Per E-Mail ansprechbar"),
    "contactable_phone": Text("May be contacted by phone", "Per Telefon ansprechbar"),
    "contactable_post": Text("May be contacted by post", "Per Post ansprechbar"),
    "corrected_values": Text("Values corrected", "Berichtigte Werte"),
    "proposed_corrections": Text("Corrections proposed", "Vorgeschlagene Berichtigungen"),
    "rejected_records": Text("Records rejected", "Abgewiesene Datensätze"),
    "pairs_to_review": Text("Pairs to decide about", "Zu entscheidende Paare"),
}
# Scopes of the scorecard that are not sources.
SCOPES = {
    "audit": Text("rules, against the last version", "Regeln, gegen die letzte Version"),
    "raw": Text("deliveries", "Lieferungen"),
    "staging": Text("deliveries, as read", "Lieferungen, wie gelesen"),
    "clean": Text("cleaned records", "Bereinigte Datensätze"),
    "identity": Text("who is who", "Wer ist wer"),
    "marts": Text("unified customers", "Vereinte Kunden"),
    "activation": Text("audiences", "Zielgruppen"),
    "meta": Text("figures, profiles, columns", "Kennzahlen, Profile, Spalten"),
}
CHANNELS = {
    "email": Text("e-mail", "E-Mail"),
    "sms": same("SMS"),
    "messenger": Text("messenger", "Messenger"),
    "phone": Text("phone", "Telefon"),
    "post": Text("post", "Post"),
    "ad_platform": Text("ad platforms", "Werbeplattformen"),
}
FIELDS = {
    "salutation": Text("salutation", "Anrede"),
    "title": Text("title", "Titel"),
    "full_name": Text("full name", "ganzer Name"),
    "first_name": Text("first name", "Vorname"),
    "last_name": Text("last name", "Nachname"),
    "birth_date": Text("birth date", "Geburtsdatum"),
    "email": Text("e-mail", "E-Mail"),
    "phone": Text("phone", "Telefon"),
    "mobile": Text("mobile", "Mobil"),
    "street": Text("street", "Straße"),
    "house_number": Text("house number", "Hausnummer"),
    "postal_code": Text("postal code", "Postleitzahl"),
    "city": Text("city", "Ort"),
    "region": Text("region", "Region"),
    "country": Text("country", "Land"),
    "company_name": Text("company", "Firma"),
    "legal_form": Text("legal form", "Rechtsform"),
    "vat_id": Text("VAT id", "USt-IdNr."),
    "register_number": Text("register number", "Registernummer"),
    "name": Text("name of a company", "Firmenname"),
    "job_title": Text("job title", "Position"),
    "lead_source": Text("lead source", "Herkunft"),
    "gender": Text("gender", "Geschlecht"),
    "language": Text("language", "Sprache"),
    "value": Text("contact method", "Kontaktweg"),
}
PERMISSIONS = {
    "granted": Text("granted", "erteilt"),
    "requested": Text("requested", "angefragt"),
    "withdrawn": Text("withdrawn", "widerrufen"),
    "objected": Text("objected", "widersprochen"),
    "not_objected": Text("not objected", "nicht widersprochen"),
    "unproven": Text("unproven", "unbelegt"),
    "expired": Text("expired", "abgelaufen"),
}
PURPOSES = {"advertising": Text("advertising", "Werbung"), "service": same("Service")}
CAUSES = {
    "data": Text("Data", "Daten"),
    "configuration": Text("Configuration", "Konfiguration"),
    "rules": Text("Rules", "Regeln"),
    "model": Text("Model", "Modell"),
    "software": Text("Software", "Software"),
}

OWNERS = {
    "CRM team": Text("CRM team", "CRM-Team"),
    "data engineering": Text("data engineering", "Datentechnik"),
    "data protection": Text("data protection", "Datenschutz"),
    "finance": Text("finance", "Finanzen"),
    "marketing": Text("marketing", "Marketing"),
    "sales team": Text("sales team", "Vertrieb"),
    "shop team": Text("shop team", "Shop-Team"),
    "support team": Text("support team", "Support-Team"),
    "web team": Text("web team", "Web-Team"),
}
METHODS = {
    "exact": Text("exact", "sicher"),
    "probabilistic": Text("probabilistic", "nach Wahrscheinlichkeit"),
    "override": Text("people", "Menschen"),
}
DECISIONS = {
    "in_force": Text("in force", "in Kraft"),
    "contradicted": Text("contradicted", "von anderen widerlegt"),
    "broken": Text("does not hold", "gilt nicht"),
    "stale": Text("names a record that is gone", "nennt einen Satz, den es nicht mehr gibt"),
    "inactive": Text("expired, or decided anew", "abgelaufen oder neu entschieden"),
}


def _name(germans: dict[str, str]) -> dict[str, Text]:
    """What English says as it is: the names of rules and reasons, whose words are joined by underscores."""
    return {name: Text(name.replace("_", " "), german) for name, german in germans.items()}


LINKS = _name(
    {
        "cannot_link": "von Menschen getrennt",
        "crowd": "zu viele Schreibweisen",
        "must_link": "von Menschen verbunden",
        "name_only": "nur der Name gemeinsam",
        "open_generation": "Generation ungewiss",
        "blocked_value": "Wert gilt nicht als Beleg",
        "cluster_disagrees": "Gruppe widerspricht",
        "cluster_has_different_birth_dates": "Gruppe hat andere Geburtsdaten",
        "cluster_has_different_first_names": "Gruppe hat andere Vornamen",
        "cluster_has_different_generations": "Gruppe hat andere Generationen",
        "cluster_has_nothing_in_common": "nichts als der Name gemeinsam",
        "different_birth_dates": "andere Geburtsdaten",
        "different_first_names": "andere Vornamen",
        "different_generations": "andere Generationen",
        "different_last_names": "andere Nachnamen",
        "family_only": "nur dieselbe Familie",
        "fits_several": "passt zu mehreren",
        "merged_in_source": "in der Quelle zusammengeführt",
        "numbered_mailboxes": "Postfächer mit anderer Nummer",
        "only_fit": "passt nur hier",
        "other_details": "eigene Postfächer und Telefone",
        "same_details": "dieselben Angaben",
        "same_email_and_first_name": "dieselbe E-Mail-Adresse und derselbe Vorname",
        "same_email_and_name": "dieselbe E-Mail-Adresse und derselbe Name",
        "same_email_without_name": "dieselbe E-Mail-Adresse, ohne Namen",
        "same_identifier": "dieselbe Nummer",
        "same_name_and_address": "derselbe Name und dieselbe Anschrift",
        "same_name_birth_date_and_postal_code": "derselbe Name, Geburtstag und dieselbe Postleitzahl",
        "same_names_and_birth_date": "dieselben Namen, anders geteilt oder nicht, und derselbe Geburtstag",
        "same_order": "dieselbe Bestellung",
        "same_phone_and_name": "dieselbe Telefonnummer und derselbe Name",
        "same_phone_without_name": "dieselbe Telefonnummer, ohne Namen",
        "shared_by_several_names": "von mehreren Namen geteilt",
        "too_little": "zu wenig Beleg",
        "too_many_birth_dates": "zu viele Geburtsdaten",
        "too_many_names": "zu viele Namen",
    }
)
LINKS["splink"] = Text("weighed field by field", "Gewicht aller Merkmale")
CORRECTIONS = _name(
    {
        "attention_in_first_name": "zu Händen im Vornamen",
        "attention_in_full_name": "zu Händen im vollen Namen",
        "attention_in_last_name": "zu Händen im Nachnamen",
        "birth_date_day_month_swapped": "Tag und Monat vertauscht",
        "birth_date_in_future": "Geburtsdatum in der Zukunft",
        "birth_date_placeholder": "erfundenes Geburtsdatum",
        "birth_date_too_early": "Geburtsdatum zu früh",
        "city_casing": "Großschreibung des Ortes",
        "city_from_postal_code": "Ort aus der Postleitzahl",
        "city_of_other_postal_code": "Ort einer anderen Postleitzahl",
        "city_out_of_postal_code": "Ort in der Postleitzahl",
        "city_spelling": "Schreibweise des Ortes",
        "city_typo": "Tippfehler im Ort",
        "company_from_first_name": "Firma im Vornamen",
        "company_from_full_name": "Firma im vollen Namen",
        "company_from_last_name": "Firma im Nachnamen",
        "country_from_postal_code": "Land in der Postleitzahl",
        "country_normalized": "Ländercode",
        "country_unknown": "unbekanntes Land",
        "degree_from_first_name": "Abschluss im Vornamen",
        "degree_from_full_name": "Abschluss im vollen Namen",
        "degree_from_last_name": "Abschluss im Nachnamen",
        "email_domain_typo": "Tippfehler im Anbieter",
        "email_ending_typo": "Tippfehler in der Endung",
        "email_filled_in": "Platzhalter im Namen der Adresse",
        "email_in_text": "Adresse in anderem Text",
        "email_invalid": "keine E-Mail-Adresse",
        "email_known_typo": "bekannter Tippfehler",
        "email_lower_case": "Kleinschreibung",
        "email_placeholder": "Platzhalter",
        "email_separators": "Trennzeichen in der Adresse",
        "email_wrapping": "Zeichen um die Adresse",
        "first_name_before_comma": "Zusatz nach dem Vornamen",
        "first_name_casing": "Großschreibung des Vornamens",
        "first_name_holds_both": "voller Name im Vornamen",
        "first_name_holds_last_first": "Nachname, Vorname im Vornamen",
        "first_name_typo": "Tippfehler im Vornamen",
        "first_name_typo_by_email": "Tippfehler im Vornamen, nach der E-Mail-Adresse",
        "full_name_before_comma": "Zusatz nach dem vollen Namen",
        "full_name_in_capitals": "Nachname in Großbuchstaben",
        "full_name_in_signs": "Name in Schriftzeichen getrennt",
        "full_name_is_first_name": "nur ein Vorname",
        "full_name_is_last_name": "voller Name ist nur ein Nachname",
        "full_name_last_first": "Nachname, Vorname getrennt",
        "full_name_particle_is_first_name": "Namenszusatz ist der Vorname",
        "full_name_split": "voller Name getrennt",
        "full_name_suffix": "Namenszusatz hinter dem Komma",
        "gender_normalized": "Schreibweise des Geschlechts",
        "gender_unknown": "unbekanntes Geschlecht",
        "house_number_in_front": "Hausnummer vor der Straße",
        "house_number_split": "Hausnummer getrennt",
        "language_normalized": "Sprachcode",
        "language_unknown": "unbekannte Sprache",
        "last_name_before_comma": "Zusatz nach dem Nachnamen",
        "last_name_casing": "Großschreibung des Nachnamens",
        "last_name_holds_both": "voller Name im Nachnamen",
        "last_name_holds_last_first": "Nachname, Vorname im Nachnamen",
        "legal_form_from_name": "Rechtsform im Firmennamen",
        "legal_form_spelling": "Schreibweise der Rechtsform",
        "misread_characters": "falsch gelesene Zeichen",
        "name_casing": "Großschreibung des Namens",
        "names_swapped": "Vor- und Nachname vertauscht",
        "names_swapped_likely": "Vor- und Nachname wohl vertauscht",
        "no_name": "kein Name",
        "phone_e164": "internationale Schreibweise",
        "phone_invalid": "keine Telefonnummer",
        "phone_placeholder": "Platzhalter",
        "placeholder": "Platzhalter",
        "post_box_spelling": "Schreibweise des Postfachs",
        "postal_code_format": "Schreibweise der Postleitzahl",
        "postal_code_invalid": "keine Postleitzahl",
        "postal_code_leading_zero": "fehlende Null der Postleitzahl",
        "postal_code_of_country": "Postleitzahl eines anderen Landes",
        "postal_code_of_other_city": "Postleitzahl eines anderen Ortes",
        "postal_code_or_city_wrong": "Postleitzahl oder Ort falsch",
        "postal_code_out_of_city": "Postleitzahl im Ort",
        "remark_in_full_name": "Vermerk im vollen Namen",
        "remark_in_last_name": "Vermerk im Nachnamen",
        "salutation_behind_first_name": "Anrede hinter dem Vornamen",
        "salutation_behind_full_name": "Anrede hinter dem vollen Namen",
        "salutation_behind_last_name": "Anrede hinter dem Nachnamen",
        "salutation_behind_only_name": "Anrede hinter dem einzigen Namen",
        "salutation_from_first_name": "Anrede im Vornamen",
        "salutation_from_full_name": "Anrede im vollen Namen",
        "salutation_from_last_name": "Anrede im Nachnamen",
        "salutation_spelling": "Schreibweise der Anrede",
        "stray_characters": "überzählige Zeichen",
        "stray_comma_in_first_name": "überzähliges Komma im Vornamen",
        "stray_comma_in_full_name": "überzähliges Komma im vollen Namen",
        "stray_comma_in_last_name": "überzähliges Komma im Nachnamen",
        "street_casing": "Großschreibung der Straße",
        "street_spelling": "Schreibweise der Straße",
        "title_from_first_name": "Titel im Vornamen",
        "title_from_full_name": "Titel im vollen Namen",
        "title_from_last_name": "Titel im Nachnamen",
        "title_from_salutation": "Titel in der Anrede",
        "title_spelling": "Schreibweise des Titels",
        "vat_id_checksum": "Prüfziffer der USt-IdNr.",
        "vat_id_country": "Land der USt-IdNr.",
        "vat_id_format": "Schreibweise der USt-IdNr.",
        "vat_id_without_number": "USt-IdNr. ohne Nummer",
    }
)


_REJECTIONS = {
    "impossible date": "unmögliches Datum",
    "number out of range or in another notation": "Zahl zu groß oder in anderer Schreibweise",
}
_DELIVERED = {"number": "Zahl", "date": "Datum", "text": "Text"}
_WANTED = {
    "a whole number": "einer ganzen Zahl",
    "a number": "einer Zahl",
    "true or false": "wahr oder falsch",
    "a date": "eines Datums",
    "a date and time": "eines Zeitpunkts",
    "JSON": "JSON",
}


def rejection(reason: str) -> Text:
    """Why a record was rejected at landing, as the landing says it: what was wrong, after the name of its column."""
    column, colon, what = reason.rpartition(": ")
    delivered, _, wanted = what.partition(" instead of ")
    if what in _REJECTIONS:
        return Text(reason, f"{column}{colon}{_REJECTIONS[what]}")
    if delivered in _DELIVERED and wanted in _WANTED:
        return Text(reason, f"{column}{colon}{_DELIVERED[delivered]} statt {_WANTED[wanted]}")
    return same(reason)


_NOTE = re.compile(r"(\d+) of (\d+) versions of this weekday")


def note(said: str) -> Text:
    """What a result says beside its counts."""
    return Text(said, _NOTE.sub(r"\1 von \2 Versionen dieses Wochentags", said))


def word(words: dict[str, Text], name: str) -> Text:
    """The words for a member of a set, or the name itself, made readable."""
    return words.get(name) or same(name.replace("_", " "))
