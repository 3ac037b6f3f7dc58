"""The words of the sample company: names, places, streets, products, and how often each occurs.

Add a word here when the sample should sound more like the real thing. Text and numbers only; drawing from them is
done in the modules beside this one. Everything but `HOSTILE_TEXTS` stays inside Windows-1252: the CRM exports in it.
"""

from __future__ import annotations

# First names with the year in which each was most popular: age and name then fit each other.
_WOMEN = """
Ursula 1940, Helga 1939, Renate 1942, Ingrid 1940, Karin 1944, Monika 1950, Gisela 1938,
Christa 1940, Brigitte 1946, Elisabeth 1938, Barbara 1951, Angelika 1953, Gabriele 1955, Petra 1962, Sabine 1964,
Susanne 1965, Andrea 1966, Birgit 1961, Martina 1964, Claudia 1968, Heike 1965, Kerstin 1969, Anja 1971, Nicole 1974,
Sandra 1976, Stefanie 1978, Melanie 1979, Katrin 1973, Tanja 1974, Silke 1968, Julia 1984, Anna 1988, Katharina 1985,
Sarah 1987, Christina 1982, Jennifer 1986, Lisa 1990, Laura 1993, Lena 1997, Marie 1998, Sophie 1999, Hannah 2001,
Leonie 2000, Johanna 1996, Franziska 1990, Jana 1989, Nadine 1981, Daniela 1977, Jessica 1986, Vanessa 1990, Michelle
1995, Lea 2001, Emma 2004, Mia 2005, Emilia 2006, Jule 2000, Antonia 1998, Carla 1999, Käthe 1936, Bärbel 1955, Gülay
1978, Ayse 1975, Fatma 1972, Elif 1996, Zeynep 1999, Agnieszka 1980, Olga 1979, Svetlana 1974, Maria 1960, Eva 1958,
Ruth 1941, Hannelore 1942, Ilse 1935, Margarete 1937, Simone 1970, Yvonne 1975, Bianca 1976, Ulrike 1959, Dagmar 1954,
Jutta 1957, Doris 1955, Cornelia 1960, Marion 1957, Ute 1961, Anke 1967, Britta 1969, Sonja 1972, Miriam 1983, Verena
1984, Theresa 1991, Charlotte 2000, Clara 2002, Paula 2001, Amelie 2003, Nele 2001, Pia 1997, Svenja 1989, Wiebke
1978, Friederike 1985, René 1972, Zoé 2003
"""
_MEN = """
Hans 1938, Günter 1937, Horst 1938, Karl 1936, Werner 1937, Helmut 1939, Heinz 1936, Gerhard 1940, Klaus 1943, Manfred
1942, Dieter 1942, Jürgen 1947, Peter 1950, Wolfgang 1949, Bernd 1952, Rolf 1944, Uwe 1958, Michael 1962, Thomas 1964,
Andreas 1965, Stefan 1968, Frank 1964, Jörg 1966, Ralf 1964, Torsten 1968, Matthias 1967, Martin 1966, Markus 1971,
Christian 1976, Daniel 1981, Sebastian 1983, Alexander 1984, Tobias 1984, Florian 1986, Philipp 1989, Jan 1985,
Dennis 1984, Kevin 1990, Patrick 1985, Marcel 1983, Marco 1979, Sven 1972, Dirk 1966, Oliver 1970, Carsten 1969, Lars
1974, Tim 1990, Lukas 1995, Jonas 1996, Felix 1995, Maximilian 1996, Leon 2001, Niklas 1998, Paul 2002, Finn 2003,
Luca 2002, Ben 2004, Noah 2006, Elias 2005, Julian 1993, Moritz 1998, Simon 1991, David 1989, Benjamin 1984, Fabian
1988, Robert 1978, Björn 1975, Holger 1963, Rüdiger 1954, Detlef 1955, Norbert 1953, Reinhard 1950, Heiko 1969, Volker
1958, Joachim 1955, Rainer 1952, Lothar 1949, Siegfried 1938, Kurt 1935, Walter 1936, Mehmet 1974, Mustafa 1976, Ahmet
1977, Emre 1995, Can 1999, Piotr 1978, Dmitri 1980, Sergej 1976, Ali 1985, Max 1997, Anton 2002, Jakob 2001, Johannes
1988, Henrik 1986, Malte 1991, Sönke 1972, Götz 1961, André 1974, Till 1994, Vincent 2000, Erik 1992, Ole 1999
"""
_LAST_NAMES = """
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann
Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn
Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon
Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas
Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff
Pfeiffer Yilmaz Kaya Demir Öztürk Nguyen Kowalski Nowak Wojcik Rossi Popov Ivanov Hoang Haddad Jansen Petersen Hansen
Thomsen Nissen Ritter Strauß Weißmüller Großmann Grünwald Bühler Kälin Löffler Nagel Kirchner Bauermeister Oßwald
Preuß Reiß Theiß Voß Kreß
"""
# Put together, these give the long tail of rarer family names.
_NAME_HEADS = """
Linden Rosen Eichen Birken Buchen Ahorn Tannen Stein Berg Tal Wald Feld Wiesen Bach Brunnen Mühl Hof Kirch Burg Stadt
Korn Hafer Wein Apfel Kirsch Nuß Adler Falken Reh Hirsch Löwen Bären Gold Silber Eisen Kupfer Salz Winter Sommer Oster
Neu Alt Hoch Nieder Ober Unter Grün Schwarz Weiß Roth
"""
_NAME_TAILS = """
mann meier bauer berger hofer müller schmidt wald feld bach stein thal haus kamp brink rieder egger huber becker hagen
dorf ried moser leitner reuter
"""
TITLES = ("Dr.", "Prof. Dr.", "Dipl.-Ing.")

# Names for relatives who would otherwise share a first name; not in the lists above.
SPARE_NAMES = {"female": ("Luisa", "Helene", "Mathilda", "Greta"), "male": ("Konrad", "Theodor", "Ludwig", "Oskar")}

# The blocks that the regulator keeps free for fiction, lengthened by five digits so that every household has its own.
_DIALS = {
    "B": "+493023125",
    "HH": "+494066969",
    "K": "+492214710",
    "M": "+498999998",
    "F": "+496990009",
}
MOBILE_PREFIX = "+491760"  # subscriber numbers with a leading zero are not assigned to anybody

# City, nearest fictional dialling block, share of customers, its postal codes.
_CITIES = """
Berlin;B;36;10115 10245 10437 10585 10717 10827 10967 12043 12163 12459 12623 13086 13353 13585 14050 14193
Hamburg;HH;19;20095 20144 20259 20357 20535 21029 21073 22041 22177 22303 22527 22765
München;M;15;80331 80469 80634 80797 80939 81241 81369 81539 81667 81825 81927
Köln;K;11;50667 50733 50823 50937 51063 51103 51147
Frankfurt am Main;F;8;60311 60318 60385 60486 60594 65929
Stuttgart;F;6;70173 70327 70435 70563 70619
Düsseldorf;K;6;40210 40223 40474 40589 40627
Leipzig;B;6;04103 04157 04229 04277 04317
Dortmund;K;6;44135 44227 44263 44309 44379
Essen;K;6;45127 45147 45239 45279 45355
Bremen;HH;6;28195 28203 28259 28325 28755
Dresden;B;6;01067 01099 01187 01277 01309
Hannover;HH;5;30159 30167 30449 30519 30625
Nürnberg;M;5;90402 90419 90441 90471 90489
Duisburg;K;5;47051 47119 47167 47249
Bochum;K;4;44787 44801 44879 44894
Wuppertal;K;4;42103 42119 42285 42389
Bielefeld;HH;3;33602 33615 33659 33719
Bonn;K;3;53111 53123 53173 53229
Münster;K;3;48143 48149 48155 48163
Karlsruhe;F;3;76131 76133 76187 76227
Mannheim;F;3;68159 68163 68199 68309
Augsburg;M;3;86150 86159 86165 86199
Wiesbaden;F;3;65183 65187 65193 65203
Mönchengladbach;K;3;41061 41065 41199 41236
Gelsenkirchen;K;3;45879 45881 45891 45897
Braunschweig;HH;2;38100 38106 38118 38126
Kiel;HH;2;24103 24114 24143 24159
Chemnitz;B;2;09111 09116 09126 09130
Aachen;K;2;52062 52066 52072 52078
Halle (Saale);B;2;06108 06112 06122 06128
Magdeburg;B;2;39104 39108 39112 39128
Freiburg im Breisgau;F;2;79098 79102 79111 79117
Lübeck;HH;2;23552 23556 23560 23568
Erfurt;B;2;99084 99085 99091 99099
Rostock;HH;2;18055 18057 18106 18119
Mainz;F;2;55116 55122 55128 55131
Kassel;F;2;34117 34121 34127 34134
Saarbrücken;F;2;66111 66115 66121 66133
Potsdam;B;2;14467 14469 14473 14482
Oldenburg;HH;2;26121 26123 26129 26135
Regensburg;M;2;93047 93049 93053 93059
Würzburg;M;1;97070 97072 97074 97082
Göttingen;HH;1;37073 37075 37081 37085
Flensburg;HH;1;24937 24939 24941 24943
Tübingen;F;1;72070 72072 72074 72076
Bayreuth;M;1;95444 95445 95447 95448
Konstanz;M;1;78462 78464 78465 78467
"""
_STREET_HEADS = """
Haupt Bahnhof Schul Garten Dorf Berg Kirch Linden Birken Wald Ring Wiesen Mühlen Eichen Rosen Buchen Jahn Goethe
Schiller Mozart Beethoven Bismarck Garnison Hafen Markt Brücken Park Sonnen Tannen Ahorn Erlen Flur Burg Schloß Amsel
Finken Lerchen Feld Stein Brunnen König Post Industrie Tal See Süd Nord West Ost Höhen
"""
_STREET_TAILS = (("straße", 8), ("weg", 4), ("allee", 1), ("platz", 1), ("gasse", 1))

NICKNAMES = {
    "Michael": "Michi",
    "Thomas": "Tom",
    "Stefan": "Steff",
    "Alexander": "Alex",
    "Maximilian": "Max",
    "Johannes": "Hannes",
    "Elisabeth": "Lisbeth",
    "Katharina": "Kathi",
    "Susanne": "Susi",
    "Gabriele": "Gabi",
    "Andreas": "Andi",
    "Christian": "Chris",
    "Sebastian": "Basti",
    "Benjamin": "Benni",
    "Matthias": "Matze",
    "Wolfgang": "Wolfi",
    "Friederike": "Rike",
    "Franziska": "Franzi",
    "Johanna": "Hanna",
    "Angelika": "Geli",
    "Ursula": "Uschi",
    "Barbara": "Babsi",
    "Margarete": "Grete",
    "Manfred": "Manni",
    "Günter": "Günni",
    "Jürgen": "Jogi",
    "Daniel": "Dani",
    "Philipp": "Phil",
    "Tobias": "Tobi",
    "Florian": "Flo",
    "Stefanie": "Steffi",
    "Jessica": "Jessi",
    "Sabine": "Bine",
    "Monika": "Moni",
    "Theresa": "Resi",
    "Nicole": "Nici",
    "Christina": "Tina",
    "Daniela": "Dani",
    "Jennifer": "Jenny",
    "Antonia": "Toni",
}

RELAY_DOMAIN = "relay.marktplatz.example"
HOSTILE_LATIN_TEXTS = (
    "Robert'); DROP TABLE kunden;--",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example";"Klick")',
    '"; rm -rf ~ #',
    "<script>alert(1)</script>",
    "@SUM(1+1)",
    "M" + "ü" * 9_998 + "r",
)
HOSTILE_TEXTS = (
    *HOSTILE_LATIN_TEXTS,
    "Sonnenschein \U0001f31e",
    "\u05db\u05d4\u05df",
    "\u0645\u062d\u0645\u062f \u0639\u0644\u064a",
    "Zalgo\u0336\u0321",
)

# Mailbox providers and the usual slips of the fingers in their names.
PROVIDERS = (
    ("gmx.de", 20),
    ("web.de", 19),
    ("gmail.com", 26),
    ("t-online.de", 11),
    ("freenet.de", 4),
    ("outlook.de", 5),
    ("hotmail.de", 3),
    ("yahoo.de", 4),
    ("icloud.com", 5),
    ("posteo.de", 3),
)
DOMAIN_SLIPS = {
    "gmx.de": ("gmx.ed", "gxm.de", "gmx.d"),
    "web.de": ("web.d", "wbe.de", "web.ed"),
    "gmail.com": ("gmial.com", "gmail.con", "gmai.com", "gamil.com"),
    "t-online.de": ("t-onlin.de", "tonline.de", "t-online.d"),
    "freenet.de": ("frenet.de", "freenet.d"),
    "outlook.de": ("outlok.de", "outlook.ed"),
    "hotmail.de": ("hotmial.de", "hotmail.d"),
    "yahoo.de": ("yaho.de", "yahoo.d"),
    "icloud.com": ("icloud.con", "iclod.com"),
    "posteo.de": ("poste.de", "posteo.d"),
}

COMPANY_FORMS = ("GmbH", "AG", "GmbH & Co. KG", "KG", "e. K.")
INDUSTRIES = ("Handwerk", "Gastronomie", "Gesundheit", "Bildung", "IT", "Handel", "Beratung", "Verein")
COMPANY_WORDS = ("technik", "bau", "service", "logistik", "druck", "elektro", "metall", "praxis", "consult", "werk")
JOB_TITLES = ("Einkauf", "Geschäftsführung", "Büroleitung", "Buchhaltung", "Technische Leitung", "Assistenz")

# Category, its group, tax rate in percent, cheapest and dearest list price in cents (tax included), is it sensitive.
CATEGORIES = (
    ("Bücher", "Medien", 7, 699, 3999, False),
    ("Kalender", "Medien", 7, 599, 2499, False),
    ("Kaffee und Tee", "Lebensmittel", 7, 349, 1999, False),
    ("Süßwaren", "Lebensmittel", 7, 199, 1499, False),
    ("Küche", "Haushalt", 19, 999, 19900, False),
    ("Wohntextilien", "Haushalt", 19, 799, 12900, False),
    ("Leuchten", "Haushalt", 19, 1499, 24900, False),
    ("Gartengeräte", "Garten", 19, 899, 29900, False),
    ("Pflanzen", "Garten", 7, 299, 4999, False),
    ("Werkzeug", "Heimwerken", 19, 699, 34900, False),
    ("Schuhe", "Mode", 19, 2999, 15900, False),
    ("Jacken", "Mode", 19, 3999, 24900, False),
    ("Spielzeug", "Kinder", 19, 499, 8999, False),
    ("Kopfhörer", "Technik", 19, 1999, 29900, False),
    ("Gesundheit", "Drogerie", 19, 399, 5999, True),
    ("Kosmetik", "Drogerie", 19, 299, 4999, False),
)
BRANDS = ("Nordlicht", "Waldhaus", "Elbwerk", "Kornblume", "Solveig", "Brandner", "Hausmarke", "Alpina Haus")
PRODUCT_ADJECTIVES = ("Klassik", "Komfort", "Natur", "Premium", "Basis", "Kompakt", "Edition", "Duo", "Maxi", "Retro")

RETURN_REASONS = ("gefällt nicht", "passt nicht", "beschädigt", "falscher Artikel")

TICKET_SUBJECTS = (
    ("Lieferung verspätet", "delivery"),
    ("Paket beschädigt angekommen", "delivery"),
    ("Rückgabe und Erstattung", "return"),
    ("Artikel defekt", "product"),
    ("Frage zur Rechnung", "billing"),
    ("Passwort vergessen", "account"),
    ("Adresse ändern", "account"),
    ("Frage zum Produkt", "product"),
)
TROUBLE_SUBJECTS = 4  # the first ones
RATING_COMMENTS = ("Alles bestens.", "Schnelle Antwort.", "Hat zu lange gedauert.", "Nicht gelöst.", "Sehr freundlich.")


def first_names() -> list[tuple[str, str, int]]:
    """All first names as (name, gender, year of its peak)."""
    found = []
    for gender, text in (("female", _WOMEN), ("male", _MEN)):
        for entry in text.replace("\n", " ").split(","):
            name, year = entry.split()
            found.append((name, gender, int(year)))
    return found


def last_names() -> list[tuple[str, float]]:
    """All family names with their share: a third of all people bear a frequent one, weighted by its rank."""
    frequent = _LAST_NAMES.split()
    weights = [1.0 / (rank + 12) for rank in range(len(frequent))]
    rare = [h + t for h in _NAME_HEADS.split() for t in _NAME_TAILS.split() if h.lower() != t]
    return [(name, weight / sum(weights) / 3) for name, weight in zip(frequent, weights, strict=True)] + [
        (name, 2 / 3 / len(rare)) for name in rare
    ]


def cities() -> list[tuple[str, str, int, list[str]]]:
    """All cities as (name, fictional dialling block, weight, postal codes)."""
    rows = [line.split(";") for line in _CITIES.split("\n") if line]
    return [(name, _DIALS[block], int(weight), codes.split()) for name, block, weight, codes in rows]


def streets() -> list[tuple[str, float]]:
    """All street names with their weight; the first ones of the list are the frequent ones."""
    heads = _STREET_HEADS.split()
    return [(head + tail, weight / (rank + 8)) for rank, head in enumerate(heads) for tail, weight in _STREET_TAILS]
