"""Short and pet forms of first names: what friends call somebody, in the languages customers mostly come from.

Add a form when it is in common use. A form may belong to several names (Chris); which of them is meant is never
decided, two records just do not contradict each other.
"""

from __future__ import annotations

from pipelines.wordlist import words

# By the form: the names that it stands for.
_GERMAN = """
Achim: Joachim; Alex: Alexander Alexandra; Andi: Andreas Andrea; Andy: Andreas; Anni: Anna Annemarie; Babsi:
Barbara; Basti: Sebastian; Bastian: Sebastian; Bea: Beate Beatrice; Ben: Benjamin Benedikt; Benni: Benjamin
Benedikt; Benny: Benjamin; Bernd: Bernhard; Berni: Bernhard; Bert: Albert Herbert Norbert Robert; Bertl: Albert;
Betti: Bettina Elisabeth; Biggi: Birgit Brigitte; Bine: Sabine; Bini: Sabine; Caro: Carolin Carola; Chris:
Christian Christoph Christina Christine Christopher; Christel: Christine Christa; Christl: Christine Christa;
Conni: Cornelia; Conny: Cornelia; Dani: Daniel Daniela; Didi: Dieter Dietmar; Doro: Dorothea; Eddi: Eduard; Edi:
Eduard; Elli: Elisabeth Elena; Emmi: Emma Emilia; Evi: Eva; Fabi: Fabian; Ferdi: Ferdinand; Flo: Florian;
Franzi: Franziska; Fred: Alfred Manfred Friedrich; Freddy: Alfred Friedrich; Fredi: Alfred Friedrich; Frieda:
Friederike; Fritz: Friedrich; Gabi: Gabriele Gabriela; Gaby: Gabriele; Geli: Angelika; Gerd: Gerhard; Gert:
Gerhard; Gerti: Gertrud; Gitte: Birgit Brigitte; Grete: Margarete Margareta; Gretel: Margarete; Gretl:
Margarete; Gundi: Gundula Kunigunde; Guni: Gunter Gunther; Gunni: Gunther Gunter; Hanna: Johanna; Hanne:
Hannelore Johanna; Hannes: Johannes; Hanni: Johanna Hannelore; Hans: Johannes; Hansi: Johannes Hans; Harry:
Harald; Hedi: Hedwig; Heidi: Heidemarie Adelheid; Heiner: Heinrich; Heini: Heinrich; Heinz: Heinrich; Heli:
Helmut Helga; Hias: Matthias; Hubsi: Hubert; Ille: Ilse; Inge: Ingeborg; Jenni: Jennifer; Jenny: Jennifer;
Jessi: Jessica; Jo: Johannes Joachim Johanna Josef; Jochen: Joachim; Jockel: Joachim; Jogi: Jurgen Joachim;
Joschi: Josef; Josi: Josefine; Juli: Julia Juliane; Kathe: Katharina; Kathi: Katharina; Kathrin: Katharina;
Kati: Katharina Katrin; Katrin: Katharina; Klas: Niklas Nikolaus; Klausi: Klaus; Koni: Konrad; Kuno: Konrad;
Leni: Magdalena Helena; Lenny: Leonard Lennard; Leo: Leonhard Leopold Leonard Leonie; Liesel: Elisabeth; Liesl:
Elisabeth; Lilli: Elisabeth; Lilo: Liselotte; Lisa: Elisabeth; Lisbeth: Elisabeth; Loni: Leonie Apollonia; Lore:
Hannelore Eleonore; Lotte: Charlotte Liselotte; Luggi: Ludwig; Lutz: Ludwig; Maggie: Margarete; Manni: Manfred;
Manu: Manuela Manuel Emanuel; Marga: Margarete; Margit: Margarete; Margot: Margarete; Marlies: Marieluise;
Mattes: Matthias; Matti: Matthias; Matze: Matthias; Max: Maximilian; Maxi: Maximilian Maximiliane; Melli:
Melanie; Micha: Michael; Michel: Michael; Michi: Michael Michaela; Mike: Michael; Mimi: Maria; Minna:
Wilhelmine; Mirl: Maria; Mizzi: Maria; Moni: Monika; Nici: Nicole; Nicki: Nicole Nicola Niklas; Nico: Nicolas
Nikolaus; Niklas: Nikolaus; Niko: Nikolaus; Norbi: Norbert; Olli: Oliver; Olly: Oliver; Ossi: Oskar Oswald;
Paddy: Patrick; Pat: Patrick Patricia; Patti: Patricia; Peppi: Josef; Phil: Philipp; Pit: Peter; Poldi: Leopold;
Resi: Theresa Therese; Rike: Friederike Ulrike; Robby: Robert; Robi: Robert; Rolf: Rudolf; Rolli: Roland; Rosi:
Rosemarie Rosa Roswitha; Rudi: Rudolf; Sabsi: Sabine; Sanne: Susanne; Sanni: Susanne; Sascha: Alexander
Alexandra; Schorsch: Georg; Sepp: Josef; Seppl: Josef; Siggi: Siegfried Sigrid Sieglinde; Sigi: Siegfried
Sigrid; Sophie: Sophia; Steff: Stefan Stephan; Stefferl: Stefan; Steffi: Stefanie Stephanie; Susi: Susanne
Susanna; Sylvi: Sylvia; Theo: Theodor; Thommy: Thomas; Till: Tilmann; Tim: Timotheus; Tina: Christina Martina
Bettina Christine; Tine: Christine; Tini: Christine; Tinka: Katharina; Tobi: Tobias; Tom: Thomas; Tommy: Thomas;
Toni: Anton Antonia; Traude: Gertraud Waltraud; Traudl: Gertraud Waltraud Edeltraud; Trixi: Beatrix Patricia;
Trude: Gertrud; Uli: Ulrich Ulrike; Ulla: Ursula Ulrike; Ulli: Ulrich Ulrike; Urschel: Ursula; Uschi: Ursula;
Valli: Valentin; Vreni: Verena; Vroni: Veronika; Walli: Walburga Waltraud; Walt: Walter; Wastl: Sebastian;
Werni: Werner; Wiggerl: Ludwig; Willi: Wilhelm; Willy: Wilhelm; Wilma: Wilhelmine; Wolf: Wolfgang; Wolfi:
Wolfgang; Zenzi: Kreszenz
"""

_OTHER = """
Abby: Abigail; Aggie: Agnes Agatha; Al: Albert Alan Alfred; Alec: Alexander; Allie: Alison Alice; Ania: Anna;
Apo: Abdullah; Archie: Archibald; Art: Arthur; Asia: Joanna; Basia: Barbara; Becky: Rebecca; Bella: Isabella
Annabella; Beppe: Giuseppe; Bert: Albert; Bess: Elizabeth; Beth: Elizabeth Bethany; Beto: Alberto Roberto;
Betsy: Elizabeth; Betty: Elizabeth; Bill: William; Billy: William; Bob: Robert; Bobby: Robert; Brad: Bradley;
Bram: Abraham; Cathy: Catherine; Charlie: Charles Charlotte; Charo: Rosario; Checco: Francesco; Chico:
Francisco; Chip: Charles; Chuck: Charles; Chus: Jesús; Cindy: Cynthia; Concha: Concepción; Connie: Constance;
Dan: Daniel; Danny: Daniel; Dave: David; Deb: Deborah; Debbie: Deborah; Dick: Richard; Dima: Dmitri Dmitry; Don:
Donald; Donnie: Donald; Doug: Douglas; Drew: Andrew; Ed: Edward Edwin; Eddie: Edward Edwin; Ellie: Eleanor
Elizabeth; Enzo: Vincenzo Lorenzo; Fatoş: Fatma; Fran: Frances Francis; Franco: Francesco; Gabby: Gabrielle;
Gene: Eugene; Gianni: Giovanni; Gienek: Eugeniusz; Gigi: Luigi; Gosia: Małgorzata; Greg: Gregory; Gus: Augustus;
Hal: Harold Henry; Hank: Henry; Harry: Henry Harold; Henk: Hendrik; Ibo: Ibrahim; Ike: Isaac; Jack: John
Jackson; Jake: Jacob; Janek: Jan; Jasiek: Jan; Jeff: Jeffrey Geoffrey; Jen: Jennifer; Jerry: Gerald Jeremy
Jerome; Jess: Jessica; Jim: James; Jimmy: James; Joe: Joseph; Joey: Joseph; Johnny: John; Jojo: Joël; Jon:
Jonathan; Josh: Joshua; Judy: Judith; Kasia: Katarzyna; Kate: Katherine Catherine Kathryn; Kathy: Katherine
Kathleen; Katie: Katherine Kathryn; Katya: Ekaterina Jekaterina; Kees: Cornelis; Ken: Kenneth; Kenny: Kenneth;
Kiko: Francisco; Kolya: Nikolai Nikolaj; Krzysiek: Krzysztof; Kuba: Jakub; Larry: Lawrence; Lella: Raffaella;
Len: Leonard; Lenny: Leonard; Les: Leslie Lester; Lexi: Alexandra Alexis; Libby: Elizabeth; Liz: Elizabeth;
Lizzie: Elizabeth; Lola: Dolores; Lottie: Charlotte; Lou: Louis Louise; Loulou: Louise; Lupe: Guadalupe; Maddie:
Madeleine; Magda: Magdalena; Maggie: Margaret; Maite: María; Mandy: Amanda; Manolo: Manuel; Marge: Margaret;
Masha: Maria Mariya; Matt: Matthew; Meg: Margaret Megan; Memo: Guillermo Mehmet; Mick: Michael; Mickey: Michael;
Mike: Michael; Millie: Mildred Amelia; Minnie: Minerva Wilhelmina; Misha: Mikhail Michail; Nacho: Ignacio; Nan:
Nancy Anne; Nando: Ferdinando; Natasha: Natalia; Nate: Nathan Nathaniel; Ned: Edward; Nell: Eleanor Helen;
Nellie: Helen Eleanor; Nick: Nicholas; Nino: Antonio; Ola: Aleksandra; Olya: Olga; Paco: Francisco; Pam: Pamela;
Pancho: Francisco; Patty: Patricia; Peggy: Margaret; Pepe: José; Peppe: Giuseppe; Pete: Peter; Piet: Pieter
Peter; Piotrek: Piotr; Pippo: Filippo; Quique: Enrique; Ray: Raymond; Reg: Reginald; Rick: Richard Eric; Rob:
Robert; Robbie: Robert; Ron: Ronald; Ronnie: Ronald; Roz: Rosalind; Sadie: Sarah; Sam: Samuel Samantha; Sandy:
Alexander Sandra; Sasha: Aleksandr Aleksandra Alexander; Shelly: Michelle; Sid: Sidney; Stan: Stanley; Staszek:
Stanisław; Steve: Steven Stephen; Sue: Susan; Susie: Susan; Sveta: Svetlana; Tanya: Tatiana Tatjana; Ted: Edward
Theodore; Teddy: Edward Theodore; Tere: Teresa; Terry: Terence Theresa; Tess: Theresa; Tim: Timothy; Titi:
Thierry; Tom: Thomas; Tomek: Tomasz; Tony: Anthony; Totò: Antonio Salvatore; Toño: Antonio; Trish: Patricia;
Val: Valerie; Vanya: Ivan; Vicky: Victoria; Vince: Vincent; Volodya: Vladimir; Vova: Vladimir; Wally: Walter;
Walt: Walter; Will: William; Wim: Willem; Wojtek: Wojciech; Zach: Zachary; Zbyszek: Zbigniew; Zhenya: Evgeny
Evgenia; Zosia: Zofia; Zé: José
"""


def list_nicknames() -> list[tuple[str, str]]:
    """Every (form, name) it may stand for, in a fixed order."""
    found = set()
    for entry in f"{_GERMAN};{_OTHER}".replace("\n", " ").split(";"):
        form, names = entry.split(":")
        found |= {(form.strip(), name) for name in words(names)}
    return sorted(found)
