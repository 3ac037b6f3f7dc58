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
# The same in other countries: no company's own domain there either.
FOREIGN_PROVIDERS = words(
    "aon.at a1.net inode.at hispeed.ch sunrise.ch gmx.com gmx.eu orange.fr wanadoo.fr laposte.net free.fr sfr.fr "
    "neuf.fr bbox.fr numericable.fr yahoo.fr hotmail.fr outlook.fr live.fr libero.it virgilio.it tiscali.it alice.it "
    "tin.it fastwebnet.it yahoo.it hotmail.it outlook.it live.it terra.es telefonica.net yahoo.es hotmail.es "
    "outlook.es sapo.pt hotmail.pt seznam.cz centrum.cz email.cz volny.cz azet.sk zoznam.sk centrum.sk wp.pl onet.pl "
    "interia.pl o2.pl op.pl gazeta.pl tlen.pl poczta.fm freemail.hu citromail.hu t-online.hu abv.bg mail.bg yahoo.ro "
    "otenet.gr telenet.be skynet.be proximus.be scarlet.be ziggo.nl kpnmail.nl hetnet.nl planet.nl home.nl xs4all.nl "
    "chello.nl live.nl hotmail.nl casema.nl upcmail.nl btinternet.com virginmedia.com sky.com talktalk.net "
    "ntlworld.com blueyonder.co.uk yahoo.co.uk hotmail.co.uk live.co.uk outlook.co.uk eircom.net telia.com spray.se "
    "hotmail.se live.se bredband.net online.no live.no hotmail.no mail.dk live.dk hotmail.dk jubii.dk luukku.com "
    "kolumbus.fi mail.ru yandex.ru ya.ru bk.ru list.ru inbox.ru rambler.ru ukr.net i.ua inbox.lv comcast.net "
    "verizon.net att.net sbcglobal.net cox.net charter.net bellsouth.net shaw.ca sympatico.ca rogers.com bigpond.com "
    "optusnet.com.au rocketmail.com email.com usa.com hey.com pm.me protonmail.ch tutanota.com tutanota.de tuta.io "
    "tuta.com fastmail.com fastmail.fm hushmail.com zoho.com posteo.net unitybox.de ewetel.net versanet.de "
    "osnanet.de netcologne.de mnet-online.de kabelbw.de uol.com.br bol.com.br terra.com.br qq.com 163.com 126.com "
    "naver.com hanmail.net"
)
# Typing errors that are so common that they need no evidence; none of them offers mail boxes of its own.
_COM_SLIPS = ("co", "cm", "om")  # of a domain of anybody they may be meant so, of these providers not
KNOWN_TYPOS: dict[str, tuple[str, ...]] = {
    "gmail.com": ("gmial.com", "gmal.com", "gamil.com", "gnail.com", "mgail.com", "gmailcom"),
    "googlemail.com": ("googelmail.com", "googlmail.com"),
    "gmx.de": ("gxm.de", "gmx.d", "gmxde"),
    "web.de": ("wbe.de", "web.d", "webde"),
    "t-online.de": ("tonline.de", "t-onlin.de", "t-online.d", "t-onlien.de", "t-onine.de"),
    "hotmail.com": ("hotmial.com", "hotmal.com", "homail.com"),
    "yahoo.com": ("yaho.com", "yhaoo.com"),
    "yahoo.de": ("yaho.de", "yhaoo.de"),
    "outlook.com": ("outlok.com", "outloook.com"),
    "outlook.de": ("outlok.de", "outloook.de"),
    "icloud.com": ("iclod.com", "icoud.com"),
    "freenet.de": ("frenet.de", "freenett.de"),
}
for _provider in ("gmail", "googlemail", "hotmail", "outlook", "icloud"):
    KNOWN_TYPOS[f"{_provider}.com"] += tuple(f"{_provider}.{slip}" for slip in _COM_SLIPS)
# What no address ends with, by what is meant.
MISSING_ENDINGS = {
    "com": ("con", "cmo", "ocm", "vom", "xom", "comm", "coom", "come"),
    "de": ("ed", "dee", "dde"),
    "net": ("nte", "nett"),
    "org": ("ogr", "rog", "orgg"),
}
MIN_PROVIDER_LENGTH = 9  # one letter of a shorter domain makes another real one: weg.de, line.de, mall.com
# Real domains one letter away from a provider.
LOOKALIKES = words("gail.com email.com cloud.com bluewine.ch cello.at onlive.de inline.de")

ROLE_MAILBOXES = words(
    "info office kontakt contact service support hilfe help mail post hello hallo sales vertrieb verkauf "
    "buchhaltung accounting rechnung rechnungen invoice billing einkauf purchasing bestellung bestellungen order "
    "orders verwaltung zentrale empfang sekretariat bewerbung jobs karriere hr personal marketing presse press "
    "shop team admin administrator webmaster postmaster hostmaster noreply no-reply donotreply newsletter "
    "datenschutz privacy kundenservice kundendienst anfrage anfragen abuse rechnungswesen enquiries bureau accueil "
    "comptabilite contacto recepcion ventas administracion contatti ufficio amministrazione segreteria vendite "
    "geral biuro kancelaria sprzedaz obchod receptie verkoop administratie kundtjanst asiakaspalvelu iroda"
)
# Mailboxes of those who have none, wherever they are.
NO_MAILBOXES = words(
    "nomail no-mail no.mail noemail no-email no.email keinemail keine-mail keine.mail keineemail keine-email "
    "keine.email kein-email keinemailadresse keine-adresse ohnemail ohne-mail ohneemail ohne-email hatkeine hat-keine "
    "hatkeinemail keineangabe keine-angabe nichtvorhanden nicht-vorhanden sansmail sans-email pasdemail sinemail "
    "sincorreo noemailaddress donthave geenmail geen-email"
)
# Domains that are kept free for examples (RFC 2606).
EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net")

_LOCAL = r"[a-z0-9!#$%&''*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&''*+/=?^_`{|}~-]+)*"
# Endings of other letters than Latin are those of countries and the like: рф, ελ, 中国.
_ENDING = (
    r"(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59}|[\p{Cyrillic}\p{Greek}\p{Arabic}\p{Hebrew}\p{Han}\p{Hangul}\p{Thai}]{2,})"
)
_DOMAIN = rf"(?:[a-z0-9\p{{L}}](?:[a-z0-9\p{{L}}-]*[a-z0-9\p{{L}}])?\.)+{_ENDING}"
_IS_ADDRESS = f"(regexp_full_match(value, '{_LOCAL}@{_DOMAIN}') and length(value) <= 254 and strpos(value, '@') <= 65)"
_NAME, _DOMAIN_OF_VALUE = "split_part(value, '@', 1)", "split_part(value, '@', 2)"


def _with_domain(table: str) -> str:
    return f"split_part(value, '@', 1) || '@' || (select provider from {table} where domain = {_DOMAIN_OF_VALUE})"


def _list_known_typos(connection: DuckDBPyConnection, _: str, entry: KnownDomainTypos) -> None:
    typos = {typo: provider for known in (KNOWN_TYPOS, entry.domains) for provider in known for typo in known[provider]}
    pairs = ", ".join(f"({sql_list(pair)})" for pair in typos.items())
    connection.execute(
        f"create or replace temp table known_typos as select * from (values {pairs}) as typo(domain, provider)"
    )


def _find_mistyped_domains(connection: DuckDBPyConnection, _: str, entry: DomainTypos) -> None:
    """Rare domains one typing error away from a provider; another country's branch of a provider is none.

    Whoever begins with another letter means something else: email.com, cloud.com.
    """
    all_providers = dict.fromkeys((*PROVIDERS, *FOREIGN_PROVIDERS, *entry.providers))
    providers = ", ".join(f"({sql_list([provider])})" for provider in all_providers)
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
                and (domains.domain[1] = providers.provider[1]
                    or domains.domain[:2] = providers.provider[2] || providers.provider[1])
                and damerau_levenshtein(domains.domain, providers.provider) = 1
            inner join domains as provider_domains on provider_domains.domain = providers.provider
            where
                domains.domain not in (select provider from providers)
                and domains.domain not in ({sql_list(LOOKALIKES)})
                and (
                    split_part(domains.domain, '.', -1) = split_part(providers.provider, '.', -1)
                    or split_part(domains.domain, '.', -1) not in (select lower(iso2) from country_names)
                )
                and domains.address_count <= {entry.max_share} * provider_domains.address_count
        )
        select domain, arg_min(provider, (-provider_count, provider)) as provider from candidates group by domain
        """
    )


# An address among other text, where that is clearly apart from it: behind a sign, or in front of one or a blank. What
# stands in front with a blank may belong to it: anna maier@web.de.
_ADDRESS_IN_TEXT = f"""'(?i)^(?:[^@]*[:<(\\["/]\\s*)?({_LOCAL}@{_DOMAIN})(?:[\\s,;/|?&>)"\\]].*)?$'"""
_AT = r"(?i)\s*(?:@+|[\(\[\{]\s*at\s*[\)\]\}])\s*"
_DOT = r"(?i)\s*[\(\[\{]\s*(?:dot|punkt)\s*[\)\]\}]\s*"
_SEPARATED = f"regexp_replace(regexp_replace(value, '{_AT}', '@'), '{_DOT}', '.', 'g')"
for _written, _unified in (
    (r"@([^@,\s.]+)[,\s]+([a-zA-Z]{2,4})$", r"@\1.\2"),  # firma,de
    (r"@([^@,\s.]+)(?:\s+\.\s*|\.\s+)([a-zA-Z]{2,4})$", r"@\1.\2"),  # firma. de
    (r"(?i)^([^\s@]+)\s+at\s+([^\s@]+\.[a-z]{2,})$", r"\1@\2"),  # anna at firma.de
    (r"(@[^@\s]+?)\.{2,}", r"\1."),
):
    _SEPARATED = f"regexp_replace({_SEPARATED}, '{_written}', '{_unified}')"

_PLAIN: dict[str, tuple[Rule, ...]] = {
    "wrapping": (
        Rule(
            "email_wrapping",
            {
                "value": r"""trim(regexp_replace(regexp_replace(
                case when regexp_matches(value, '<[^<>]*@[^<>]*>') then regexp_extract(value, '<([^<>]*@[^<>]*)>', 1)
                    else value end,
                '^"([^"\s]+)"@', '\1@'), '(?i)^\s*(?:mailto:\s*|www\.)', ''), ' "<>;,.' || '''')"""
            },
            when=r"""regexp_matches(
                value, '(?i)^\s*(?:mailto:|www\.[^@]*@)|<[^<>]*@[^<>]*>|^[\s"<>;,.'']|[\s"<>;,.'']$'
            )""",
            confidence=0.98,
        ),
    ),
    "separators": (
        Rule(
            "email_separators",
            {"value": _SEPARATED},
            when=r"regexp_matches(value, '(?i)\s|[\(\[\{](?:at|dot|punkt)|,|@@|\.\.')",
            confidence=0.95,
        ),
        # Of two addresses the first one.
        Rule(
            "email_in_text",
            {"value": f"regexp_extract(value, {_ADDRESS_IN_TEXT}, 1)"},
            when=r"""regexp_matches(value, '[\s:;,<(\[/|?&>)\]"]') """
            f"and not {_IS_ADDRESS.replace('value', 'lower(value)')} and regexp_matches(value, {_ADDRESS_IN_TEXT})",
            confidence=0.9,
        ),
    ),
    "lower_case": (Rule("email_lower_case", {"value": "lower(value)"}, when="value is not null", is_final=True),),
    "filled_in": (
        # test@test.de, keine@keine.de: the word for nothing on both sides, because the form insists on an address.
        Rule(
            "email_filled_in",
            {"value": "cast(null as text)"},
            when=f"{_DOMAIN_OF_VALUE} in ({sql_list(EXAMPLE_DOMAINS)}) "
            f"or {_NAME} in ({sql_list(NO_MAILBOXES)}) "
            rf"or (is_placeholder({_NAME}) or regexp_full_match({_NAME}, '\d+')) "
            f"and split_part({_DOMAIN_OF_VALUE}, '.', 1) = {_NAME}",
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


_ENDING_OF_VALUE = "split_part(value, '.', -1)"
_MEANT_ENDING = " ".join(
    f"when {_ENDING_OF_VALUE} in ({sql_list(slips)}) then {literal(meant)}" for meant, slips in MISSING_ENDINGS.items()
)
_ENDING_TYPO = Rule(
    "email_ending_typo",
    {"value": rf"regexp_replace(value, '[^.]+$', '') || case {_MEANT_ENDING} end"},
    when=f"contains(value, '@') and {_ENDING_OF_VALUE} in "
    f"({sql_list(slip for slips in MISSING_ENDINGS.values() for slip in slips)})",
    confidence=0.95,
)


def _known_domain_typos(entry: KnownDomainTypos) -> Sequence[Rule]:
    known = _mend_domain("email_known_typo", "known_typos", 0.98, partial(_list_known_typos, entry=entry))
    return (_ENDING_TYPO, *known)


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

    return (*PROVIDERS, *FOREIGN_PROVIDERS, *matching.free_providers, *blocklist, *matching.disposable_domains)


def clean_emails(connection: DuckDBPyConnection, entries: Sequence[RuleConfig], matching: EmailMatching) -> None:
    """Apply the rules to `email_drafts`, and make the temporary table `email_values` by its ids."""
    from disposable_email_domains import blocklist

    apply_rules(connection, "email_drafts", build_rules(entries, BLOCKS))
    connection.execute(
        "create or replace temp table disposable_domains as select distinct unnest($1) as domain",
        [[*blocklist, *matching.disposable_domains]],
    )
    connection.execute(
        "create or replace temp table free_providers as select distinct unnest($1) as domain",
        [[*PROVIDERS, *FOREIGN_PROVIDERS, *matching.free_providers]],
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
            coalesce(domain in (select domain from free_providers), false) as is_free_provider
        from (select *, {compared} as compared_domain from parts)
        """
    )
