"""`cleaning.yml`: how delivered values are cleaned, an ordered list of rules for each kind of value.

Add a parameter to a rule here, and a rule as a model of its own or as a name in the list of its section. What a rule
does is code of `pipelines.clean`; nothing here knows SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipelines.configuration.base import Model

Risk = Literal["apply", "propose"]
Word = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Domain = Annotated[str, Field(pattern=r"^[^@\s]+\.[a-z]{2,}$")]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]

NAME_FIELDS = Literal["salutation", "title", "first_name", "last_name", "full_name", "company_name"]
ADDRESS_FIELDS = Literal["street", "house_number", "postal_code", "city", "region", "country"]
ATTRIBUTE_FIELDS = Literal["job_title", "gender", "language", "lead_source"]
COMPANY_FIELDS = Literal["name", "legal_form", "vat_id", "register_number", "street", "postal_code", "city", "country"]

# What the engine's regular expressions do not have: looking around and back.
_UNKNOWN_TO_ENGINE = re.compile(r"\(\?[=!<]|\\[1-9]")


class RuleConfig(Model):
    """`risk` says whether the rule changes a value or only proposes to; without it, it does what is usual for it."""

    rule: str
    risk: Risk | None = None


class Lookup(RuleConfig):
    """The owner's own spellings: what is written, whatever its case and accents, becomes what is meant."""

    rule: Literal["lookup"]
    field: str
    values: Annotated[dict[Word, Word | None], Field(min_length=1)]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] | None = None


class Replace(RuleConfig):
    """Every match of a regular expression is replaced; `by` may refer to groups as `\\1`."""

    rule: Literal["replace"]
    field: str
    pattern: Word
    by: str = ""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] | None = None

    @field_validator("pattern")
    @classmethod
    def _is_understood(cls, value: str) -> str:
        return check_pattern(value)


class Pattern(RuleConfig):
    """A value that is not what the regular expression says as a whole is reported, or dropped with `risk: apply`."""

    rule: Literal["pattern"]
    field: str
    pattern: Word
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] | None = None

    @field_validator("pattern")
    @classmethod
    def _is_understood(cls, value: str) -> str:
        return check_pattern(value)


class Placeholders(RuleConfig):
    """Text that stands for nothing, in all text fields or these; `words` are further ones."""

    rule: Literal["placeholders"]
    words: tuple[Word, ...] = ()
    fields: tuple[str, ...] = ()


class PlainName(RuleConfig):
    rule: Literal["stray_characters", "whole_name_into_parts", "one_field_into_parts"]


class CompanyInPersonField(RuleConfig):
    rule: Literal["company_in_person_field"]
    legal_forms: tuple[Word, ...] = ()


class Salutations(RuleConfig):
    rule: Literal["salutations"]
    fields: tuple[Literal["full_name", "first_name", "last_name"], ...] = ("full_name", "first_name", "last_name")


class Titles(RuleConfig):
    rule: Literal["titles"]
    fields: tuple[Literal["full_name", "first_name", "last_name"], ...] = ("full_name", "first_name", "last_name")
    titles: tuple[Word, ...] = ()


class NameCasing(RuleConfig):
    rule: Literal["name_casing"]
    particles: tuple[Word, ...] = ()


class SwappedNames(RuleConfig):
    """A name whose parts are used the other way round everywhere else in the company's own data.

    Where the first name is nobody's last name, this is only proposed.

    Attributes:
        min_first_name_uses: how often the last name has to be somebody's first name.
        min_last_name_uses: how often the first name has to be somebody's last name.
        max_share_otherwise: how often either may be what it is here, as a share of that.
    """

    rule: Literal["swapped_names"]
    min_first_name_uses: Count = 5
    min_last_name_uses: Count = 3
    max_share_otherwise: Share = 0.1


class FirstNameTypo(RuleConfig):
    """A rare first name one slip from a frequent one: `max_share` of its uses at most, and it has `min_uses`."""

    rule: Literal["first_name_typo", "first_name_typo_by_email"]
    min_uses: Count = 10
    max_share: Share = 0.02


class PlainAddress(RuleConfig):
    rule: Literal[
        "stray_characters",
        "country_to_iso",
        "postal_code_format",
        "postal_code_leading_zero",
        "postal_code_of_country",
        "house_number_out_of_street",
        "post_box",
        "street_casing",
        "city_casing",
    ]


class StreetSpelling(RuleConfig):
    """Str. is written straße where it is usual; in Switzerland it is strasse."""

    rule: Literal["street_spelling"]
    countries: tuple[CountryCode, ...] = ("DE", "AT")


class LearnedPlace(RuleConfig):
    """Postal codes and cities as most records of the company have them.

    Attributes:
        min_records: so many records must agree on what is right.
        min_share: and this share of all records that have the postal code.
    """

    rule: Literal["city_spelling", "city_typo", "city_from_postal_code", "postal_code_or_city_wrong"]
    min_records: Count = 5
    min_share: Annotated[float, Field(ge=0.5, le=1)] = 0.8


class BirthDateRange(RuleConfig):
    """Nobody was born before `earliest` or after the day of the run; `placeholders` are what forms fill in."""

    rule: Literal["birth_date_range"]
    earliest: date = date(1900, 1, 2)
    placeholders: tuple[date, ...] = (date(1900, 1, 1),)


class BirthDateSwapped(RuleConfig):
    """Day and month the other way round than in the other records of the same name and mailbox or number."""

    rule: Literal["birth_date_day_month_swapped"]
    risk: Literal["propose"] = "propose"


class ClosedSet(RuleConfig):
    """`spellings` are further ways to write the members of the set, by member."""

    rule: Literal["gender", "language"]
    spellings: dict[Word, tuple[Word, ...]] = Field(default_factory=dict)


class PlainEmail(RuleConfig):
    rule: Literal["wrapping", "separators", "lower_case", "filled_in", "invalid"]


class KnownDomainTypos(RuleConfig):
    """`domains` are further slips, by the domain that is meant."""

    rule: Literal["known_domain_typos"]
    domains: dict[Domain, tuple[Word, ...]] = Field(default_factory=dict)


class DomainTypos(RuleConfig):
    """A rare domain one slip from a provider: at most `max_share` of the provider's addresses have it."""

    rule: Literal["domain_typos"]
    max_share: Share = 0.05
    providers: tuple[Domain, ...] = ()


class PlainPhone(RuleConfig):
    rule: Literal["e164", "invalid"]


class PlaceholderNumbers(RuleConfig):
    """`numbers` are further ones, compared by their digits."""

    rule: Literal["placeholders"]
    numbers: tuple[Annotated[str, Field(pattern=r"^[+\d\s/()-]+$")], ...] = ()


class PlainCompany(RuleConfig):
    rule: Literal["stray_characters", "country_to_iso", "legal_form", "vat_id_format", "vat_id_checksum"]


class EmailMatching(Model):
    """What of an e-mail address counts when mailboxes are compared or judged; the address itself stays as it is.

    Attributes:
        ignore_plus_tag: name+shop@ is the mailbox name@.
        ignore_dots: domains where n.ame@ is the mailbox name@.
        same_domain: domains that are one, by the one that stands for them.
        role_mailboxes: further names of mailboxes that several people read.
        disposable_domains: further providers of mailboxes to throw away.
        free_providers: further providers where anybody can have a mailbox.
    """

    ignore_plus_tag: bool = True
    ignore_dots: tuple[Domain, ...] = ("gmail.com",)
    same_domain: dict[Domain, tuple[Domain, ...]] = Field(default={"gmail.com": ("googlemail.com",)})
    role_mailboxes: tuple[Word, ...] = ()
    disposable_domains: tuple[Domain, ...] = ()
    free_providers: tuple[Domain, ...] = ()


def check_pattern(value: str) -> str:
    """A regular expression that Python and the engine understand alike.

    Raises:
        ValueError: it is none.
    """
    if _UNKNOWN_TO_ENGINE.search(value):
        raise ValueError("looking ahead or behind and back references are not supported; write a simpler pattern")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"this is no regular expression ({error})") from None
    return value


def _with_name(value: Any) -> Any:
    """A rule without parameters may be written as its name alone."""
    return {"rule": value} if isinstance(value, str) else value


def _named_fields(rule: RuleConfig) -> tuple[str, ...]:
    if isinstance(rule, Lookup | Replace | Pattern):
        return (rule.field,)
    return rule.fields if isinstance(rule, Placeholders | Salutations | Titles) else ()


def _check_fields(rules: Iterable[RuleConfig], fields: Any) -> None:
    """The fields that rules name are those of their list, a `Literal`."""
    allowed = get_args(fields)
    for rule in rules:
        for field in _named_fields(rule):
            if field not in allowed:
                raise ValueError(f"rule '{rule.rule}' names '{field}'; allowed are the fields {', '.join(allowed)}")


_Own = Lookup | Replace | Pattern
_ByName = Field(discriminator="rule")
NameRule = Annotated[
    Annotated[
        Placeholders
        | PlainName
        | CompanyInPersonField
        | Salutations
        | Titles
        | NameCasing
        | SwappedNames
        | FirstNameTypo
        | _Own,
        _ByName,
    ],
    BeforeValidator(_with_name),
]
AddressRule = Annotated[
    Annotated[Placeholders | PlainAddress | StreetSpelling | LearnedPlace | _Own, _ByName], BeforeValidator(_with_name)
]
AttributeRule = Annotated[Annotated[Placeholders | ClosedSet | _Own, _ByName], BeforeValidator(_with_name)]
BirthDateRule = Annotated[Annotated[BirthDateRange | BirthDateSwapped, _ByName], BeforeValidator(_with_name)]
EmailRule = Annotated[
    Annotated[Placeholders | PlainEmail | KnownDomainTypos | DomainTypos | _Own, _ByName], BeforeValidator(_with_name)
]
PhoneRule = Annotated[Annotated[PlaceholderNumbers | PlainPhone | _Own, _ByName], BeforeValidator(_with_name)]
CompanyRule = Annotated[Annotated[Placeholders | PlainCompany | _Own, _ByName], BeforeValidator(_with_name)]


class CleaningConfig(Model):
    """The rules of each kind of value, in the order in which they apply. A rule that is left out is off."""

    name: tuple[NameRule, ...] = ()
    address: tuple[AddressRule, ...] = ()
    attributes: tuple[AttributeRule, ...] = ()
    birth_date: tuple[BirthDateRule, ...] = ()
    email: tuple[EmailRule, ...] = ()
    phone: tuple[PhoneRule, ...] = ()
    company: tuple[CompanyRule, ...] = ()
    email_matching: EmailMatching = EmailMatching()

    @model_validator(mode="after")
    def _fields_are_those_of_the_list(self) -> CleaningConfig:
        _check_fields(self.name, NAME_FIELDS)
        _check_fields(self.address, ADDRESS_FIELDS)
        _check_fields(self.attributes, ATTRIBUTE_FIELDS)
        _check_fields(self.company, COMPANY_FIELDS)
        _check_fields((*self.email, *self.phone), Literal["value"])
        return self
