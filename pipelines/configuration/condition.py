"""The conditions that owners write: a small part of SQL over the columns of a table, checked and rendered anew.

Add an operator here when owners need it; whatever is not understood here reaches no database. A full SQL parser would
take longer to import than all of the configuration to check. Which tables a condition is about says its caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Kind(StrEnum):
    """What a column or an expression is; only equal kinds are compared."""

    BOOLEAN = "true or false"
    NUMBER = "a number"
    TEXT = "a text"
    MOMENT = "a date"


_KINDS = {
    "varchar": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "date": Kind.MOMENT,
    "timestamp": Kind.MOMENT,
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<comment>--|/\*)|(?P<sign><>|!=|<=|>=|[=<>()+\-*/,]))"
)
_COMPARISONS = {"=", "<>", "!=", "<", "<=", ">", ">="}
_KEYWORDS = {"and", "or", "not", "in", "between", "like", "is", "null", "true", "false", "date"}


class ConditionError(ValueError):
    """The condition is not understood; the message is the second half of a sentence."""


@dataclass(frozen=True)
class _Part:
    sql: str
    kind: Kind


def kind_of(data_type: str) -> Kind:
    """The kind of a column by its SQL type."""
    return _KINDS.get(data_type.lower(), Kind.NUMBER)


def render_condition(text: str, columns: Mapping[str, Kind]) -> str:
    """The condition as safe SQL, every column quoted.

    Understood are columns, numbers, texts, `date '2026-01-31'`, `+ - * /`, comparisons, `in`, `between`, `like`,
    `is [not] null`, `and`, `or`, `not` and parentheses.

    Raises:
        ConditionError: for everything else, an unknown column, or kinds that cannot be compared.
    """
    parser = _Parser(text, columns)
    condition = parser.alternatives()
    if parser.token:
        raise ConditionError(f"'{parser.token}' is not expected after a complete condition")
    if condition.kind is not Kind.BOOLEAN:
        raise ConditionError(f"it is {condition.kind}, not a condition; compare it with something")
    return condition.sql


class _Parser:
    """Recursive descent, one method per level of precedence; `token` is the next one, empty at the end."""

    def __init__(self, text: str, columns: Mapping[str, Kind]) -> None:
        self._columns = columns
        self._tokens = list(_split(text))
        self._next = 0

    @property
    def token(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def alternatives(self) -> _Part:
        part = self._conjunction()
        while self._took("or"):
            part = _Part(f"({_condition(part)} or {_condition(self._conjunction())})", Kind.BOOLEAN)
        return part

    def _conjunction(self) -> _Part:
        part = self._negation()
        while self._took("and"):
            part = _Part(f"({_condition(part)} and {_condition(self._negation())})", Kind.BOOLEAN)
        return part

    def _negation(self) -> _Part:
        if self._took("not"):
            return _Part(f"(not {_condition(self._negation())})", Kind.BOOLEAN)
        return self._predicate()

    def _predicate(self) -> _Part:
        left = self._sum()
        if self.token in _COMPARISONS:
            operator = self._take()
            return _compare(left, operator, self._sum())
        if self._took("is"):
            negated = "not " if self._took("not") else ""
            self._expect("null")
            return _Part(f"({left.sql} is {negated}null)", Kind.BOOLEAN)
        negated = "not " if self.token.lower() == "not" and self._took("not") else ""
        if self._took("in"):
            return self._member(left, negated)
        if self._took("between"):
            low = self._sum()
            self._expect("and")
            high = self._sum()
            _compare(left, ">=", low)
            _compare(left, "<=", high)
            return _Part(f"({left.sql} {negated}between {low.sql} and {high.sql})", Kind.BOOLEAN)
        if self._took("like"):
            pattern = self._sum()
            if {left.kind, pattern.kind} != {Kind.TEXT}:
                raise ConditionError("'like' compares two texts")
            return _Part(f"({left.sql} {negated}like {pattern.sql})", Kind.BOOLEAN)
        if negated:
            raise ConditionError("after 'not' it needs 'in', 'between' or 'like'")
        return left

    def _member(self, left: _Part, negated: str) -> _Part:
        self._expect("(")
        values = [self._sum()]
        while self._took(","):
            values.append(self._sum())
        self._expect(")")
        for value in values:
            _compare(left, "=", value)
        return _Part(f"({left.sql} {negated}in ({', '.join(v.sql for v in values)}))", Kind.BOOLEAN)

    def _sum(self) -> _Part:
        part = self._product()
        while self.token in {"+", "-"}:
            part = _calculate(part, self._take(), self._product())
        return part

    def _product(self) -> _Part:
        part = self._value()
        while self.token in {"*", "/"}:
            part = _calculate(part, self._take(), self._value())
        return part

    def _value(self) -> _Part:
        if self._took("("):
            part = self.alternatives()
            self._expect(")")
            return _Part(f"({part.sql})", part.kind)
        if self._took("-"):
            return _calculate(_Part("0", Kind.NUMBER), "-", self._value())
        if not self.token:
            raise ConditionError("it ends where a value is expected")
        shape, token = self._tokens[self._next]
        self._next += 1
        if shape == "number":
            return _Part(token, Kind.NUMBER)
        if shape == "text":
            return _Part(token, Kind.TEXT)
        if shape == "word":
            return self._word(token.lower())
        raise ConditionError(f"'{token}' is not expected where a value stands")

    def _word(self, word: str) -> _Part:
        if word in {"true", "false"}:
            return _Part(word, Kind.BOOLEAN)
        if word == "date":
            shape, token = self._tokens[self._next] if self.token else ("", "")
            if shape != "text" or not re.fullmatch(r"'\d{4}-\d{2}-\d{2}'", token):
                raise ConditionError("a date is written date '2026-01-31'")
            self._next += 1
            return _Part(f"date {token}", Kind.MOMENT)
        if word in _KEYWORDS:
            raise ConditionError(f"'{word}' is not expected where a value stands; write 'is null' to ask for null")
        if word not in self._columns:
            similar = get_close_matches(word, self._columns, n=3)
            allowed = f"similar are {', '.join(similar)}" if similar else f"allowed: {', '.join(sorted(self._columns))}"
            raise ConditionError(f"'{word}' is not a column; {allowed}")
        return _Part(f'"{word}"', self._columns[word])

    def _took(self, expected: str) -> bool:
        if self.token.lower() == expected:
            self._next += 1
            return True
        return False

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _expect(self, expected: str) -> None:
        if not self._took(expected):
            found = f"found '{self.token}'" if self.token else "it ends"
            raise ConditionError(f"'{expected}' is expected, {found}")


def _split(text: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match["comment"]:
            raise ConditionError(f"'{text[position:].strip()[:1]}' is not allowed in a condition")
        tokens.append((str(match.lastgroup), match[match.lastgroup or 0]))
        position = match.end()
    return tokens


def _condition(part: _Part) -> str:
    if part.kind is not Kind.BOOLEAN:
        raise ConditionError(f"beside 'and', 'or' and 'not' stands {part.kind}; compare it with something")
    return part.sql


def _compare(left: _Part, operator: str, right: _Part) -> _Part:
    if left.kind is not right.kind:
        hint = "; a date is written date '2026-01-31'" if Kind.MOMENT in {left.kind, right.kind} else ""
        raise ConditionError(f"{left.kind} is compared with {right.kind}{hint}")
    return _Part(f"({left.sql} {operator} {right.sql})", Kind.BOOLEAN)


def _calculate(left: _Part, operator: str, right: _Part) -> _Part:
    if left.kind is not Kind.NUMBER or right.kind is not Kind.NUMBER:
        raise ConditionError(f"'{operator}' needs a number on both sides")
    return _Part(f"({left.sql} {operator} {right.sql})", Kind.NUMBER)
