"""E-mail addresses: the rules that mend them, and what is known of a mailbox besides.

Add a rule to `BLOCKS`, with its name in `pipelines.configuration.cleaning`. Whether an address can receive mail is not
known here, only whether it can be an address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pipelines.clean.blocks import Blocks, build_rules, placeholder_rules
from pipelines.clean.functions import sql_list
from pipelines.clean.rules import Rule, apply_rules
from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import DomainTypos, EmailMatching, KnownDomainTypos, Placeholders, RuleConfig

PROVIDERS = (
    *("gmail.com", "googlemail.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de"),
    *("yahoo.de", "yahoo.com", "hotmail.de", "hotmail.com", "outlook.de", "outlook.com", "live.de", "live.com"),
    *("icloud.com", "me.com", "mac.com", "aol.com", "aol.de", "msn.com", "posteo.de", "mailbox.org", "arcor.de"),
    *("online.de", "mail.de", "email.de", "1und1.de", "kabelmail.de", "vodafone.de", "bluewin.ch", "chello.at"),
    *("proton.me", "protonmail.com", "ymail.com", "mail.com"),
)
# Typing errors that are so common that they need no evidence; none of them offers mail boxes of its own.
KNOWN_TYPOS = {
    "gmail.com": ("gmial.com", "gmal.com", "gamil.com", "gnail.com", "gmail.con", "gmail.co", "gmail.cm", "gmailcom"),
    "googlemail.com": ("googelmail.com", "googlemail.con", "googlmail.com"),
    "gmx.de": ("gxm.de", "gmx.ed", "gmxde", "gmx.dee"),
    "web.de": ("wep.de", "wbe.de", "web.ed", "webde", "web.dee"),
    "t-online.de": ("tonline.de", "t-onlin.de", "t-online.ed", "t-onlien.de", "t-onine.de"),
    "hotmail.com": ("hotmial.com", "hotmal.com", "hotmail.con", "homail.com"),
    "yahoo.com": ("yaho.com", "yahoo.con", "yhaoo.com"),
    "yahoo.de": ("yaho.de", "yahoo.ed", "yhaoo.de"),
    "outlook.com": ("outlok.com", "outlook.con", "outloook.com"),
    "outlook.de": ("outlok.de", "outlook.ed", "outloook.de"),
    "icloud.com": ("iclod.com", "icloud.con", "icoud.com"),
    "freenet.de": ("frenet.de", "freenet.ed", "freenett.de"),
}
MIN_PROVIDER_LENGTH = 9  # one letter of a shorter domain makes another real one: weg.de, line.de, mall.com

ROLE_MAILBOXES = words(
    "info office kontakt contact service support hilfe help mail post hello hallo sales vertrieb verkauf "
    "buchhaltung accounting rechnung rechnungen invoice billing einkauf purchasing bestellung bestellungen order "
    "orders verwaltung zentrale empfang sekretariat bewerbung jobs karriere hr personal marketing presse press "
    "shop team admin administrator webmaster postmaster hostmaster noreply no-reply donotreply newsletter "
    "datenschutz privacy kundenservice kundendienst anfrage anfragen"
)

_LOCAL = r"[a-z0-9!#$%&''*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&''*+/=?^_`{|}~-]+)*"
_DOMAIN = r"(?:[a-z0-9\p{L}](?:[a-z0-9\p{L}-]*[a-z0-9\p{L}])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})"
_IS_ADDRESS = f"(regexp_full_match(value, '{_LOCAL}@{_DOMAIN}') and length(value) <= 254 and strpos(value, '@') <= 65)"
_DOMAIN_OF_VALUE = "split_part(value, '@', 2)"


def _with_domain(table: str) -> str:
    return f"split_part(value, '@', 1) || '@' || (select provider from {table} where domain = {_DOMAIN_OF_VALUE})"


def _list_known_typos(connection: DuckDBPyConnection, _: str, entry: KnownDomainTypos) -> None:
    typos = {typo: provider for known in (KNOWN_TYPOS, entry.domains) for provider in known for typo in known[provider]}
    pairs = ", ".join(f"({sql_list(pair)})" for pair in typos.items())
    connection.execute(
        f"create or replace temp table known_typos as select * from (values {pairs}) as typo(domain, provider)"
    )


def _find_mistyped_domains(connection: DuckDBPyConnection, _: str, entry: DomainTypos) -> None:
    """Rare domains one typing error away from a provider; another country's branch of a provider is none."""
    providers = ", ".join(f"({sql_list([provider])})" for provider in (*PROVIDERS, *entry.providers))
    connection.execute(
        f"""
        create or replace temp table mistyped_domains as
        with providers as (select * from (values {providers}) as provider(provider)),
        domains as (
            select {_DOMAIN_OF_VALUE} as domain, count(*) as address_count
            from email_drafts where contains(value, '@') group by all
        ),
        candidates as (
            select domains.domain, providers.provider, provider_domains.address_count as provider_count
            from domains
            inner join providers
                on abs(length(domains.domain) - length(providers.provider)) <= 1
                and length(providers.provider) >= {MIN_PROVIDER_LENGTH}
                and damerau_levenshtein(domains.domain, providers.provider) = 1
            inner join domains as provider_domains on provider_domains.domain = providers.provider
            where
                domains.domain not in (select provider from providers)
                and (
                    split_part(domains.domain, '.', -1) = split_part(providers.provider, '.', -1)
                    or split_part(domains.domain, '.', -1) not in (select lower(iso2) from country_names)
                )
                and domains.address_count <= {entry.max_share} * provider_domains.address_count
        )
        select domain, arg_min(provider, (-provider_count, provider)) as provider from candidates group by domain
        """
    )


_PLAIN: dict[str, tuple[Rule, ...]] = {
    "wrapping": (
        Rule(
            "email_wrapping",
            {
                "value": r"""trim(regexp_replace(
                case when contains(value, '<') then regexp_extract(value, '<([^<>]*)>', 1) else value end,
                '(?i)^\s*mailto:', ''), ' "<>;,.' || '''')"""
            },
            when=r"""regexp_matches(value, '(?i)^\s*mailto:|<[^<>]*@[^<>]*>|^[\s"<>;,.'']|[\s"<>;,.'']$')""",
            confidence=0.98,
        ),
    ),
    "separators": (
        Rule(
            "email_separators",
            {
                "value": r"""regexp_replace(regexp_replace(
                value, '(?i)\s*(?:@|\(at\)|\[at\])\s*', '@'), '@([^@,\s]+)[,\s]+([a-zA-Z]{2,4})$', '@\1.\2')"""
            },
            when=r"regexp_matches(value, '(?i)\s|\(at\)|\[at\]|,')",
            confidence=0.95,
        ),
    ),
    "lower_case": (Rule("email_lower_case", {"value": "lower(value)"}, when="value is not null", is_final=True),),
    "filled_in": (
        # test@test.de, keine@keine.de: the word for nothing on both sides, because the form insists on an address.
        Rule(
            "email_filled_in",
            {"value": "cast(null as text)"},
            when=f"is_placeholder(split_part(value, '@', 1)) and "
            f"split_part({_DOMAIN_OF_VALUE}, '.', 1) = split_part(value, '@', 1)",
            confidence=0.95,
        ),
    ),
    "invalid": (
        Rule(
            "email_invalid",
            {"value": "cast(null as text)"},
            when=f"value is not null and not {_IS_ADDRESS}",
            is_final=True,
        ),
    ),
}


def _placeholders(entry: Placeholders) -> Sequence[Rule]:
    return tuple(replace(rule, name="email_placeholder") for rule in placeholder_rules(["value"], entry.words))


def _mend_domain(
    name: str, typos: str, confidence: float, prepare: Callable[[DuckDBPyConnection, str], None]
) -> tuple[Rule]:
    """A rule that writes the provider for a domain of the table `typos`, which `prepare` makes."""
    when = f"{_DOMAIN_OF_VALUE} in (select domain from {typos})"
    return (Rule(name, {"value": _with_domain(typos)}, when, confidence, prepare=prepare),)


def _known_domain_typos(entry: KnownDomainTypos) -> Sequence[Rule]:
    return _mend_domain("email_known_typo", "known_typos", 0.98, partial(_list_known_typos, entry=entry))


def _domain_typos(entry: DomainTypos) -> Sequence[Rule]:
    return _mend_domain("email_domain_typo", "mistyped_domains", 0.9, partial(_find_mistyped_domains, entry=entry))


BLOCKS: Blocks = {
    "placeholders": _placeholders,
    **dict.fromkeys(_PLAIN, lambda entry: _PLAIN[entry.rule]),
    "known_domain_typos": _known_domain_typos,
    "domain_typos": _domain_typos,
}


def list_shared_domains(matching: EmailMatching) -> tuple[str, ...]:
    """The domains at which anybody can have a mailbox, for free or to throw away."""
    from disposable_email_domains import blocklist

    return (*PROVIDERS, *matching.free_providers, *blocklist, *matching.disposable_domains)


def clean_emails(connection: DuckDBPyConnection, entries: Sequence[RuleConfig], matching: EmailMatching) -> None:
    """Apply the rules to `email_drafts`, and make the temporary table `email_values` by its ids."""
    from disposable_email_domains import blocklist

    apply_rules(connection, "email_drafts", build_rules(entries, BLOCKS))
    connection.execute(
        "create or replace temp table disposable_domains as select distinct unnest($1) as domain",
        [[*blocklist, *matching.disposable_domains]],
    )
    without_tag = "regexp_replace(split_part(value, '@', 1), '^([^+]+)\\+.*$', '\\1')"
    domains = " ".join(
        f"when domain in ({sql_list(others)}) then {literal(domain)}" for domain, others in matching.same_domain.items()
    )
    compared = f"case {domains} else domain end" if domains else "domain"
    connection.execute(
        f"""
        create or replace temp table email_values as
        with parts as (
            select
                id, raw_value, rejected, value, {without_tag} as mailbox,
                {without_tag if matching.ignore_plus_tag else "split_part(value, '@', 1)"} as local_part,
                {_DOMAIN_OF_VALUE} as domain
            from email_drafts
        )
        select
            id, raw_value, rejected, value,
            case
                when compared_domain in ({sql_list(matching.ignore_dots) or "null"}) then replace(local_part, '.', '')
                else local_part
            end || '@' || compared_domain as match_value,
            value is not null as is_valid,
            coalesce(mailbox in ({sql_list((*ROLE_MAILBOXES, *matching.role_mailboxes))}), false) as is_role_mailbox,
            coalesce(domain in (select domain from disposable_domains), false) as is_disposable,
            coalesce(domain in ({sql_list((*PROVIDERS, *matching.free_providers))}), false) as is_free_provider
        from (select *, {compared} as compared_domain from parts)
        """
    )
