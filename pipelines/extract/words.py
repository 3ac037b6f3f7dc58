"""Words that systems use for our columns and records, for proposing a mapping.

German, English, Dutch, French, Spanish, Italian and Polish. Add a word here that a file in practice used. Words are
written without case, blanks, hyphens and accents (`fold_word`). Numbers of records (`Numéro de commande`) and addresses
of orders (`Billing Zip`) need no entry: they are put together from the words for the record and for the parts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# What a column of ours is called; with `entity.` before it, in these records only. `line_amount` and
# `house_number` are none of ours.
COLUMN_WORDS: dict[str, str] = {
    "salutation": "anrede aanhef civilite tratamiento appellativo prefix salutationkey salutationsalutationkey zwrot",
    "title": "titel akademischertitel",
    "first_name": (
        "vorname vname givenname forename billfirstname buyerfirstname fname voornaam prenom imie contactfirstname "
        "roepnaam"
    ),
    "last_name": (
        "nachname nname familienname zuname surname familyname lname achternaam nomdefamille nazwisko apellido "
        "apellidos cognome contactlastname"
    ),
    "full_name": (
        "name displayname customername kundenname namegesamt holder inhaber requestername contactname username "
        "vorundnachname naam nom nombre nome volledigenaam nomcomplet nomprenom nombrecompleto nombreyapellidos "
        "nomecompleto nomecognome cognomenome nomeecognome imieinazwisko vollstaendigername ansprechpartner "
        "imienazwisko"
    ),
    "email": (
        "mail emailadresse emailaddress mailadresse kundenmail buyermail recipient emailprivat emailadres courriel "
        "adresseemail adressemail adresemail correoelectronico correo indirizzoemail direccionemail postaelettronica "
        "emailaddressprimary"
    ),
    "phone": (
        "telefon tel fon telefonnummer phonenumber rufnummer festnetz telephone telefonprivat telnr phone1 "
        "customerphone requesterphone contactphone billingphone telprivat phoneno telephoneno telephonenumber telno "
        "telefonnr telefoonnummer telefoon numerodetelephone telephonefixe telefono numerodetelefono numeroditelefono "
        "numertelefonu nrtelefonu telefonodeltrabajo telefonofisso numerotelefono vastenummer"
    ),
    "mobile": (
        "mobil handy mobilnummer mobiltelefon mobiletel mobilephone cell cellphone handynr mobilfunk telmobil mobileno "
        "mobilenumber mobilenr cellnumber mobiel mobielnummer mobielenummer mobieltelefoon gsm portable "
        "telephonemobile telephoneportable telefonkomorkowy komorka telefonomovil movil cellulare telefonocellulare "
        "mobilephonenumber phonemobile mobiltelefonnummer telefonmobil sms smsnumber whatsapp"
    ),
    "street": (
        "strasse str anschrift adresse address address1 addressline1 strassehausnr strasseundhausnummer strassenr "
        "streetaddress streetname street1 addr addr1 straat straatnaam adres rue adressepostale ulica ulicainumer "
        "direccion calle domicilio indirizzo via adressezeile1 strasse1 address12 adres1 adresse1 direccion1 "
        "indirizzo1 straatenhuisnummer straathuisnummer"
    ),
    "postal_code": (
        "plz postleitzahl zip zipcode postcode zippostalcode postalzip zipcodeprefix codepostal cp kodpocztowy kod "
        "codigopostal codicepostale cap postnummer"
    ),
    "city": (
        "ort stadt town wohnort stadtort locality woonplaats plaats plaatsnaam gemeente ville commune localite miasto "
        "miejscowosc ciudad poblacion localidad citta comune localita plzort"
    ),
    "region": (
        "bundesland state province kanton county statecode stateprovince provincie departement wojewodztwo provincia "
        "comunidadautonoma regione regioncode"
    ),
    "country": (
        "land countrycode laendercode pays kraj pais paese nazione landcode countryid countryname countryregion "
        "landregion laenderkennzeichen codepays codigopais kodkraju staat laenderkuerzel"
    ),
    "birth_date": (
        "geburtsdatum geburtstag gebdat birthdate birthday dateofbirth dob born gebdatum birth geboortedatum "
        "datedenaissance datenaissance dataurodzenia fechadenacimiento fechanacimiento datadinascita datanascita "
        "birthdat"
    ),
    "is_deceased": "verstorben deceased overleden decede zmarly fallecido deceduto",
    "is_test": "testkunde testdatensatz",
    "gender": "geschlecht sex geslacht sexe plec sexo genero sesso genre",
    "language": "sprache locale taal langue jezyk idioma lingua langcode",
    "company_record_id": "firmennr firmennummer companyid companyno accountid bedrijfsnummer",
    "deals.company_record_id": "account accountname",
    "company_name": (
        "firma company unternehmen firmenname bedrijf bedrijfsnaam organisatie societe entreprise raisonsociale "
        "nazwafirmy empresa razonsocial azienda societa ragionesociale ditta namedesunternehmens unternehmensname "
        "organization organisation companyorganization account accountname organizationname organisationname"
    ),
    "job_title": (
        "position beruf funktion functie functietitel fonction poste stanowisko cargo puesto mansione ruolo qualifica "
        "jobbezeichnung berufsbezeichnung stelle"
    ),
    "vat_id": (
        "ustidnr ustid uidnr uid vatno vatnumber umsatzsteueridnr taxid btwnummer numerotva tvaintracommunautaire nip "
        "nif cif nifcif partitaiva piva ustidentnr"
    ),
    "domain": (
        "website webseite homepage web url internet siteweb sitioweb paginaweb sitoweb stronainternetowa "
        "companydomainname domainname domaene"
    ),
    "employee_count": (
        "mitarbeiter mitarbeiterzahl mitarbeiteranzahl employees headcount aantalmedewerkers effectif nombredemployes "
        "liczbapracownikow numerodeempleados numerodipendenti numberofemployees anzahldermitarbeiter anzahlmitarbeiter"
    ),
    "industry": "branche sector secteur secteurdactivite branza sektor settore branchenbezeichnung",
    "legal_form": "rechtsform rechtsvorm formejuridique formaprawna formajuridica formagiuridica",
    "register_number": "registernummer hrb handelsregister kvknummer kvk siret siren krs regon",
    "accepts_marketing": (
        "newsletter marketing werbung nieuwsbrief infolettre biuletyn boletin acceptsemailmarketing acceptemail "
        "newsletteroptin isnewsletter emailmarketingconsent"
    ),
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
        "orderedon placedon dateordered besteldatum datedecommande datecommande datazamowienia fechadepedido "
        "fechapedido datadellordine dataordine ordertime orderdatetime purchaseddate orderedat fecha"
    ),
    "delivered_at": (
        "lieferdatum geliefertam zugestelltam deliverydate delivered deliveredcustomerdate delivereddate deliveredon "
        "datedelivered leverdatum afleverdatum datedelivraison datadostawy fechadeentrega fechaentrega dataconsegna "
        "datadiconsegna"
    ),
    "cancelled_at": (
        "storniertam stornodatum canceledat cancelled geannuleerdop annuleringsdatum dateannulation dataanulowania "
        "fechadecancelacion dataannullamento"
    ),
    "paid_at": (
        "bezahltam zahldatum zahlungsdatum paymentdate paid betaaldop betaaldatum datedepaiement datepaiement "
        "dataplatnosci fechadepago datapagamento"
    ),
    "shipping_postal_code": "shippingzip lieferplz shipzip shippingpostcode shippostalcode",
    "shipping_city": "lieferort shipcity",
    "shipping_street": "lieferstrasse shipstreet shippingaddress shipaddress",
    "shipping_country": "lieferland shipcountry",
    "billing_postal_code": "billingzip rechnungsplz billzip billingpostcode",
    "billing_city": "rechnungsort billcity",
    "billing_street": "rechnungsstrasse billstreet billingaddress",
    "billing_country": "rechnungsland billcountry",
    "payment_status": (
        "zahlungsstatus zahlstatus betaalstatus betalingsstatus statutdepaiement statuspaiement statusplatnosci "
        "estadodepago statopagamento financialstatus"
    ),
    "returned_at": (
        "retourdatum returndate dateretour datederetour datazwrotu fechadevolucion fechadedevolucion datareso"
    ),
    "invoiced_at": (
        "rechnungsdatum invoicedate factuurdatum datedefacture datefacture datafaktury fechadefactura fechafactura "
        "datafattura"
    ),
    "status": (
        "stand zustand statut stato estado etat orderstatus auftragsstatus bestellstatus statutdelacommande "
        "estadodelpedido statoordine statuszamowienia bestelstatus ticketstatus"
    ),
    "orders.status": "orderstate orderstatus",
    "tickets.status": "state",
    "deals.stage": "state phase status",
    "currency": (
        "waehrung currencycode valuta munteenheid devise monnaie waluta moneda divisa ordercurrency currencyofvalue"
    ),
    "items_amount": (
        "warenwert itemstotal subtotal soustotal subtotaal sumaczesciowa subtotale ordersubtotal ordersubtotalamount "
        "itemssubtotal zwischensumme"
    ),
    "discount_amount": (
        "rabatt rabat discount discounttotal reduction rebate nachlass korting kortingsbedrag remise rabais znizka "
        "descuento sconto discountamount cartdiscount cartdiscountamount orderdiscount rabattbetrag"
    ),
    "shipping_amount": (
        "versand versandkosten shipping shippingcost freight verzendkosten fraisdeport fraisdelivraison kosztdostawy "
        "kosztwysylki gastosdeenvio costedeenvio spesedispedizione costospedizione shippingtotal shippingcosts "
        "ordershipping ordershippingamount shippingandhandling invoiceshipping versandkostenbrutto"
    ),
    "tax_amount": (
        "mwst ust steuer tax vat taxtotal btw btwbedrag tva montanttva podatek iva importeiva importoiva taxes "
        "totaltax ordertotaltax ordertotaltaxamount mwstbetrag steuerbetrag podatekvat"
    ),
    "tax_rate": (
        "mwstsatz vatrate vatpercent taxrate mwstsatzprozent ustsatz steuersatz btwpercentage btwtarief tauxtva "
        "stawkavat tipoiva aliquotaiva aliquota"
    ),
    "total_amount": (
        "gesamt gesamtbetrag summe total grandtotal brutto gesamtsumme endbetrag amounttotal totalprice "
        "rechnungsbetrag ordervalue ordertotal grosstotal totalvalue totaal totaalbedrag ordertotaal montanttotal "
        "montant totalttc totalcommande kwota razem suma wartosc wartoscbrutto kwotabrutto importetotal importe "
        "totalpedido importototale importo totaleordine totale ordertotalamount invoiceamount grandtotalpurchased "
        "grandtotalbase grandtotalamount bruttosumme bruttobetrag totalpaid"
    ),
    "amount": "betrag volumen bedrag montant kwota importe importo wartosc valore betraginunternehmenswaehrung",
    "quantity": (
        "menge anzahl qty pieces stueck stk orderedquantity orderqty units aantal hoeveelheid quantite qte ilosc "
        "liczbasztuk cantidad quantita qta"
    ),
    "unit_amount": (
        "einzelpreis preis price unitprice einzelpreisnetto nettopreis priceperpiece priceperunit itemprice stukprijs "
        "prijs eenheidsprijs prix prixunitaire pu cena cenajednostkowa precio preciounitario preciounidad prezzo "
        "prezzounitario stueckpreis"
    ),
    "unit_cost_amount": "ek einkaufspreis unitcost inkoopprijs prixdachat cenazakupu preciodecosto costounitario",
    "list_amount": (
        "vk verkaufspreis listprice rrp msrp uvp retailprice sellingprice verkoopprijs prixdevente cenasprzedazy "
        "preciodeventa prezzodivendita"
    ),
    "cost_amount": "kosten cost costprice purchaseprice einkaufspreis",
    "name": (
        "bezeichnung titel title naam nom nombre nome nazwa benaming omschrijving titre titulo titolo intitule "
        "companyname firmenname unternehmensname bedrijfsnaam accountname dealname opportunityname"
    ),
    "brand": "marke manufacturer hersteller merk marque marka marca",
    "category": (
        "kategorie warengruppe gruppe topic categoryname productgroup productcategory range categorie kategoria "
        "categoria"
    ),
    "order_lines.order_record_id": (
        "invoiceno invoice invoicenumber invoiceid rechnungsnr rechnungsnummer belegnr belegnummer bonnr transactionid "
        "receiptno receiptid factuurnummer numerodefacture numerfaktury numerodefactura numerofattura"
    ),
    "orders.ordered_at": (
        "invoicedate rechnungsdatum orderpurchasetimestamp purchasetimestamp transactiondate belegdatum"
    ),
    "line_amount": (
        "lineamount linetotal sales amount total revenue umsatz betrag gesamtpreis positionsbetrag zeilensumme "
        "lineprice gesamtnetto nettobetrag regeltotaal totaalregel montantligne totalligne wartoscpozycji totallinea "
        "importelinea totaleriga"
    ),
    "products.name": (
        "description productname artikelname artikelbezeichnung beschreibung artikel produkt product item itemname "
        "produktname articlename itemdescription productnaam artikelnaam nomduproduit designation libelle "
        "nazwaproduktu nombredelproducto nombreproducto nomeprodotto descrizione descripcion"
    ),
    "score": (
        "rating stars sterne note punkte bewertung beoordeling evaluation ocena puntuacion valoracion punteggio voto "
        "cijfer"
    ),
    "comment": (
        "kommentar commentmessage commenttext feedback opmerking commentaire komentarz comentario commento toelichting"
    ),
    "rated_at": "bewertetam ratingdate reviewdate surveydate creationdate",
    "priority": "prioritaet prioriteit priorite priorytet prioridad priorita",
    "channel": "kanal via saleschannel kanaal canal canale source origin herkunft quelle zrodlo origen origine",
    "subject": "betreff onderwerp objet sujet temat asunto oggetto thema betreffzeile",
    "kind": "art typ soort genre rodzaj tipo",
    "method": "verfahren",
    "requested_at": "angefragtam requested",
    "given_at": "erteiltam optinam aangemeldop datadizgody",
    "confirmed_at": "bestaetigtam confirmed",
    "withdrawn_at": (
        "widerrufenam unsubscribed optoutam abmeldedatum abgemeldetam unsubscribedate optoutdate austritt afgemeldop "
        "uitgeschrevenop datededesinscription datawypisania fechadebaja datadisiscrizione"
    ),
    "solved_at": (
        "geloestam solved closedat erledigtam resolvedat closedon opgelostop afgehandeldop datederesolution "
        "dateresolution resolule datarozwiazania fechaderesolucion fecharesolucion datarisoluzione datadirisoluzione "
        "closeddate closeddatetime resolvedtime closedtime abgeschlossenam geschlossenam resolutiondate"
    ),
    "created_at": (
        "angelegtam erstelltam erstellt created createdate createdon registeredat neu createddate datecreated "
        "erstellungsdatum erstelldatum anlagedatum anlagedat angelegt registrierungsdatum kundeseit signupdate joined "
        "subscriptiondate aangemaaktop aanmaakdatum datumaangemaakt aangemaakt datedecreation datecreation creele "
        "datautworzenia utworzono fechadecreacion fechacreacion creadoel datacreazione datadicreazione creatoil creato "
        "createdtime creationtime addedtime hinzugefuegtam erfasstam eroeffnetam erfassungsdatum eingangsdatum "
        "eingegangenam anlegedatum addtime createddatetime inscriptiondate dateinscription optintime registratiedatum"
    ),
    "updated_at": (
        "geaendertam updated modified changedat lastmodified lastmodifieddate modifiedon upd aenderungsdatum geaendert "
        "letzteaenderung lastupdated lastupdate lastchanged modifieddate gewijzigdop bijgewerktop wijzigingsdatum "
        "datumgewijzigd datedemodification datemodification modifiele datamodyfikacji zmodyfikowano "
        "fechademodificacion fechamodificacion modificadoel datamodifica datadimodifica modificatoil lastupdatetime "
        "updatetime modifiedtime datumderletztenaenderung letzteaenderungam zuletztgeaendert zuletztgeaendertam "
        "lastmodifiedat updatedtime lastactivitydate"
    ),
    "deleted_at": "geloeschtam deleted verwijderdop supprimele usunieto eliminadoel eliminatoil",
    "companies.name": "account accountname organisation organization organizationname",
    "deals.amount": "closevalue dealvalue value wert auftragswert",
    "deals.closed_at": (
        "closedate closed abschlussdatum wontime closetime sluitingsdatum datedecloture datazamkniecia fechadecierre "
        "datachiusura abschlussam"
    ),
    "deals.created_at": "engagedate",
    "owner": (
        "salesagent salesrep verkaeufer vertriebsmitarbeiter betreuer eigenaar proprietaire wlasciciel opiekun "
        "propietario proprietario zustaendigermitarbeiter besitzer contactowner companyowner dealowner ownerid "
        "ownername kontaktinhaber accountowner inhaber verantwortlicher"
    ),
    "tickets.created_at": "datum date eingangsdatum eingangam gemeldetam reportedat openedat",
    "products.list_amount": "unitprice price preis",
    "house_number": (
        "hausnr hausnummer houseno housenumber streetnumber streetno huisnummer huisnr numerdomu nrdomu numerocivico "
        "civico numeroderue"
    ),
    "parent_company_record_id": "parentid parentaccountid parentcompanyid",
    "lifecycle_stage": "lifecyclephase lifecycle kontaktphase",
    "lead_source": "leadquelle originalsource herkunft quelle leadbron bron origineduprospect zrodlo origen origine",
    "due_at": (
        "faelligam faelligkeit faelligkeitsdatum duedate vervaldatum dateecheance datedecheance terminplatnosci "
        "fechadevencimiento fechavencimiento datascadenza"
    ),
    "type": "tickettype typ tickettyp soort typologie tipo",
    "group": "groep groupe grupa grupo gruppo gruppe assignmentgroup team",
    "tags": "etiquettes etykiety etiquetas etichette schlagworte",
    "first_reply_at": (
        "initialresponsetime firstresponsetime firstreplytime firstrespondedat ersteantwort ersteantwortam"
    ),
    "merged_into_record_id": "masterrecordid mergedinto zusammengefuehrtmit",
    "pipeline": "trichter verkoopproces",
    "stage": "dealstage stagename fase etape etap etapa verkaufsphase",
    "deals.name": "opportunity opportunitytitle dealtitle verkaufschance",
    "lost_reason": "verlustgrund redenverloren motifdeperte powodprzegranej motivodeperdida motivoperdita",
    "expected_close_date": "erwartetesabschlussdatum expectedclosedate",
    "is_won": "gewonnen won gagne wygrana ganado vinto iswon",
    "store": "filiale winkel magasin sklep tienda negozio purchasepoint shopname subshop",
    "number": (
        "factuurnummer numerodefacture numerfaktury numerodefactura numerofattura rechnungsnummer rechnungsnr "
        "invoicenumber invoiceno"
    ),
    "occurred_at": "zeitpunkt timestamp zeitstempel",
}
# What a record of ours is called.
RECORD_WORDS: dict[str, str] = {
    "contacts": (
        "contact kontakt kontakte ansprechpartner persons personen leads person contactpersonen contactpersoon "
        "contacten osoby osoba kontakty contactos contacto contatti contatto personnes people lead ansprechpartnerin "
        "adressen adresse adresliste kontaktbericht relaties relatie prospects"
    ),
    "companies": (
        "company firma firmen unternehmen accounts account organization organizations organisation organisationen "
        "bedrijven bedrijf organisaties societes societe entreprises entreprise firmy empresas empresa aziende azienda "
        "societa"
    ),
    "permissions": (
        "permission einwilligung einwilligungen consents optins abmeldungen anmeldungen optouts unsubscribes "
        "newsletterabmeldungen toestemmingen consentements zgody consentimientos consensi"
    ),
    "deals": (
        "deal vorgaenge opportunities pipeline salespipeline opportunity verkaufschancen opportunites szanse "
        "oportunidades opportunita verkoopkansen geschaefte"
    ),
    "customers": (
        "customer kunde kunden kundenliste client clients buyer buyers klanten klant klantnr klienci klient klienta "
        "klientow clientes cliente clienti abonnenten debiteuren debiteur debitor debitoren"
    ),
    "orders": (
        "order bestellung bestellungen auftraege sales bestellingen bestelling bestel commandes commande decommande "
        "zamowienia zamowienie pedidos pedido ordini ordine bestell auftrag auftrags sale purchase verkaeufe verkopen "
        "ventes ventas vendite sprzedaz aankopen achats"
    ),
    "order_lines": (
        "orderlines orderline lines positionen lineitems orderitems orderitem items receiptlines orderdetails "
        "umsatzpositionen belegpositionen orderregels orderregel bestelregels regel regels lignescommande "
        "lignesdecommande ligne lignes pozycjezamowienia pozycje pozycji pozycja lineaspedido lineasdepedido linea "
        "lineas righeordine righe riga orderpositionen auftragspositionen bestellpositionen position pos line item"
    ),
    "returns": "return retoure retouren refunds retours zwroty zwrot devoluciones devolucion resi reso rueckgaben",
    "products": (
        "product produkte artikel articles stockitems inventory catalogue producten artikelen artikelbestand produits "
        "article produkty towary productos articulos articulo prodotti articoli articolo produktu"
    ),
    "users": "user requesters gebruikers utilisateurs uzytkownicy usuarios utenti requester",
    "tickets": (
        "ticket cases anfragen reklamation reklamationen beschwerden servicefaelle meldingen melding demandes demande "
        "zgloszenia zgloszenie incidencias incidencia solicitudes segnalazioni segnalazione richieste richiesta case "
        "tickety supportanfragen stoerungen klachten klacht reclamaties reclamations reclamation reclamaciones reclami "
        "reklamacje vorfaelle incidents"
    ),
    "ratings": (
        "rating bewertung bewertungen csat nps review reviews survey surveys umfrage beoordelingen avis oceny "
        "valoraciones resenas recensioni opinie"
    ),
    "invoices": (
        "invoice rechnung rechnungen facturen factuur factures facture faktury faktura facturas factura fatture fattura"
    ),
    "campaigns": "campaign kampagnen mailings campagnes campagne kampanie campanas campagna",
    "touches": "messages sendings",
    "events": "event webevents hits",
}
# Words that systems have for the states of ours: per column, our word to theirs.
STATE_WORDS: dict[str, dict[str, str]] = {
    "orders.status": {
        "cancelled": (
            "canceled storniert storno abgebrochen annulliert void voided geannuleerd annule annulee anulowane "
            "anulowano cancelado anulado annullato annullata refunded failed fehlgeschlagen erstattet"
        ),
        "delivered": (
            "completed complete abgeschlossen geliefert zugestellt fulfilled bezorgd geleverd afgerond livre livree "
            "termine terminee dostarczone dostarczono zrealizowane zakonczone entregado completado completo consegnato "
            "completato evaso versendet versandt shipped"
        ),
        "open": (
            "pending offen onhold unpaid ausstehend processing inbehandeling enattente encours oczekujace wtrakcie "
            "wrealizacji pendiente enproceso inattesa inlavorazione inbearbeitung bearbeitung checkoutdraft"
        ),
        "paid": "betaald paye payee oplacone pagado pagato bezahlt",
    },
    "tickets.status": {
        "new": "neu nieuw nouveau nowe nowy nuevo nuovo",
        "open": (
            "offen active inprogress inbearbeitung wiedereroeffnet reopened openstaand geopend inbehandeling ouvert "
            "encours otwarte otwarty wtrakcie abierto enproceso enprogreso aperto inlavorazione"
        ),
        "pending": (
            "wartend waiting pendingcustomerresponse rueckfrage wachtend wachtopklant enattente oczekujace pendiente "
            "inattesa waitingoncustomer awaitingreply wartetaufantwort"
        ),
        "hold": "onhold angehalten zurueckgestellt indewacht suspendu wstrzymane enespera sospeso waitingonthirdparty",
        "solved": (
            "geloest resolved erledigt done behoben opgelost resolu resolue rozwiazane rozwiazany resuelto risolto "
            "gelost"
        ),
        "closed": (
            "geschlossen abgeschlossen gesloten afgesloten ferme fermee cloture zamkniete zamkniety cerrado chiuso"
        ),
    },
    "contacts.lifecycle_stage": {
        "mql": "marketingqualifiedlead",
        "sal": "salesacceptedlead",
        "sql": "salesqualifiedlead",
        "customer": "kunde evangelist klant client cliente klient",
    },
    "tickets.priority": {
        "urgent": (
            "critical dringend kritisch sehrhoch blocker highest p1 spoed kritiek urgente critique krytyczny pilny "
            "critico sehrdringend"
        ),
        "high": "hoch major p2 hoog haute elevee wysoki wysoka alta alto",
        "normal": (
            "medium mittel standard p3 normaal gemiddeld normale moyenne normalny sredni media normal medio mittlere"
        ),
        "low": "niedrig gering minor lowest p4 laag basse faible niski niska baja basso bassa",
    },
}
# What a column of record numbers is called, beside the words for a number with those for a record.
ID_WORD = re.compile(r"(id|nr|number|nummer|numer|key|uuid|ref|(item|article|product|customer|client|order)code)$")
NUMBERS = "id ids nr no n num number nummer numer numero code codice codigo kod ref reference referentie"
REFERRED = "associated primaryassociated zugeordnete gekoppelde linked"
LINKS = " de di du del"  # `Numéro de commande`; none as well
# Whose the parts of an address and the contact points of an order are.
OF_AN_ORDER = {
    "billing": (
        "billing bill billto billingaddress rechnung rechnungs rechnungsadresse factuur facturation facturatie "
        "facturacion fatturazione faktura customer"
    ),
    "shipping": (
        "shipping ship shipto delivery shippingaddress liefer lieferung lieferadresse versand verzend bezorg levering "
        "livraison envio entrega spedizione consegna dostawy wysylki"
    ),
}
# What stands before the parts of somebody's own address, and beside one of several of his contact points.
OF_AN_ADDRESS = (
    "address adresse adres addr mailing mailingaddress postal postanschrift billing billingaddress primaryaddress "
    "defaultaddress defaultbillingaddress rechnungsadresse hauptadresse privatadresse"
)
ONE_OF_SEVERAL = (
    "work home office main primary business private personal geschaeftlich dienstlich privat buero zentrale zakelijk "
    "prive bureau travail domicile trabajo personale oficina lavoro ufficio praca sluzbowy sluzbowe prywatny"
)
_WORD = re.compile(r"[^\W_]+")
_IN_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d"}
)


def fold_word(text: str) -> str:
    """`Straße-Nr.` as `strassenr`."""
    composed = unicodedata.normalize("NFKC", text.lower()).translate(_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", composed) if c.isascii() and c.isalnum())


def reduce_word(text: str) -> str:
    """`Adresse 1: Straße (geschäftlich)` as `adressestrasse`: without what tells one of several from the others."""
    several = ONE_OF_SEVERAL.split()
    words = [fold_word(word) for word in _WORD.findall(_IN_BRACKETS.sub(" ", text))]
    return "".join(word for word in words if word not in several and not word.isdigit())


def words_for(canonical: str, words: dict[str, str], entity: str = "") -> set[str]:
    """Words for one of ours, folded; `entity` adds those that only its records have."""
    return {fold_word(canonical), *words.get(canonical, "").split(), *words.get(f"{entity}.{canonical}", "").split()}


@cache
def words_for_number(entity: str) -> frozenset[str]:
    """What the number of a record is called, in its own file and in others: `customerid`, `ndecommande`."""
    nouns = words_for(entity, RECORD_WORDS)
    return frozenset(
        word
        for noun in nouns
        for number in NUMBERS.split()
        for word in (noun + number, *(number + link + noun for link in LINKS.split(" ")))
    )


def words_of_an_order(canonical: str) -> set[str]:
    """What a part of a billing or shipping address is called, on orders: of `shipping_city`, `lieferort`."""
    whose, _, part = canonical.partition("_")
    parts = words_for(part, COLUMN_WORDS)
    return {word for one in OF_AN_ORDER.get(whose, "").split() for part in parts for word in (one + part, part + one)}


def is_number(header: str) -> bool:
    """Whether a column is called like one of record numbers."""
    folded = fold_word(header)
    if ID_WORD.search(folded) or [word.lower() for word in _WORD.findall(header)][-1:] == ["no"]:
        return True
    return any(folded in words_for_number(entity) for entity in RECORD_WORDS)
