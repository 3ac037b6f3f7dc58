"""The rules for what is neither name nor address: text that means nothing, birth date, gender, language.

Add a rule here for an attribute of a person with a closed set of values or a plausible range. A value outside of it is
dropped or proposed for correction, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from pipelines.clean.addresses import ADDRESS_FIELDS
from pipelines.clean.names import NAME_FIELDS
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

EARLIEST_BIRTH_DATE = date(1900, 1, 2)  # 1900-01-01 is what systems write that must have a date

GENDERS: dict[str | None, tuple[str, ...]] = {
    "female": ("female", "f", "w", "weiblich", "frau", "feminin", "woman", "mrs", "ms"),
    "male": ("male", "m", "maennlich", "mannlich", "herr", "maskulin", "man", "mr"),
    "diverse": ("diverse", "divers", "d", "x", "nonbinary", "nichtbinaer", "other", "inter"),
}
NO_GENDER = ("u", "unknown", "unbekannt", "keineangabe", "notspecified", "0", "9")

# ISO 639-1 with what people write; the code itself is always understood.
LANGUAGES = {
    "de": ("deutsch", "german", "deu", "ger"),
    "en": ("englisch", "english", "eng"),
    "fr": ("franzoesisch", "franzosisch", "french", "francais", "fra", "fre"),
    "it": ("italienisch", "italian", "italiano", "ita"),
    "es": ("spanisch", "spanish", "espanol", "spa"),
    "nl": ("niederlaendisch", "niederlandisch", "dutch", "nederlands", "nld", "dut"),
    "pl": ("polnisch", "polish", "polski", "pol"),
    "cs": ("tschechisch", "czech", "cestina", "ces", "cze"),
    "da": ("daenisch", "danisch", "danish", "dansk", "dan"),
    "sv": ("schwedisch", "swedish", "svenska", "swe"),
    "tr": ("tuerkisch", "turkisch", "turkish", "turkce", "tur"),
    "ru": ("russisch", "russian", "rus"),
    "uk": ("ukrainisch", "ukrainian", "ukr"),
    "pt": ("portugiesisch", "portuguese", "portugues", "por"),
    "hu": ("ungarisch", "hungarian", "magyar", "hun"),
    "ro": ("rumaenisch", "rumanisch", "romanian", "romana", "ron", "rum"),
    "hr": ("kroatisch", "croatian", "hrvatski", "hrv"),
    "sk": ("slowakisch", "slovak", "slovencina", "slk"),
    "sl": ("slowenisch", "slovenian", "slovenscina", "slv"),
    "el": ("griechisch", "greek", "ell", "gre"),
    "bg": ("bulgarisch", "bulgarian", "bul"),
    "ar": ("arabisch", "arabic", "ara"),
    "zh": ("chinesisch", "chinese", "zho", "chi"),
    "ja": ("japanisch", "japanese", "jpn"),
    "fi": ("finnisch", "finnish", "suomi", "fin"),
    "no": ("norwegisch", "norwegian", "norsk", "nor", "nb", "nn"),
}

ATTRIBUTE_FIELDS = ("job_title", "gender", "language", "lead_source")
TEXT_FIELDS = (*NAME_FIELDS, *ADDRESS_FIELDS, "company_name", *ATTRIBUTE_FIELDS)


def placeholder_rules(fields: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(
        Rule("placeholder", {field: "cast(null as text)"}, when=f"is_placeholder({field})", confidence=0.95)
        for field in fields
    )


def birth_date_rules(as_of: date) -> tuple[Rule, ...]:
    """The rules in their order; `as_of` is the day the build is computed for."""
    day = f"date {literal(as_of.isoformat())}"
    return (
        Rule(
            "birth_date_too_early",
            {"birth_date": "cast(null as date)"},
            when=f"birth_date < date {literal(EARLIEST_BIRTH_DATE.isoformat())} and birth_date <> date '1900-01-01'",
            confidence=0.95,
        ),
        Rule(
            "birth_date_placeholder",
            {"birth_date": "cast(null as date)"},
            when="birth_date = date '1900-01-01'",
            confidence=0.95,
        ),
        Rule("birth_date_in_future", {"birth_date": "cast(null as date)"}, when=f"birth_date > {day}"),
    )


def _closed_set(field: str, compared: str, values: Mapping[str | None, Iterable[str]]) -> tuple[Rule, Rule]:
    """Known spellings become the value of the set; unknown ones are only reported, and left out of `clean.persons`."""
    pairs = [(spelling, value) for value, spellings in values.items() for spelling in spellings]
    known = f"[{', '.join(literal(spelling) for spelling, _ in pairs)}]"
    meant = f"[{', '.join('null' if value is None else literal(value) for _, value in pairs)}]"
    return (
        Rule(
            f"{field}_normalized",
            {field: f"map({known}, {meant})[{compared}]"},
            when=f"list_contains({known}, {compared})",
        ),
        Rule(
            f"{field}_unknown",
            {field: "cast(null as text)"},
            when=f"{field} is not null and not list_contains({known}, {compared})",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    )


ATTRIBUTE_RULES = (
    *_closed_set("gender", "folded(gender)", {**GENDERS, None: NO_GENDER}),
    *_closed_set(
        "language",
        # The region of de-DE or de_AT says nothing about the language.
        "folded(regexp_replace(language, '^([a-zA-Z]{2})[-_].*$', '\\1'))",
        {code: (code, *names) for code, names in LANGUAGES.items()},
    ),
)
