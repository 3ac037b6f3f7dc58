"""Words that systems use for our columns and records, for proposing a mapping. German and English.

Add a word here that a file in practice used. Words are written without case, blanks, hyphens and accents (`fold_word`).
"""

from __future__ import annotations

import re
import unicodedata

COLUMN_WORDS: dict[str, str] = {
    "salutation": "anrede",
    "title": "titel",
    "first_name": "vorname vname givenname forename billfirstname buyerfirstname fname",
    "last_name": "nachname nname familienname zuname surname familyname lname",
    "full_name": (
        "name displayname customername kundenname namegesamt holder inhaber requestername contactname username "
        "vorundnachname"
    ),
    "email": "mail emailadresse emailaddress mailadresse kundenmail buyermail recipient emailprivat",
    "phone": (
        "telefon tel fon telefonnummer phonenumber rufnummer festnetz telephone telefonprivat telnr phone1 "
        "customerphone requesterphone contactphone billingphone"
    ),
    "mobile": "mobil handy mobilnummer mobiltelefon mobiletel mobilephone cell cellphone handynr mobilfunk",
    "street": (
        "strasse str anschrift adresse address address1 addressline1 strassehausnr strasseundhausnummer strassenr"
    ),
    "postal_code": "plz postleitzahl zip zipcode postcode zippostalcode postalzip",
    "city": "ort stadt town wohnort stadtort locality",
    "region": "bundesland state province kanton county",
    "country": "land countrycode laendercode",
    "birth_date": "geburtsdatum geburtstag gebdat birthdate birthday dateofbirth dob born gebdatum birth",
    "is_deceased": "verstorben deceased",
    "is_test": "testkunde testdatensatz",
    "gender": "geschlecht sex",
    "language": "sprache locale",
    "company_record_id": "firmennr firmennummer companyid companyno",
    "company_name": "firma company unternehmen firmenname",
    "job_title": "position beruf funktion",
    "vat_id": "ustidnr ustid uidnr uid vatno vatnumber umsatzsteueridnr taxid",
    "domain": "website webseite homepage web url internet",
    "employee_count": "mitarbeiter mitarbeiterzahl mitarbeiteranzahl employees headcount",
    "industry": "branche sector",
    "legal_form": "rechtsform",
    "register_number": "registernummer hrb handelsregister",
    "accepts_marketing": "newsletter marketing werbung",
    "customer_record_id": "kundennr kundennummer kdnr customerid customerno customernumber clientid",
    "contact_record_id": "kontaktnr kontaktnummer contactid contactno crmno crmid",
    "requester_record_id": "requester requesterid",
    "order_record_id": (
        "bestellnr bestellnummer bestnr auftragsnr orderid orderno ordernumber receipt auftragsnummer bestellid"
    ),
    "order_line_record_id": "posnr positionsnr lineid lineno",
    "product_record_id": "artikelnr artikelnummer artnr productid productno article",
    "sku": "artikelcode",
    "ordered_at": (
        "bestelldatum bestelltam orderdate datum date placedat soldat sold auftragsdatum kaufdatum purchasedate"
    ),
    "delivered_at": "lieferdatum geliefertam zugestelltam deliverydate delivered",
    "cancelled_at": "storniertam stornodatum canceledat cancelled",
    "paid_at": "bezahltam zahldatum zahlungsdatum paymentdate paid",
    "shipping_postal_code": "shippingzip lieferplz shipzip shippingpostcode",
    "shipping_city": "lieferort shipcity",
    "shipping_street": "lieferstrasse shipstreet shippingaddress",
    "shipping_country": "lieferland shipcountry",
    "billing_postal_code": "billingzip rechnungsplz billzip billingpostcode",
    "billing_city": "rechnungsort billcity",
    "billing_street": "rechnungsstrasse billstreet billingaddress",
    "billing_country": "rechnungsland billcountry",
    "payment_status": "zahlungsstatus zahlstatus",
    "returned_at": "retourdatum returndate",
    "invoiced_at": "rechnungsdatum invoicedate",
    "status": "stand zustand state",
    "currency": "waehrung currencycode",
    "items_amount": "warenwert itemstotal subtotal",
    "discount_amount": "rabatt discount discounttotal reduction",
    "shipping_amount": "versand versandkosten shipping shippingcost freight",
    "tax_amount": "mwst ust steuer tax vat taxtotal",
    "tax_rate": "mwstsatz vatrate vatpercent taxrate",
    "total_amount": (
        "gesamt gesamtbetrag summe total grandtotal brutto gesamtsumme endbetrag amounttotal totalprice rechnungsbetrag"
    ),
    "amount": "betrag volumen",
    "quantity": "menge anzahl qty pieces stueck stk",
    "unit_amount": "einzelpreis preis price unitprice",
    "unit_cost_amount": "ek einkaufspreis unitcost",
    "list_amount": "vk verkaufspreis listprice",
    "cost_amount": "kosten cost",
    "name": "bezeichnung titel title",
    "brand": "marke",
    "category": "kategorie warengruppe gruppe topic",
    "priority": "prioritaet",
    "channel": "kanal via saleschannel",
    "subject": "betreff",
    "kind": "art typ",
    "method": "verfahren",
    "requested_at": "angefragtam requested",
    "given_at": "erteiltam optinam",
    "confirmed_at": "bestaetigtam confirmed",
    "withdrawn_at": "widerrufenam unsubscribed optoutam",
    "solved_at": "geloestam solved closedat",
    "created_at": (
        "angelegtam erstelltam erstellt created createdate createdon registeredat neu createddate "
        "datecreated erstellungsdatum erstelldatum anlagedatum anlagedat angelegt registrierungsdatum "
        "kundeseit signupdate joined"
    ),
    "updated_at": (
        "geaendertam updated modified changedat lastmodified lastmodifieddate modifiedon upd aenderungsdatum "
        "geaendert letzteaenderung lastupdated lastupdate lastchanged modifieddate"
    ),
    "deleted_at": "geloeschtam deleted",
}
RECORD_WORDS: dict[str, str] = {
    "contacts": "contact kontakt kontakte ansprechpartner persons personen leads",
    "companies": "company firma firmen unternehmen accounts",
    "permissions": "permission einwilligung einwilligungen consents optins",
    "deals": "deal vorgaenge opportunities",
    "customers": "customer kunde kunden kundenliste",
    "orders": "order bestellung bestellungen auftraege sales",
    "order_lines": "orderlines lines positionen lineitems items receiptlines",
    "returns": "return retoure retouren refunds",
    "products": "product produkte artikel articles",
    "users": "user requesters",
    "tickets": "ticket cases anfragen",
    "ratings": "rating bewertungen csat",
    "invoices": "invoice rechnung rechnungen",
    "campaigns": "campaign kampagnen mailings",
    "touches": "messages sendings",
    "events": "event webevents hits",
}
# What a column of record numbers is called.
ID_WORD = re.compile(r"(id|nr|no|number|nummer|key|uuid)$")


def fold_word(text: str) -> str:
    """`Straße-Nr.` as `strassenr`."""
    lower = text.lower()
    for letter, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        lower = lower.replace(letter, pair)
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if c.isascii() and c.isalnum())


def words_for(canonical: str, words: dict[str, str]) -> set[str]:
    return {fold_word(canonical), *words.get(canonical, "").split()}
