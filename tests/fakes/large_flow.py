"""A dialplan of any size, as large sites have them: menus in menus, queues, ways back, ends that everything shares."""

from __future__ import annotations

import json
import random
from typing import Any

TOPICS = (
    "sales",
    "orders",
    "billing",
    "returns",
    "repairs",
    "parts",
    "stock",
    "delivery",
    "account",
    "address",
    "rental",
)
SENTENCE = "for our hours and the way to the shop by the ferry please press a key or wait for somebody"
WORDS = SENTENCE.split()


def large_flow(size: int, seed: int = 1) -> str:
    """A flow of `size` nodes, the same for the same seed. It loads with the queues `sales` and `support`."""
    chance = random.Random(seed)
    names = [f"{TOPICS[number % len(TOPICS)]}-{number}" for number in range(size - 3)]
    names[0] = "welcome"
    nodes: dict[str, Any] = {}
    waiting = names[1:]
    open_ends = ["welcome"]
    menus: list[str] = []
    while open_ends:
        name = open_ends.pop(0)
        last = not open_ends and bool(waiting)
        kind = chance.choice(("menu", "menu", "say", "queue", "set") if waiting else ("say", "queue"))
        children: list[str] = []
        for _ in range(_children(kind, chance, last)):
            if waiting:
                children.append(waiting.pop(0))
        open_ends += children
        nodes[name] = _node(kind, children, menus, chance)
        if "menu" in nodes[name]:
            menus.append(name)
    nodes["sorry"] = {"say": _text(chance), "next": "goodbye"}
    nodes["goodbye"] = {"say": _text(chance), "next": "done"}
    nodes["done"] = {"hangup": {}}
    head = {"flow": "large", "description": "A large flow", "numbers": ["100", "101"], "language": "en"}
    return json.dumps({**head, "start": "welcome", "on_error": "sorry", "nodes": nodes}, indent=1)


def _children(kind: str, chance: random.Random, last: bool) -> int:
    if kind == "menu":
        return chance.randint(2, 6)
    return 1 if last or chance.random() < 0.7 else 0


def _node(kind: str, children: list[str], menus: list[str], chance: random.Random) -> dict[str, Any]:
    end = children[0] if children else chance.choice(["goodbye", "sorry", *menus[-2:]])
    if kind == "menu" and children:
        keys = {str(key): child for key, child in enumerate(children, 1)}
        if chance.random() < 0.5:
            keys["*"] = "welcome"
        if menus and chance.random() < 0.3:
            keys["0"] = chance.choice(menus)
        return {"menu": {"prompt": _text(chance), "keys": keys, "otherwise": "sorry"}}
    if kind == "queue":
        unserved = {"closed": end, "else": "sorry"}
        queue = chance.choice(["sales", "support"])
        return {"to_queue": {"queue": queue, "then": "goodbye", "otherwise": unserved}}
    if kind == "set":
        return {"set": {"topic": str(chance.randint(0, 99))}, "next": end}
    return {"say": _text(chance), "next": end}


def _text(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(4, 20))).capitalize() + "."
