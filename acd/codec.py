"""Facts, orders and specs as plain JSON values and back, by the types of their fields: a new one needs nothing here.

What equals its default is left out. What is marked `PERSONAL` is always left out and comes back empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from acd.model import PERSONAL

T = TypeVar("T")

Way = Callable[[Any], Any]
"""One direction of one type; None stands for the way that changes nothing."""

_KIND = "is"  # where a field may hold one of several classes, its value says which


class NotDecodable(Exception):
    """The text was written by another version, or damaged."""


def encode(value: Any) -> dict[str, Any]:
    """A dataclass as a mapping that `json` can write."""
    content: dict[str, Any] = {}
    cls: Any = type(value)
    for name, default, way in _encoding(cls):
        one = getattr(value, name)
        if default is MISSING or one != default:
            content[name] = one if way is None or one is None else way(one)
    return content


def decode(kind: type[T], content: Any) -> T:
    """The dataclass that `encode` was given, but for what is personal. Raises `NotDecodable`."""
    cls: Any = kind
    ways = _decoding(cls)
    try:
        values = {name: ways[name](one) if one is not None else None for name, one in content.items()}
        made: T = cls(**{name: "" for name in _personal(cls) if name not in values}, **values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotDecodable(f"{kind.__name__}: {error!r}") from None
    return made


@cache
def _encoding(cls: type[Any]) -> tuple[tuple[str, Any, Way | None], ...]:
    hints = get_type_hints(cls)
    return tuple((one.name, _default(one), _out(hints[one.name])) for one in fields(cls) if not _is_personal(one))


@cache
def _decoding(cls: type[Any]) -> Mapping[str, Way]:
    hints = get_type_hints(cls)
    return {one.name: _in(hints[one.name]) for one in fields(cls)}


@cache
def _personal(cls: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(cls) if _is_personal(one))


def _is_personal(one: Field[Any]) -> bool:
    return bool(one.metadata.get(PERSONAL))


def _default(one: Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _out(hint: Any) -> Way | None:
    options = _options(hint)
    if len(options) > 1 and any(map(is_dataclass, options)):
        return lambda value: {_KIND: type(value).__name__, **encode(value)}
    hint = options[0] if len(options) == 1 else Any
    if is_dataclass(hint):
        return encode
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _value
    inner = [_out(one) for one in _parts(hint)]
    if _mapping(hint):
        of_value = inner[1]
        return dict if of_value is None else lambda value: {key: of_value(one) for key, one in value.items()}
    if not any(inner):
        return None  # a tuple of what JSON knows is written as it is
    if _varied(hint):
        of_part = inner[0] or _same
        return lambda value: [of_part(one) for one in value]
    ways = [way or _same for way in inner]
    return lambda value: [way(one) for way, one in zip(ways, value, strict=True)]


def _in(hint: Any) -> Way:
    options = _options(hint)
    if len(options) > 1 and any(map(is_dataclass, options)):
        named = {one.__name__: one for one in options}
        return lambda value: decode(named[value[_KIND]], {key: one for key, one in value.items() if key != _KIND})
    if len(options) != 1:
        return _same
    hint = options[0]
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: decode(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    ways = [_in(one) for one in _parts(hint)]
    if _mapping(hint):
        return lambda value: {ways[0](key): ways[1](one) for key, one in value.items()}
    if _varied(hint):
        make, way = get_origin(hint), ways[0]
        return lambda value: make(way(one) for one in value)
    if not ways:
        return _same
    make = hint._make if hasattr(hint, "_make") else tuple
    return lambda value: make(way(one) for way, one in zip(ways, value, strict=True))


def _options(hint: Any) -> list[Any]:
    """What a value may be beside None."""
    if get_origin(hint) in (Union, UnionType):
        return [one for one in get_args(hint) if one is not NoneType]
    return [hint]


def _parts(hint: Any) -> list[Any]:
    """The types of the members of a tuple, a named tuple, a list, a set or a mapping."""
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return [*get_type_hints(hint).values()]
    return [one for one in get_args(hint) if one is not ...]


def _mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _varied(hint: Any) -> bool:
    """Of any length, all of one type."""
    return get_origin(hint) in (list, set, frozenset) or (get_origin(hint) is tuple and ... in get_args(hint))


def _same(value: Any) -> Any:
    return value


def _value(member: Enum) -> Any:
    return member._value_  # `value` is ten times as slow
