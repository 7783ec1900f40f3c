"""The state of an engine as plain JSON values, and an engine put back into that state: where a replay can begin.

Everything that hangs on an engine is walked by its attributes, so that new state needs nothing here. What is shared
stays shared. Functions are no state: a new engine has its own, and is filled. Nothing personal is taken along.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any

from acd.engine import Engine
from acd.model import PERSONAL

_MAPPINGS, _MANY = (dict, Counter), (list, deque, set)
_OURS = "acd."


class SnapshotMismatch(Exception):
    """Taken by a program whose engine is built otherwise, or damaged."""


def snapshot(engine: Engine) -> dict[str, Any]:
    walk = _Walk()
    state = walk.value(engine)
    return {"classes": list(walk.classes), "state": state}


def restore(content: dict[str, Any], new_offer_id: Callable[[], str]) -> Engine:
    """An engine that goes on as the other one did. Raises `SnapshotMismatch`."""
    engine = Engine((), (), new_offer_id)
    try:
        _Build([_class_named(name) for name in content["classes"]]).value(content["state"], engine)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise SnapshotMismatch(repr(error)) from None
    return engine


class _Walk:
    """What can change is numbered when first met; met again, the number is enough."""

    def __init__(self) -> None:
        self.classes: dict[str, int] = {}
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # an id is an object's own only while the object lives

    def value(self, value: Any, *, fixed: bool = False) -> Any:
        """`fixed`: part of something that never changes, so that whether it is shared makes no difference."""
        if value is None or type(value) in (str, int, float, bool):
            return value
        if isinstance(value, Enum):
            return ["enum", self._class(type(value)), value.value]
        if isinstance(value, tuple):
            return ["tuple", self._class(type(value)), *(self.value(one, fixed=fixed) for one in value)]
        if isinstance(value, frozenset):
            return ["frozenset", *_in_order(map(self.value, value))]
        if _frozen(type(value)):
            return ["frozen", self._class(type(value)), self._state(value, fixed=True)]
        if fixed and isinstance(value, Mapping):
            return ["mapping", [[self.value(key), self.value(one, fixed=True)] for key, one in value.items()]]
        number = self._seen.get(id(value))
        if number is not None:
            return ["again", number]
        number = self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        name = self._class(type(value))
        if type(value) in _MAPPINGS:
            return ["dict", number, name, [[self.value(key), self.value(one)] for key, one in value.items()]]
        if type(value) in _MANY:
            members = map(self.value, value)
            return ["many", number, name, *(_in_order(members) if isinstance(value, set) else members)]
        return ["object", number, name, self._state(value, fixed=False)]

    def _state(self, value: Any, *, fixed: bool) -> dict[str, Any]:
        state = {one: getattr(value, one) for one in _attributes(type(value), value) if hasattr(value, one)}
        return {one: self.value(part, fixed=fixed) for one, part in state.items() if not _code(part)}

    def _class(self, cls: type[Any]) -> int:
        return self.classes.setdefault(f"{cls.__module__}:{cls.__qualname__}", len(self.classes))


class _Build:
    """Objects and containers that the new engine has already are filled in place: its functions know them."""

    def __init__(self, classes: list[type[Any]]) -> None:
        self._classes = classes
        self._made: dict[int, Any] = {}

    def value(self, content: Any, there: Any = None) -> Any:
        if not isinstance(content, list):
            return content
        match content:
            case ["again", number]:
                return self._made[number]
            case ["enum", cls, value]:
                return self._classes[cls](value)
            case ["tuple", cls, *members]:
                members = [self.value(one) for one in members]
                make = getattr(self._classes[cls], "_make", tuple)
                return make(members)
            case ["frozenset", *members]:
                return frozenset(self.value(one) for one in members)
            case ["mapping", pairs]:
                return {self.value(key): self.value(one) for key, one in pairs}
            case ["dict", number, cls, pairs]:
                mapping = self._begin(number, cls, there)
                mapping.clear()
                for key, one in pairs:
                    mapping[self.value(key)] = self.value(one)
                return mapping
            case ["many", number, cls, *members]:
                many = self._begin(number, cls, there)
                many.clear()
                add = many.add if isinstance(many, set) else many.append
                for one in members:
                    add(self.value(one))
                return many
            case ["frozen", cls, state]:
                return self._fill(_empty(self._classes[cls]), state)
            case ["object", number, cls, state]:
                return self._fill(self._begin(number, cls, there), state)
        raise ValueError(content[:1])

    def _fill(self, made: Any, state: dict[str, Any]) -> Any:
        cls: Any = type(made)
        for name in _personal(cls):
            object.__setattr__(made, name, "")
        for name, part in state.items():
            object.__setattr__(made, name, self.value(part, getattr(made, name, None)))
        return made

    def _begin(self, number: int, index: int, there: Any) -> Any:
        cls = self._classes[index]
        fits = type(there) is cls and not any(there is one for one in self._made.values())
        made = self._made[number] = there if fits else _empty(cls)
        return made


def _class_named(name: str) -> type[Any]:
    module, _, qualified = name.partition(":")
    if not (module + ".").startswith((_OURS, "builtins.", "collections.")):
        raise ValueError(f"{module} has no part in an engine")
    cls: Any = import_module(module)
    for part in qualified.split("."):
        cls = getattr(cls, part)
    if not isinstance(cls, type):
        raise TypeError(f"{name} is no class")
    return cls


def _empty(cls: Any) -> Any:
    return cls.__new__(cls)


def _attributes(cls: Any, value: Any) -> list[str]:
    if not (cls.__module__ + ".").startswith(_OURS):
        raise TypeError(f"an engine has no use for a {cls.__name__}")
    personal = _personal(cls)
    return [one for one in (*_slots(cls), *getattr(value, "__dict__", ())) if one not in personal]


@cache
def _slots(cls: type[Any]) -> tuple[str, ...]:
    return tuple(one for base in cls.__mro__ for one in getattr(base, "__slots__", ()) if not one.startswith("__"))


@cache
def _personal(cls: type[Any]) -> frozenset[str]:
    return (
        frozenset(one.name for one in fields(cls) if one.metadata.get(PERSONAL)) if is_dataclass(cls) else frozenset()
    )


def _in_order(members: Iterable[Any]) -> list[Any]:
    """Of a set: the order of hashes is another one in every process."""
    return sorted(members, key=repr)


def _frozen(cls: type[Any]) -> bool:
    return is_dataclass(cls) and bool(getattr(cls, "__dataclass_params__").frozen)  # noqa: B009 (mypy knows it not)


def _code(value: Any) -> bool:
    return callable(value) or (isinstance(value, dict) and any(map(callable, value.values())))
