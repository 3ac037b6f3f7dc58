"""From the entries of `cleaning.yml` to the rules that are applied; the generic rules.

Add a generic rule here, one that fits every field. What belongs to one kind of value is in the `BLOCKS` of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.clean.functions import fold, sql_list
from pipelines.clean.rules import Rule, Status, with_status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import Lookup, Pattern, Placeholders, Replace, RuleConfig

# Control characters, the soft hyphen, spaces and marks without width, pictures; and blanks other than one space.
_INVISIBLE = (
    r"[\x{01}-\x{08}\x{0e}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{200b}\x{200e}\x{200f}\x{2060}\x{feff}"
    r"\x{fe0f}\x{2764}\x{2728}\x{1f000}-\x{1faff}]"
)
# Letters whose marks stand apart: the same text, as macOS writes it.
_APART = r"[\x{300}-\x{36f}\x{1100}-\x{11ff}\x{3099}\x{309a}]"
_QUOTES = '"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}'
_QUOTED = rf"^[{_QUOTES}]([^{_QUOTES}]+)[{_QUOTES}]$"
# What stands for an umlaut and the like where UTF-8 was read as Windows-1252 (MÃ¼ller), and HTML (M&uuml;ller).
_MISREAD = (
    r"[ÂÃÄÅ][\x{80}-\x{bf}\x{152}\x{153}\x{160}\x{161}\x{178}\x{17d}\x{17e}\x{192}\x{2c6}\x{2dc}\x{2013}-\x{203a}\x{20ac}"
    r"\x{2122}]|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8}\d?);"
)
# The two joiners say how letters of these scripts are written: without them the name is spelt in another way.
# Behind any other letter they are as stray as the rest.
_JOINED_SCRIPTS = (
    r"\p{Arabic}\p{Bengali}\p{Devanagari}\p{Gujarati}\p{Gurmukhi}\p{Kannada}\p{Khmer}\p{Malayalam}\p{Mongolian}"
    r"\p{Myanmar}\p{Oriya}\p{Sinhala}\p{Syriac}\p{Tamil}\p{Telugu}"
)
_STRAY_JOINERS = rf"(^|[^{_JOINED_SCRIPTS}\x{{200c}}\x{{200d}}])[\x{{200c}}\x{{200d}}]+"
_BLANKS = r"[\s\x{a0}\x{202f}]"
_OTHER_BLANKS = r"[\t\n\r\x{a0}\x{202f}]"

# What makes rules of one entry of the file. Entries are models of `pipelines.configuration.cleaning`.
Blocks = Mapping[str, Callable[[Any], Sequence[Rule]]]

_STATUS = {"apply": Status.APPLIED, "propose": Status.PROPOSED}


def build_rules(entries: Iterable[RuleConfig], blocks: Blocks) -> tuple[Rule, ...]:
    """The rules of one list of the file, in its order."""
    return tuple(
        rule
        for entry in entries
        for rule in with_status((_GENERIC | dict(blocks))[entry.rule](entry), _STATUS.get(entry.risk or ""))
    )


def placeholder_rules(fields: Iterable[str], words: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Text that stands for nothing becomes nothing; `words` do so as well, in any case."""
    further = [word.lower() for word in words]
    return tuple(
        Rule(
            "placeholder",
            {field: "cast(null as text)"},
            when=f"is_placeholder({field})" + (f" or lower({field}) in ({sql_list(further)})" if further else ""),
            confidence=0.95,
        )
        for field in fields
    )


def placeholder_block(
    fields: Sequence[str], words: Mapping[str, Sequence[str]] | None = None
) -> Callable[[Placeholders], Sequence[Rule]]:
    """`placeholders` of a list whose text fields these are; `words` stand for nothing in one field of them."""
    own = words or {}

    def build(entry: Placeholders) -> Sequence[Rule]:
        return tuple(
            rule
            for field in entry.fields or fields
            for rule in placeholder_rules([field], (*entry.words, *own.get(field, ())))
        )

    return build


def stray_characters_block(fields: Sequence[str]) -> Callable[[RuleConfig], Sequence[Rule]]:
    """`stray_characters` of a list whose text fields these are: what nobody sees is no part of a value."""
    stray = f"{_INVISIBLE}|{_OTHER_BLANKS}|{_BLANKS}{_BLANKS}|{_STRAY_JOINERS}|{_APART}|{_QUOTED}"
    return lambda _: (
        *(
            Rule(
                "misread_characters",
                {field: f"(select meant from misread where written = {field})"},
                when=f"{field} in (select written from misread)",
                confidence=0.95,
                prepare=partial(_read_again, fields=fields) if field == fields[0] else None,
            )
            for field in fields
        ),
        *(
            Rule(
                "stray_characters",
                {
                    field: "nullif(trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace("
                    f"nfc_normalize({field}), '{_INVISIBLE}', '', 'g'), '{_STRAY_JOINERS}', '\\1', 'g'), "
                    f"'{_BLANKS}+', ' ', 'g'), '{_QUOTED}', '\\1')), '')"
                },
                when=f"regexp_matches({field}, '{stray}')",
                confidence=0.99,
            )
            for field in fields
        ),
    )


def _read_again(connection: DuckDBPyConnection, draft: str, fields: Sequence[str]) -> None:
    """Make `misread`, what texts of these fields mean that were read in a wrong encoding or with the signs of HTML."""
    whole = f"concat_ws(' ', {', '.join(fields)})"
    written = connection.execute(
        f"""
        select distinct field from (
            select unnest([{", ".join(fields)}]) as field from {draft} where regexp_matches({whole}, '{_MISREAD}')
        ) where regexp_matches(field, '{_MISREAD}')
        """
    ).fetchall()
    pairs = [(text, read_again(text)) for (text,) in written]
    connection.execute("create or replace temp table misread (written text, meant text)")
    if pairs:
        connection.executemany("insert into misread values (?, ?)", pairs)


def read_again(text: str) -> str:
    """The text with HTML's names of characters resolved, and read as UTF-8 where it is that as a whole.

    The five bytes that Windows-1252 does not know are what they are in Latin-1.
    """
    import html

    text = html.unescape(text)
    try:
        return b"".join(_as_byte(character) for character in text).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _as_byte(character: str) -> bytes:
    return character.encode(
        "latin-1" if character in "\x81\x8d\x8f\x90\x9d" or "\xa0" > character > "\x7f" else "cp1252"
    )


def _look_up(entry: Lookup) -> Sequence[Rule]:
    meant = " ".join(
        f"when {literal(fold(written))} then {'null' if value is None else literal(value)}"
        for written, value in entry.values.items()
    )
    return (
        Rule(
            entry.name or f"{entry.field}_lookup",
            {entry.field: f"case folded({entry.field}) {meant} end"},
            when=f"folded({entry.field}) in ({sql_list(fold(written) for written in entry.values)})",
        ),
    )


def _replace(entry: Replace) -> Sequence[Rule]:
    replaced = f"regexp_replace({entry.field}, {literal(entry.pattern)}, {literal(entry.by)}, 'g')"
    return (
        Rule(
            entry.name or f"{entry.field}_replace",
            {entry.field: f"nullif(trim({replaced}), '')"},
            when=f"regexp_matches({entry.field}, {literal(entry.pattern)})",
        ),
    )


def _check_pattern(entry: Pattern) -> Sequence[Rule]:
    return (
        Rule(
            entry.name or f"{entry.field}_pattern",
            {entry.field: "cast(null as text)"},
            when=f"not regexp_full_match({entry.field}, {literal(entry.pattern)})",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    )


_GENERIC: dict[str, Callable[[Any], Sequence[Rule]]] = {
    "lookup": _look_up,
    "replace": _replace,
    "pattern": _check_pattern,
}
