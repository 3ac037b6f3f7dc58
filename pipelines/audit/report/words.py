"""What the report calls things, in English and German.

Add here the name of a figure, a status or another closed set. Sentences of the page stand in the template, in both
languages side by side.
"""

from __future__ import annotations

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
    "raw": Text("deliveries", "Lieferungen"),
    "staging": Text("deliveries, as read", "Lieferungen, wie gelesen"),
    "clean": Text("cleaned records", "Bereinigte Datensätze"),
    "identity": Text("who is who", "Wer ist wer"),
    "marts": Text("unified customers", "Vereinte Kunden"),
    "activation": Text("audiences", "Zielgruppen"),
    "meta": Text("register of columns", "Spaltenverzeichnis"),
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
    "country": Text("country", "Land"),
    "company_name": Text("company", "Firma"),
    "legal_form": Text("legal form", "Rechtsform"),
    "vat_id": Text("VAT id", "USt-IdNr."),
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


def word(words: dict[str, Text], name: str) -> Text:
    """The words for a member of a set, or the name itself, made readable."""
    return words.get(name) or same(name.replace("_", " "))
