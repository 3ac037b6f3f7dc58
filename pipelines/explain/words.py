"""What rules, reasons and statuses of identity mean, in words of people who know customers and not matching.

Add here the words for a new rule or reason of the stage resolve. A name that is not here is shown as it is.
"""

from __future__ import annotations

RULES = {
    "merged_in_source": "the source itself merged one into the other",
    "same_details": "they agree in everything that is known",
    "same_identifier": "the same personal number, and names that fit",
    "same_order": "one names an order of the other, and names that fit",
    "same_email_and_name": "the same e-mail address, and names that fit",
    "same_email_and_first_name": "the same e-mail address and first name; only the last name changed",
    "same_phone_and_name": "the same phone number and the same name",
    "same_name_birth_date_and_postal_code": "the same name, birth date and postal code",
    "same_names_and_birth_date": "the same names, divided alike or not, and the same birth date",
    "same_name_and_address": "the same name and address",
    "same_email_without_name": "the same e-mail address, which nobody of another name uses",
    "same_phone_without_name": "the same phone number, which nobody of another name uses",
    "must_link": "people decided it (must-link in overrides.csv)",
    "splink": "weighed field by field",
    "only_fit": "weighed field by field, and neither of them fits anybody else",
}

REASONS = {
    "different_first_names": "first names that cannot be one person's",
    "different_last_names": "last names that cannot be one person's",
    "different_birth_dates": "two different birth dates",
    "different_generations": "one is marked as the elder, the other as the younger",
    "open_generation": "one is marked as the elder or the younger, and nothing but the home tells who the other is",
    "numbered_mailboxes": "their mailboxes have one name and other numbers, as namesakes have",
    "other_details": "one name and home, but mailbox and phone of their own: they may be father and son",
    "cluster_has_nothing_in_common": "much is known of the two customers, and nothing but the name agrees",
    "family_only": "nothing but the family's name and home agrees",
    "fits_several": "it fits several people who share a value, and nothing tells which of them it is",
    "shared_by_several_names": "the shared value is used under several names",
    "too_many_names": "the shared value is used under too many names to be evidence",
    "too_many_birth_dates": "the shared value is used with too many birth dates to be evidence",
    "blocked_value": "the shared value is blocked",
    "name_only": "nothing but the name agrees",
    "cluster_disagrees": "the other records of the two customers speak against it",
    "cluster_has_different_first_names": "the two customers have records whose first names cannot be one person's",
    "cluster_has_different_generations": "the two customers have records of an elder and of a younger person",
    "cluster_has_different_birth_dates": "the two customers have records with two different birth dates",
    "crowd": "too many spellings hang together here; only direct evidence counts",
    "cannot_link": "people decided it (cannot-link in overrides.csv)",
}

COMPANY_RULES = {
    "merged_at_source": "the source itself merged one into the other",
    "vat_id": "the same VAT id",
    "register_number": "the same entry in the commercial register",
    "name_and_postal_code": "the same name and postal code",
    "weighed": "weighed field by field",
    "must_link": "people decided it (must-link in overrides.csv)",
}

COMPANY_REASONS = {
    "other_vat_id": "two VAT ids of one country",
    "other_register_entry": "two entries at one court",
    "other_legal_form": "two legal forms",
    "cluster_has_other_vat_id": "the two accounts have records with two VAT ids of one country",
    "cluster_has_other_register_entry": "the two accounts have records with two entries at one court",
    "cluster_has_other_legal_form": "the two accounts have records with two legal forms",
    "cluster_disagrees": "the other records of the two accounts speak against it",
    "ambiguous": "it fits another company, which cannot be this one, about as well",
    "too_little": "alike, but not enough to be certain",
    "cannot_link": "people decided it (cannot-link in overrides.csv)",
}

FIELDS = {
    "start": "before anything is compared",
    "first_name": "first name",
    "last_name": "last name",
    "birth_date": "birth date",
    "email": "e-mail",
    "identifier": "personal number",
}

STRATEGIES = {
    "only_candidate": "nobody else has one",
    "most_complete": "the most complete",
    "source_priority": "the source that ranks first",
    "most_recent": "the most recent",
    "most_frequent": "what most records say",
    "longest_verified": "proven for the longest time",
    "override": "somebody decided it",
    "record_key": "equal in all else; the first key",
}


def say(words: dict[str, str], name: str) -> str:
    """The words for a name."""
    return words.get(name, name.replace("_", " "))
