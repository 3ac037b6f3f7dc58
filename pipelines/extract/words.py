"""Words that systems use for our columns and records, for proposing a mapping. German and English.

Add a word here that a file in practice used. Words are written without case, blanks, hyphens and accents (`fold_word`).
"""

from __future__ import annotations

import re
import unicodedata

# What a column of ours is called; with `entity.` before it, in these records only. `line_amount` and
# `house_number` are none of ours.
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
        "customerphone requesterphone contactphone billingphone telprivat phoneno telephoneno telephonenumber "
        "telno telefonnr"
    ),
    "mobile": (
        "mobil handy mobilnummer mobiltelefon mobiletel mobilephone cell cellphone handynr mobilfunk telmobil "
        "mobileno mobilenumber mobilenr cellnumber"
    ),
    "street": (
        "strasse str anschrift adresse address address1 addressline1 strassehausnr strasseundhausnummer strassenr "
        "streetaddress streetname street1 addr addr1"
    ),
    "postal_code": "plz postleitzahl zip zipcode postcode zippostalcode postalzip zipcodeprefix",
    "city": "ort stadt town wohnort stadtort locality",
    "region": "bundesland state province kanton county statecode stateprovince",
    "country": "land countrycode laendercode",
    "birth_date": "geburtsdatum geburtstag gebdat birthdate birthday dateofbirth dob born gebdatum birth",
    "is_deceased": "verstorben deceased",
    "is_test": "testkunde testdatensatz",
    "gender": "geschlecht sex",
    "language": "sprache locale",
    "company_record_id": "firmennr firmennummer companyid companyno account accountid accountname",
    "company_name": "firma company unternehmen firmenname",
    "job_title": "position beruf funktion",
    "vat_id": "ustidnr ustid uidnr uid vatno vatnumber umsatzsteueridnr taxid",
    "domain": "website webseite homepage web url internet",
    "employee_count": "mitarbeiter mitarbeiterzahl mitarbeiteranzahl employees headcount",
    "industry": "branche sector",
    "legal_form": "rechtsform",
    "register_number": "registernummer hrb handelsregister",
    "accepts_marketing": "newsletter marketing werbung",
    "customer_record_id": (
        "kundennr kundennummer kdnr customerid customerno customernumber clientid clientref customerref clientno "
        "clientnumber custid custno buyerid"
    ),
    "contact_record_id": (
        "kontaktnr kontaktnummer contactid contactno crmno crmid kundennr kundennummer kdnr customerid customerno "
        "customernumber clientid userid"
    ),
    "requester_record_id": (
        "requester requesterid kundennr kundennummer kdnr customerid customerno customernumber clientid userid"
    ),
    "order_record_id": (
        "bestellnr bestellnummer bestnr auftragsnr orderid orderno ordernumber receipt auftragsnummer bestellid "
        "bestellung auftrag order orderref salesref ordernr"
    ),
    "order_line_record_id": "posnr positionsnr lineid lineno",
    "product_record_id": (
        "artikelnr artikelnummer artnr productid productno article stockcode itemcode itemno itemid itemnumber "
        "productcode articleno articleid sku asin articlenumber articlecode productref"
    ),
    "sku": "artikelcode barcode ean gtin upc",
    "ordered_at": (
        "bestelldatum bestelltam orderdate datum date placedat soldat sold auftragsdatum kaufdatum purchasedate "
        "orderedon placedon dateordered"
    ),
    "delivered_at": (
        "lieferdatum geliefertam zugestelltam deliverydate delivered deliveredcustomerdate delivereddate "
        "deliveredon datedelivered"
    ),
    "cancelled_at": "storniertam stornodatum canceledat cancelled",
    "paid_at": "bezahltam zahldatum zahlungsdatum paymentdate paid",
    "shipping_postal_code": "shippingzip lieferplz shipzip shippingpostcode shippostalcode",
    "shipping_city": "lieferort shipcity",
    "shipping_street": "lieferstrasse shipstreet shippingaddress shipaddress",
    "shipping_country": "lieferland shipcountry",
    "billing_postal_code": "billingzip rechnungsplz billzip billingpostcode",
    "billing_city": "rechnungsort billcity",
    "billing_street": "rechnungsstrasse billstreet billingaddress",
    "billing_country": "rechnungsland billcountry",
    "payment_status": "zahlungsstatus zahlstatus",
    "returned_at": "retourdatum returndate",
    "invoiced_at": "rechnungsdatum invoicedate",
    "status": "stand zustand",
    "orders.status": "orderstate orderstatus",
    "tickets.status": "state",
    "deals.stage": "state phase status",
    "currency": "waehrung currencycode",
    "items_amount": "warenwert itemstotal subtotal",
    "discount_amount": "rabatt discount discounttotal reduction rebate nachlass",
    "shipping_amount": "versand versandkosten shipping shippingcost freight",
    "tax_amount": "mwst ust steuer tax vat taxtotal",
    "tax_rate": "mwstsatz vatrate vatpercent taxrate mwstsatzprozent ustsatz steuersatz",
    "total_amount": (
        "gesamt gesamtbetrag summe total grandtotal brutto gesamtsumme endbetrag amounttotal totalprice "
        "rechnungsbetrag ordervalue ordertotal grosstotal totalvalue"
    ),
    "amount": "betrag volumen",
    "quantity": "menge anzahl qty pieces stueck stk orderedquantity orderqty units",
    "unit_amount": "einzelpreis preis price unitprice einzelpreisnetto nettopreis priceperpiece priceperunit itemprice",
    "unit_cost_amount": "ek einkaufspreis unitcost",
    "list_amount": "vk verkaufspreis listprice rrp msrp uvp retailprice sellingprice",
    "cost_amount": "kosten cost costprice purchaseprice einkaufspreis",
    "name": "bezeichnung titel title",
    "brand": "marke manufacturer hersteller",
    "category": "kategorie warengruppe gruppe topic categoryname productgroup productcategory range",
    "order_lines.order_record_id": (
        "invoiceno invoice invoicenumber invoiceid rechnungsnr rechnungsnummer belegnr belegnummer bonnr "
        "transactionid receiptno receiptid"
    ),
    "orders.ordered_at": (
        "invoicedate rechnungsdatum orderpurchasetimestamp purchasetimestamp transactiondate belegdatum"
    ),
    "line_amount": (
        "lineamount linetotal sales amount total revenue umsatz betrag gesamtpreis positionsbetrag zeilensumme "
        "lineprice gesamtnetto nettobetrag"
    ),
    "products.name": (
        "description productname artikelname artikelbezeichnung beschreibung artikel produkt product item itemname "
        "produktname articlename itemdescription"
    ),
    "score": "rating stars sterne note punkte bewertung",
    "comment": "kommentar commentmessage commenttext feedback",
    "rated_at": "bewertetam ratingdate reviewdate surveydate creationdate",
    "priority": "prioritaet",
    "channel": "kanal via saleschannel",
    "subject": "betreff",
    "kind": "art typ",
    "method": "verfahren",
    "requested_at": "angefragtam requested",
    "given_at": "erteiltam optinam",
    "confirmed_at": "bestaetigtam confirmed",
    "withdrawn_at": "widerrufenam unsubscribed optoutam abmeldedatum abgemeldetam unsubscribedate optoutdate austritt",
    "solved_at": "geloestam solved closedat erledigtam resolvedat closedon",
    "created_at": (
        "angelegtam erstelltam erstellt created createdate createdon registeredat neu createddate datecreated "
        "erstellungsdatum erstelldatum anlagedatum anlagedat angelegt registrierungsdatum kundeseit signupdate "
        "joined subscriptiondate"
    ),
    "updated_at": (
        "geaendertam updated modified changedat lastmodified lastmodifieddate modifiedon upd aenderungsdatum "
        "geaendert letzteaenderung lastupdated lastupdate lastchanged modifieddate"
    ),
    "deleted_at": "geloeschtam deleted",
    "companies.name": "account accountname organisation organization organizationname",
    "deals.amount": "closevalue dealvalue value wert auftragswert",
    "deals.closed_at": "closedate closed abschlussdatum",
    "deals.created_at": "engagedate",
    "owner": "salesagent salesrep verkaeufer vertriebsmitarbeiter betreuer",
    "tickets.created_at": "datum date eingangsdatum eingangam gemeldetam reportedat openedat",
    "products.list_amount": "unitprice price preis",
    "house_number": "hausnr hausnummer houseno housenumber streetnumber streetno",
}
# What a record of ours is called.
RECORD_WORDS: dict[str, str] = {
    "contacts": "contact kontakt kontakte ansprechpartner persons personen leads",
    "companies": "company firma firmen unternehmen accounts",
    "permissions": (
        "permission einwilligung einwilligungen consents optins abmeldungen anmeldungen optouts unsubscribes "
        "newsletterabmeldungen"
    ),
    "deals": "deal vorgaenge opportunities pipeline salespipeline opportunity",
    "customers": "customer kunde kunden kundenliste client clients buyer buyers",
    "orders": "order bestellung bestellungen auftraege sales",
    "order_lines": (
        "orderlines orderline lines positionen lineitems orderitems orderitem items receiptlines orderdetails "
        "umsatzpositionen belegpositionen"
    ),
    "returns": "return retoure retouren refunds",
    "products": "product produkte artikel articles stockitems inventory catalogue",
    "users": "user requesters",
    "tickets": "ticket cases anfragen reklamation reklamationen beschwerden servicefaelle",
    "ratings": "rating bewertung bewertungen csat nps review reviews survey surveys umfrage",
    "invoices": "invoice rechnung rechnungen",
    "campaigns": "campaign kampagnen mailings",
    "touches": "messages sendings",
    "events": "event webevents hits",
}
# Words that systems have for the states of ours: per column, our word to theirs.
STATE_WORDS: dict[str, dict[str, str]] = {
    "orders.status": {
        "cancelled": "canceled storniert storno abgebrochen annulliert void voided",
        "delivered": "completed complete abgeschlossen geliefert zugestellt fulfilled",
        "open": "pending offen onhold unpaid ausstehend",
    },
    "tickets.status": {
        "new": "neu",
        "open": "offen active inprogress inbearbeitung wiedereroeffnet reopened",
        "pending": "wartend waiting pendingcustomerresponse rueckfrage",
        "hold": "onhold angehalten zurueckgestellt",
        "solved": "geloest resolved erledigt done behoben",
        "closed": "geschlossen abgeschlossen",
    },
    "tickets.priority": {
        "urgent": "critical dringend kritisch sehrhoch blocker highest p1",
        "high": "hoch major p2",
        "normal": "medium mittel standard p3",
        "low": "niedrig gering minor lowest p4",
    },
}
# What a column of record numbers is called.
ID_WORD = re.compile(r"(id|nr|no|number|nummer|key|uuid|ref|(item|article|product|customer|client|order)code)$")


def fold_word(text: str) -> str:
    """`Straße-Nr.` as `strassenr`."""
    lower = text.lower()
    for letter, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        lower = lower.replace(letter, pair)
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if c.isascii() and c.isalnum())


def words_for(canonical: str, words: dict[str, str], entity: str = "") -> set[str]:
    """Words for one of ours, folded; `entity` adds those that only its records have."""
    return {fold_word(canonical), *words.get(canonical, "").split(), *words.get(f"{entity}.{canonical}", "").split()}
