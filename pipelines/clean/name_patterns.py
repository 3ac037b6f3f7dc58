"""How the parts of a name are written: patterns of titles, particles, last names, companies and remarks.

Add here another way of writing. Which rule looks for it, and what becomes of it, is in `names`.
"""

from __future__ import annotations

import re

from pipelines.clean.functions import NAME_PARTICLES
from pipelines.wordlist import words

# Titles in front of a name: one that stands for itself, then what only says of which kind it is (med., h. c., (FH)).
PROFESSOR = r"(?:(?:univ|jun|hon|gast|ass|assoz|ao|apl|em)\.?[\s-]*)?(?:prof|professor)"
DIPLOMA = (
    r"dipl\.?[ -]*(?:\p{L}+\.?-\s?)*(?:ing|kfm|kffr|inform|inf|phys|päd|psych|chem|biol|math|volksw|betriebsw"
    r"|oec|ök|jur|arch|des|geogr|geol|soz|stat|verw)\.?(?:\s?\(?(?-i:FH|BA|TH|TU)\)?)?(?:\s|$)"
)
TITLE = (
    r"(?i)^(?:(?:"
    rf"(?:d?dr|doktor|{PROFESSOR}|(?:mu|ju|ph|rn|mv|md|paed|pharm|th)dr|dra|drs|priv\.?-?\s?doz)"
    r"(?:[:.']*in\b\.?|\.?-ing\.?|\.|\s|$)"
    rf"|(?-i:PD)\s+(?:dr|prof)(?:\.|\s)|{DIPLOMA}"
    r"|sir\s|mag\.?a\s|mgr\.?\s|dott\.?ssa\s|(?:mag|ing|bc|doc|dott|avv|geom|lic|rev|capt|hon|ph\.\s?d|b\.\s?sc|m\.\s?sc)\.(?:\s|$)?"
    r"|(?-i:MBA|MSc|BSc|PhD)(?:\s|$)"
    r"{further})"
    r"(?:\s*(?:(?:med|rer|nat|phil|jur|iur|utr|pol|oec|vet|dent|theol|habil|hab|mult|univ|sc|agr|hum|biol|päd|mont|techn"
    r"|pharm|math|em|h\.\s?c|e\.\s?h|inż|arch)\.|\((?:fh|univ\.?|ba|tu|th)\)|inż\s))*[\s,]*)+"
)
DEGREE = (
    r"(?i)[\s,]+(?:ph\.?\s?d|m\.\s?d|m\.?\s?sc|b\.?\s?sc|ll\.?\s?[mb]|m\.\s?a|b\.\s?a|m\.?eng|b\.?eng|dipl\.?-ing"
    r"|esq|csc|dr\.|(?-i:MBA|MD|DDS|CPA|JD|RN|CFA|OBE|MBE|CBE))\.?$"
)
IS_TITLE_AS_NAME = "lower(last_name) in ('doktor', 'professor')"  # Anna Doktor
ADDRESSED_AS = (
    r"(?:herrn?|frau|hrn?|fr|mr|mrs|ms|mx)\.?\s+(?:und|u\.|&|and|\+)\s+(?:herrn?|frau|mr|mrs|familie)\.?"
    r"|herrn?|frau|(?-i:[Hh]rn?)\.?|fr\.?|fräulein|frl\.?|mr\.?|mrs\.?|ms\.?|mx\.?|miss|mister|monsieur|madame|mme\.?|mlle\.?"
    r"|signor[ae]?|sig\.(?:ra|na)?|señor(?:a|ita)?|sra\.?|srta\.?|sr\.|doña|dña\.?|dhr\.?|mevr\.?|mevrouw|mw\.?|de\sheer"
    r"|familie|fam\.?|eheleute"
)
# Where nothing follows, it is a salutation alone.
SALUTATION = rf"(?i)^(?:(?:(?:{ADDRESSED_AS})\s+)+|(?:{ADDRESSED_AS})$)"
NOT_SPLIT_BY = ("s", "und", "y")
# What belongs to the last name in front of it: particles, those that are only in lower case, Irish ones, nobility.
PARTICLE = (
    "(?:von und zu|"
    + "|".join(p for p in NAME_PARTICLES if p not in NOT_SPLIT_BY)
    + r"|(?-i:'t|op|in|uit|aan|af|av|do|das|de'|Ó|Ní|Nic|Uí|Mac))"
)
NOBLE = (
    r"(?:freiherr|freifrau|freiin|graf|gräfin|prinz|prinzessin|fürst|fürstin|herzog|herzogin|baron|baronin|ritter"
    r"|edler|edle)"
)
# First names, then the last name with the particles in front of it, and what tells father and son apart behind it.
BEHIND_LAST_NAME = (
    r"\s+(?:jun\.|sen\.|jr\.?|sr\.?|(?-i:II|III|IV)|\(?(?:geb(?:\.|oren|orene)?|née|nee|born)\s+[^\s()]+\)?)"
)
LAST_NAME = "|".join(
    (
        rf"(?:{NOBLE}\s+)?(?:{PARTICLE}\s+)+\S+\s+und\s+(?:{PARTICLE}\s+)*\S+",  # von Thun und Hohenstein
        rf"{NOBLE}\s+(?:{PARTICLE}\s+)+\S+",
        r"(?-i:Graf|Gräfin|Freiherr|Freifrau)\s+\S+",
        rf"(?:{PARTICLE}\s+)*\S+\s+(?-i:y|e)\s+(?:{PARTICLE}\s+)*\S+",  # Ortega y Gasset
        r"\S+\s+[-\x{2013}]\s+\S+",
        rf"(?:{PARTICLE}\s+)*\S+",
    )
)
WHOLE_NAME = rf"(?i)^(\S.*?)\s+((?:{LAST_NAME})(?:{BEHIND_LAST_NAME})?)$"
# Particles that are first names as well where they have a capital and one word follows: Al Pacino, Van Nguyen.
FIRST_NAMES_LIKE_PARTICLES = words("al van del della di bin")
PARTICLE_AND_NAME = r"^(\p{Lu}\p{Ll}+)\s+(\S+)$"
# Hans Müller, Berlin: at least two words, and what is behind the comma.
NAME_AND_MORE = r"^(\S+\s[^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
LAST_FIRST = r"^([^,]*[^,\s])\s*,\s*([^,\s][^,]*)$"
# Eichenmüller Herr, Maier (Frau): behind the name, in a list sorted by it; but not the name itself, von Herr.
SON = r"(?i:jr|sr|jun|sen)\.?|II|III|IV"
SALUTATION_BEHIND = r"(?i)(?:[\s,(]+(?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?|ms\.)\)?)+$"
# Löwe Technik GmbH & Co. KG: at least one word and a legal form that is nobody's last name.
COMPANY_FORMS = (
    r"g?gmbh|(?:ges\.?\s?)?mbh|g?ug(?:\s*\(haftungsbeschränkt\))?|kgaa|ohg|e?gbr|e\.\s?k\.|e\.\s?kfm\.|e\.\s?kfr\."
    r"|e\.\s?v\.|partg(?:\s*mbb)?|e\.\s?u\.|ltd\.?|limited|plc|llc|llp|inc\.|corp\.|s\.?\s?à\s?r\.?\s?l\.?|sàrl|s\.a\."
    r"|s\.r\.l\.|s\.p\.a\.|s\.l\.(?:u\.)?|lda\.|b\.v\.|n\.v\.|v\.o\.f\.|aps|a/s|sp\.\s?z\s?o\.\s?o\.|s\.\s?r\.\s?o\."
    r"|d\.\s?o\.\s?o\.|kft\.?|zrt\.?|nyrt\.?|eood|uab"
    # In other letters than these, they are names of people.
    r"|(?-i:AG|ag|KG|kg|SE|OG|eG|SAS|Inc|SARL|SRL|Srl|SpA|BV|NV|AB|Oy|Oyj|SNC|EURL|a\.\s?s\.|AS|ASA|OOD|Bt\.|OÜ|SIA)"
)
COMPANY = r"(?i)^\S.*\s(?:{forms})(?:\s*(?:&|und|and)\s*co\.?\s*(?:kg|kgaa|ohg))?$"
# JAN AG: in capitals a form of two letters behind a first name is a last name as well.
NAME_IN_CAPITALS = r"^\p{Lu}+\s\p{Lu}{2,3}$"
# What a company, an office or a club is called with its first word, and nobody is.
KINDS_OF_COMPANY = words(
    "Firma Fa. Apotheke Arztpraxis Zahnarztpraxis Praxis Anwaltskanzlei Rechtsanwaltskanzlei Kanzlei Steuerberatung "
    "Autohaus Bäckerei Metzgerei Fleischerei Gärtnerei Tischlerei Schreinerei Gemeinde Gemeindeverwaltung "
    "Kirchengemeinde Pfarramt Stadtwerke Stadtverwaltung Landkreis Landratsamt Kindergarten Kita Grundschule Gymnasium "
    "Universität Hochschule Gasthof Gasthaus Restaurant Pizzeria Hotel Ingenieurbüro Architekturbüro Hausverwaltung "
    "Sparkasse Volksbank Raiffeisenbank Feuerwehr"
)
KIND_OF_COMPANY = rf"^(?:{'|'.join(map(re.escape, KINDS_OF_COMPANY))})\s+\S"
FOR_THE_ATTENTION = r"(?:z\.?\s?h(?:d|dn)\.?|zu\s+händen(?:\s+von)?|attn\.?:?|att[.:]|c/o)\s+"
# Müller GmbH, z. Hd. Herrn Schmidt
COMPANY_AND_PERSON = (
    rf"(?i)^(\S.*\s(?:{{forms}}))[\s,]+(?:{FOR_THE_ATTENTION})?((?:herrn?|frau|hr\.|fr\.|mr\.?|mrs\.?)\s+\S.*)$"
)
PARTICLES_AND_WORD = rf"(?i)^(?:{PARTICLE}\s+)+\S+$"
STARTS_WITH_PARTICLE = rf"(?i)^{PARTICLE}\s"
# Names that East Asia writes with the family in front, also with a blank between; the families of two signs.
SIGNS = r"[\p{Han}\p{Hangul}\p{Hiragana}]"
FAMILIES_OF_TWO_SIGNS = words(
    "欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 夏侯 令狐 皇甫 尉迟 公孙 公孫 慕容 宇文 长孙 司徒 端木 "
    "남궁 황보 제갈 선우 독고 사공"
)
# DUPONT Jean: in capitals stands the last name.
LAST_IN_CAPITALS = r"^(\p{Lu}[\p{Lu}'-]{3,}(?:\s\p{Lu}[\p{Lu}'-]+)*)\s+(\p{Lu}\p{Ll}[^,]*)$"
# Hans Müller (Einkauf), Hans Müller c/o Schmidt: what is no part of the name.
REMARK = rf"(?i)\s+\([^()]*\)$|[\s,]+{FOR_THE_ATTENTION}.*$"
BORN = r"(?i)\((?:geb|née|nee|born)"
# A mailbox or a number in place of a name.
NO_NAME = r"^[^@\s]+@[^@\s]+\.[^@\s]+$|^[^\p{L}]*\d[^\p{L}]*$"
NO_NAMES = words(
    "vorname nachname name firstname lastname mustermann musterfrau inconnu desconocido sconosciuto onbekend"
)
NO_NAMES += ("first name", "last name", "kein name", "no name", "guest user", "test user", "nicht bekannt")
