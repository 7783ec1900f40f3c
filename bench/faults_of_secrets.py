"""Secrets that everybody reads, and secure answers that get out."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.faults_of_flows import Base, Fault, Path, an_end, detour, fault, plants, put, says


def made_up(shape: str) -> str:
    """A secret of a known shape, put together so that nobody's scanner takes this file for a leak."""
    chance = Random(shape)

    def letters(count: int, of: str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789") -> str:
        return "".join(chance.choice(of) for _ in range(count))

    return {
        "cloud": "AK" + "IA" + letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        "code host": "gh" + "p_" + letters(36),
        "chat": "xo" + "xb-" + letters(12, "0123456789") + "-" + letters(24),
        "payment": "sk_" + "live_" + letters(24),
        "jwt": "ey" + "J" + letters(20) + ".ey" + "J" + letters(30) + "." + letters(20),
        "hex": letters(40, "0123456789abcdef"),
        "mixed": letters(32),
        "password": "password: " + letters(6) + "7x",
    }[shape]


@plants("secret in plain text")
def a_secret(base: Base, file: str) -> Iterator[Fault]:
    plain = base.plain[file]
    for shape in ("cloud", "code host", "chat", "payment", "jwt", "password"):
        secret = made_up(shape)
        yield fault(
            f"{shape}, described", file, ("description",), put(("description",), f"Use {secret}"), "plain-secret"
        )
        for name, node in plain.get("nodes", {}).items():
            path: Path = ("nodes", name, "description")
            yield fault(f"{shape}, described", file, path, put(path, f"Logs in with {secret}"), "plain-secret")
            if "http" in node:
                here: Path = ("nodes", name, "http", "query")
                yield fault(f"{shape}, sent", file, (*here, "key"), put(here, {"key": secret}), "plain-secret")
    for shape in ("hex", "mixed"):
        for name in plain.get("services") or ():
            for header in ("Authorization", "X-Api-Key", "X-Auth-Token"):
                here = ("services", name, "headers")
                value = f"Bearer {made_up(shape)}" if header == "Authorization" else made_up(shape)
                yield fault(f"{shape}, header", file, (*here, header), put(here, {header: value}), "plain-secret")
        for name, node in plain.get("nodes", {}).items():
            if "http" in node:
                here = ("nodes", name, "http", "query")
                yield fault(
                    f"{shape}, token", file, (*here, "token"), put(here, {"token": made_up(shape)}), "plain-secret"
                )
    for name in plain.get("services") or ():
        url = f"https://user:{made_up('mixed')}@orders.example.net/v1"
        yield fault(
            "in an address",
            file,
            ("services", name, "url"),
            put(("services", name, "url"), url),
            "plain-secret",
            "value",
        )
    for key in ("api_key", "token", "password"):
        if "flow" in plain:
            nodes = {"keep": {"set": {key: "tr0ub4dor-3"}, "next": an_end(base, file)}}
            for _, edit in detour(base, file, nodes):
                yield fault("set", file, ("nodes", "keep", "set", key), edit, "plain-secret")


@plants("node that leaks a secure value")
def a_leak(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    end = an_end(base, file)
    question = {
        "type": "digits",
        "prompt": says(base, file, "Your secret number?"),
        "save": "passnumber",
        "secure": "true",
    }
    uses: dict[str, tuple[dict[str, Any], Path]] = {
        "spoken": ({"say": says(base, file, "You typed {passnumber}."), "next": end}, ("say",)),
        "shown": (
            {"to_queue": {"queue": "sales", "data": {"number": "{passnumber}"}, "then": end, "otherwise": end}},
            ("to_queue", "data", "number"),
        ),
        "judged": ({"if": [{"when": "passnumber == '1234'", "to": end}], "else": end}, ("if", 0, "when")),
        "worked with": ({"set": {"copy": {"expr": "passnumber + '0'"}}, "next": end}, ("set", "copy", "expr")),
        "dialled": ({"transfer": {"to": "{passnumber}"}, "next": end, "otherwise": end}, ("transfer", "to")),
        "called back": (
            {"callback": {"queue": "sales", "number": "{passnumber}"}, "next": end, "otherwise": end},
            ("callback", "number"),
        ),
    }
    if base.plain[file].get("include"):
        get = {"service": "orders", "get": "/cards/{passnumber}"}
        query = {"service": "orders", "get": "/cards", "query": {"n": "{passnumber}"}}
        uses["in an address"] = ({"http": get, "next": end, "otherwise": end}, ("http", "get"))
        uses["in a query"] = ({"http": query, "next": end, "otherwise": end}, ("http", "query", "n"))
    if "company.yaml" in base.plain and file == "company.yaml":
        call = {"flow": "identify", "with": {"line": "{passnumber}"}}
        uses["handed on"] = ({"call": call, "next": end}, ("call", "with", "line"))
    for what, (node, path) in uses.items():
        nodes = {"secret": {"ask": question, "next": "use", "otherwise": end}, "use": node}
        for _, edit in detour(base, file, nodes):
            languages = base.flows[file].languages if what == "spoken" else ()
            whole: Path = ("nodes", "use", *path, *(languages[:1] if len(languages) > 1 else ()))
            yield fault(what, file, whole, edit, "leak")


@plants("node that leaks a secure value")
def asked_in_the_open(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    end = an_end(base, file)
    for name in ("pin", "card_number", "cvv"):
        question = {"type": "digits", "prompt": says(base, file, "Your number?"), "save": name}
        nodes = {"open": {"ask": question, "next": end, "otherwise": end}}
        for _, edit in detour(base, file, nodes):
            yield fault("not secure", file, ("nodes", "open", "ask", "save"), edit, "not-secure")
