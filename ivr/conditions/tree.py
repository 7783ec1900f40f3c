"""A condition as a tree: what cel-expr-python parsed, in our own few types.

Decides what a text may look like at all (length, depth, grammar) and says what is wrong in an admin's words. It refuses
to know names and kinds. The library hands a parsed text out as a protobuf message only; the part of its
`syntax.proto` that we read is described here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ivr.errors import ConditionError

MAX_LENGTH = 500
"""Characters of one condition. The library itself allows 32 brackets within each other."""

Constant = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Literal:
    value: Constant
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Several:
    """A list literal."""

    items: tuple[Tree, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function, by CEL's own name, such as `_&&_`. What a method is called on comes first."""

    function: str
    args: tuple[Tree, ...]
    method: bool
    at: int


Tree = Literal | Name | Several | Call
"""`at` is the offset in the text, counted in characters."""


def parse(text: str) -> tuple[cel.Expression, Tree]:
    """The text ready to run, and as a tree. Raises `ConditionError`."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition of {len(text)} characters: {MAX_LENGTH} is the most", 1)
    if not text.strip():
        raise ConditionError("an empty condition", 1)
    strange = next((at for at, character in enumerate(text) if _STRANGE.match(character)), None)
    if strange is not None:
        raise ConditionError(f"the character U+{ord(text[strange]):04X} cannot be in a condition", strange + 1)
    if (comment := _bare(text).find("//")) >= 0:
        raise ConditionError("'//' would begin a comment; write / to divide", comment + 1)
    try:
        program = _parser().compile(text, disable_check=True)
    except (RuntimeError, ValueError) as error:
        raise _syntax_error(str(error), text) from None
    try:
        parsed = _messages()["ParsedExpr"].FromString(_messages()["Any"].FromString(program.serialize()).value)
    except DecodeError:
        raise ConditionError("nested too deeply", 1) from None
    places = {place.key: place.value for place in parsed.source_info.positions}
    return program, _tree(parsed.expr, places, text)


def mentioned(text: str) -> set[str]:
    """Every name in a text, whether or not it is a condition."""
    return set(re.findall(r"[A-Za-z_]\w*", _bare(text)))


def walk(tree: Tree) -> Iterator[Tree]:
    """The tree and everything below."""
    yield tree
    for below in tree.args if isinstance(tree, Call) else tree.items if isinstance(tree, Several) else ():
        yield from walk(below)


def same(one: Tree, other: Tree) -> bool:
    return shape(one) == shape(other)


def shape(tree: Tree) -> object:
    """The tree without its places: equal for what means the same."""
    match tree:
        case Literal(value=value):
            return type(value).__name__, value
        case Name(name=name):
            return name
        case Several(items=items):
            return "[]", *map(shape, items)
        case Call(function=function, args=args):
            return function, *map(shape, args)


def _tree(expr: Any, places: Mapping[int, int], text: str) -> Tree:
    at = places.get(expr.id, 0)
    match expr.WhichOneof("kind"):
        case "const_expr":
            kind = expr.const_expr.WhichOneof("kind")
            if kind in _REFUSED_CONSTANTS:
                raise ConditionError(_REFUSED_CONSTANTS[kind], at + 1)
            return Literal(getattr(expr.const_expr, kind), at)
        case "ident_expr":
            return Name(expr.ident_expr.name.removeprefix("."), at)
        case "list_expr":
            return Several(tuple(_tree(item, places, text) for item in expr.list_expr.elements), at)
        case "call_expr":
            call = expr.call_expr
            method = call.HasField("target")
            args = [call.target, *call.args] if method else call.args
            if call.function.isidentifier():
                at = max(text.rfind(call.function, 0, at), 0)  # the library says where its bracket stands
            return Call(call.function, tuple(_tree(arg, places, text) for arg in args), method, at)
        case "select_expr":
            raise ConditionError(f"{expr.select_expr.field!r} after a dot: a variable has no parts", at + 1)
        case "comprehension_expr":
            raise ConditionError("'all', 'exists', 'map' and 'filter' cannot be used: a condition has no loops", at + 1)
        case _:
            raise ConditionError("{...} cannot be used in a condition", at + 1)


_STRANGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_REFUSED_CONSTANTS = {
    "null_value": "'null' cannot be used: every variable has a value",
    "uint64_value": "write a number without 'u'",
    "bytes_value": "write a text without 'b' before it",
}
_REPORTED = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_WORDS = (
    (r"Syntax error: mismatched input '<EOF>'.*", "something is missing at the end"),
    (r"Syntax error: (?:mismatched|extraneous) input '(.*)' expecting .*", "{0!r} does not belong here"),
    (r"Syntax error: no viable alternative at input '(.*)'", "{0!r} does not belong here"),
    (r"Syntax error: missing '(.*)' at '(.*)'", "{0!r} is missing before {1!r}"),
    (r"Syntax error: token recognition error at: '(.*?)'?", "{0!r} cannot be read"),
    (r"reserved identifier: (.*)", "{0!r} is a word of the language and cannot be a name"),
    (r"unsupported syntax '(.*)'", "{0!r} cannot be used in a condition"),
    (r"invalid (?:hex )?int literal", "a number of too many digits"),
    (r"Invalid string literal: (.*)", "this text cannot be read: {0}"),
)


def _syntax_error(reported: str, text: str) -> ConditionError:
    if "recursion" in reported:
        return ConditionError("nested too deeply", 1)
    found = _REPORTED.search(reported)
    if found is None:
        return ConditionError("{...} cannot be used in a condition", 1)
    before = text.split("\n")[: int(found[1]) - 1]
    column = min(sum(len(line) + 1 for line in before) + int(found[2]), len(text) + 1)
    for pattern, words in _WORDS:
        if match := re.fullmatch(pattern, found[3]):
            said = words.format(*(part.replace("<EOF>", "the end").strip() for part in match.groups()))
            return ConditionError(said + _habit(text), column)
    return ConditionError("this cannot be read" + _habit(text), column)


_HABITS = (
    (r"(?<![=!<>])=(?![=])", "write == to compare"),
    (r"\band\b|(?<!&)&(?!&)", "write && for 'and'"),
    (r"\bor\b|(?<!\|)\|(?!\|)", "write || for 'or'"),
    (r"\bnot\b", "write ! for 'not'"),
    (r"<>", "write != for 'not equal'"),
    (r"[\u201c\u201d\u2018\u2019]", "write straight quotes"),
    (r"[{}]", "write a variable's name without braces"),
)


def _habit(text: str) -> str:
    """What people write who know another language, said when the text cannot be read anyway."""
    bare = _bare(text)
    return next((f"; {hint}" for pattern, hint in _HABITS if re.search(pattern, bare)), "")


def _bare(text: str) -> str:
    """As long as the text, with nothing between quotes."""
    return _QUOTED.sub(lambda found: " " * len(found.group()), text)


@cache
def _parser() -> cel.Env:
    return cel.NewEnv()


_FIELDS = {
    "Any": "1 string type_url, 2 bytes value",
    "Constant": "1 int64 null_value?, 2 bool bool_value?, 3 int64 int64_value?, 4 uint64 uint64_value?, "
    "5 double double_value?, 6 string string_value?, 7 bytes bytes_value?",
    "Ident": "1 string name",
    "Select": "2 string field",
    "Call": "1 Expr target, 2 string function, 3 Expr args*",
    "CreateList": "1 Expr elements*",
    "Other": "",
    "Expr": "2 int64 id, 3 Constant const_expr?, 4 Ident ident_expr?, 5 Select select_expr?, 6 Call call_expr?, "
    "7 CreateList list_expr?, 8 Other struct_expr?, 9 Other comprehension_expr?",
    "Position": "1 int64 key, 2 int32 value",
    "SourceInfo": "4 Position positions*",
    "ParsedExpr": "2 Expr expr, 3 SourceInfo source_info",
}
"""The messages that are read: number, type and name; * is repeated, ? one of the message's `kind`."""


@cache
def _messages() -> dict[str, Any]:
    scalar = {
        name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
        for name in ("int32", "int64", "uint64", "double", "bool", "string", "bytes")
    }
    file = descriptor_pb2.FileDescriptorProto(name="condition.proto", package="condition", syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        if "?" in fields:
            described.oneof_decl.add(name="kind")
        for field in filter(None, fields.split(", ")):
            number, kind, name = field.split()
            added = described.field.add(name=name.rstrip("*?"), number=int(number), label=3 if "*" in name else 1)
            if "?" in name:
                added.oneof_index = 0
            if kind in scalar:
                added.type = scalar[kind]
            else:
                added.type, added.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, f".condition.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"condition.{name}")) for name in _FIELDS}
