"""From the entries of `cleaning.yml` to the rules that are applied; the generic rules.

Add a generic rule here, one that fits every field. What belongs to one kind of value is in the `BLOCKS` of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.clean.functions import fold, sql_list
from pipelines.clean.rules import Rule, Status, with_status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pipelines.configuration.cleaning import Lookup, Pattern, Placeholders, Replace, RuleConfig

# Control characters, the soft hyphen, and spaces and marks without width; and blanks that are not one plain space.
_INVISIBLE = r"[\x{01}-\x{08}\x{0e}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{200b}\x{200e}\x{200f}\x{2060}\x{feff}]"
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
    return lambda _: tuple(
        Rule(
            "stray_characters",
            {
                field: f"nullif(trim(regexp_replace(regexp_replace(regexp_replace({field}, '{_INVISIBLE}', '', 'g'), "
                f"'{_STRAY_JOINERS}', '\\1', 'g'), '{_BLANKS}+', ' ', 'g')), '')"
            },
            when=f"regexp_matches({field}, '{_INVISIBLE}|{_OTHER_BLANKS}|{_BLANKS}{_BLANKS}|{_STRAY_JOINERS}')",
            confidence=0.99,
        )
        for field in fields
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
