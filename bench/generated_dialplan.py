"""A dialplan that could be somebody's: a trade company with many departments, in English and Spanish, of any size.

Decides the shape of a department (menu, order number, opening hours, queue and so on), and that every verb of the
language is used, as soon as there is one. The same size and seed give the same files.
"""

from __future__ import annotations

from random import Random
from typing import Any

import yaml

from ivr.verbs import VERBS

Node = dict[str, Any]

GOODS = (
    "bicycles", "kitchens", "garden tools", "paint", "lamps", "flooring", "doors", "windows", "bathrooms", "heating",
    "timber", "tiles", "ladders", "locks", "pumps", "sheds", "stoves", "blinds", "carpets", "fences",
)  # fmt: skip
BIENES = (
    "bicicletas", "cocinas", "herramientas de jardín", "pinturas", "lámparas", "pisos", "puertas", "ventanas", "baños",
    "calefacción", "madera", "azulejos", "escaleras", "cerraduras", "bombas", "cobertizos", "estufas", "persianas",
    "alfombras", "cercas",
)  # fmt: skip
AREA = 8
"""Departments behind one menu: eight keys, 9 goes back and 0 to a person."""


def _t(en: str, es: str) -> dict[str, str]:
    return {"en": en, "es": es}


PARTS = {
    "prompts": {
        "wrong-key": _t("Sorry, that key has no meaning here.", "Disculpe, esa tecla no tiene función aquí."),
        "no-key": _t("We did not notice a key.", "No notamos ninguna tecla."),
        "once-more": _t("Please try once more.", "Por favor, intente otra vez."),
        "back": _t(
            "To go back, press 9. For a person, press 0.", "Para volver, oprima el nueve. Para una persona, el cero."
        ),
        "goodbye": _t("Thank you for calling. Goodbye.", "Gracias por llamar. Hasta luego."),
        "sorry": _t("We are sorry, something went wrong on our side.", "Lo sentimos, tenemos un problema técnico."),
        "nobody": _t("Nobody is free in {queue}.", "No hay nadie libre en {queue}."),
    },
    "hours": {
        "office": {
            "time_zone": "America/New_York",
            "weekly": {"mon-fri": ["08:00-12:00", "13:00-18:00"], "sat": ["09:00-13:00"]},
            "holidays": {"country": "US"},
            "days": {"2026-12-24": ["08:00-12:00"], "2026-12-31": []},
        }
    },
    "services": {
        "orders": {
            "url": "https://orders.example.net/v1",
            "headers": {"Authorization": "Bearer {secret:ORDERS}"},
        }
    },
}


def files(nodes: int = 1000, seed: int = 1) -> dict[str, bytes]:
    """A flow of about so many nodes, a flow that it calls, and the part that both include."""
    sections = {name: given for name, given in PARTS.items() if name != "services" or "http" in VERBS}
    return {
        "company.yaml": dumped(company(nodes, seed)),
        "identify.yaml": dumped(identify()),
        "shared/common.yaml": dumped(sections),
    }


def dumped(flow: dict[str, Any]) -> bytes:
    return yaml.safe_dump(flow, sort_keys=False, allow_unicode=True, width=110).encode()


def company(size: int, seed: int = 1) -> dict[str, Any]:
    chance = Random(seed)
    nodes: dict[str, Node] = dict(_entrance())
    each = len(_department(0, "area-0", chance))
    count = max(1, round((size - len(nodes) - 8) / (each + 1 / AREA)))
    areas = [range(first, min(first + AREA, count)) for first in range(0, count, AREA)]
    nodes |= _tree("main", [f"area-{number}" for number in range(len(areas))], "main", "main menu", "menú principal")
    for number, area in enumerate(areas):
        name = f"area-{number}"
        nodes |= _tree(name, [f"d{one}" for one in area], "main", f"area {number + 1}", f"área {number + 1}")
        for one in area:
            nodes |= _department(one, name, chance)
    flow: dict[str, Any] = {
        "flow": "company",
        "description": "A trade company with many departments",
        "numbers": ["100", "+12025550100"],
        "language": "en",
        "languages": ["en", "es"],
        "currency": "USD",
        "time_zone": "America/New_York",
        "include": ["shared/common.yaml"],
        "start": "welcome",
        "on_error": "trouble",
        "on_hangup": "gone",
        "nodes": nodes,
    }
    if "customer" in VERBS:
        flow["nodes"] = {
            "caller": {"customer": None, "next": "speaks", "otherwise": "outage"},
            "speaks": {"if": [{"when": "customer_language == 'es'", "to": "in-spanish"}], "else": "outage"},
            "in-spanish": {"set": {"language": "es"}, "next": "outage"},
        } | nodes
    return flow


def _entrance() -> dict[str, Node]:
    """What every caller comes through, and how calls end."""
    return {
        "welcome": {"say": _t("Welcome to Harbor Lane Trade.", "Bienvenido a Harbor Lane Trade."), "next": "first"},
        "outage": {"switch": "outage", "on": "outage-says", "off": "language"},
        "outage-says": {
            "say": [
                _t("We have an outage at the moment.", "En este momento tenemos una falla."),
                {"silence": "400ms"},
                _t("Orders can still be placed.", "Aún se pueden hacer pedidos."),
            ],
            "next": "language",
        },
        "language": {"say": {"es": "Para español, oprima el nueve."}, "language": "es", "next": "choose-language"},
        "choose-language": {
            "menu": {
                "prompt": _t("For English, press 1.", "Para inglés, oprima el uno."),
                "keys": {"1": "who", "9": "spanish", "0": "operator"},
                "timeout": "3s",
                "tries": 1,
                "otherwise": "who",
            }
        },
        "spanish": {"set": {"language": "es"}, "next": "who"},
        "first": {"set": {"visits": {"expr": "0"}}, "next": "caller" if "customer" in VERBS else "outage"},
        "who": {
            "description": "Who has a customer number says it once, for all departments",
            "call": {
                "flow": "identify",
                "with": {"line": "{dialled}"},
                "save": {"account": "account", "is_known": "is_known"},
            },
            "next": "greet",
        },
        "greet": {"if": [{"when": "is_known && account.startsWith('9')", "to": "operator"}], "else": "main"},
        "operator": {
            "say": _t("Please stay on the line.", "Por favor, permanezca en la línea."),
            "next": "operator-queue",
        },
        "operator-queue": {"to_queue": {"queue": "support", "then": "bye", "otherwise": "no-operator"}},
        "no-operator": {"say": "nobody", "next": "bye"},
        "trouble": {"say": "sorry", "bargein": False, "next": "operator-queue"},
        **({"opinion": _opinion()} if "survey" in VERBS else {}),
        "bye": {"say": "goodbye", "bargein": False, "next": "done"},
        "done": {"hangup": {"cause": "normal"}},
        "gone": {"set": {"ended": "yes"}, "next": "done"},
    }


def _opinion() -> Node:
    content = _t("From 1 to 5, how content are you?", "Del uno al cinco, ¿qué tan contento está?")
    easy = _t("From 1 to 7, how easy was it?", "Del uno al siete, ¿qué tan fácil fue?")
    questions = [{"id": "content", "type": "csat", "prompt": content}, {"id": "easy", "type": "ces", "prompt": easy}]
    return {"survey": {"name": "after-sales", "questions": questions, "invalid": "wrong-key"}, "next": "bye"}


def _tree(name: str, below: list[str], above: str, en: str, es: str) -> dict[str, Node]:
    """A menu over as many nodes as there are, by further menus where the keys do not suffice."""
    if len(below) > AREA:
        groups = [below[first : first + AREA] for first in range(0, len(below), AREA)]
        found: dict[str, Node] = {}
        for number, group in enumerate(groups):
            found |= _tree(f"{name}-{number}", group, name, f"{en}, page {number + 1}", f"{es}, página {number + 1}")
        return _tree(name, [f"{name}-{number}" for number in range(len(groups))], above, en, es) | found
    keys = {str(key): node for key, node in enumerate(below, 1)} | {"9": above, "0": "operator"}
    offered = [str(key) for key in range(1, len(below) + 1)]
    return {
        name: {
            "menu": {
                "prompt": [
                    [
                        _t(
                            f"You are in {en}. Press {', '.join(offered)} for a choice.",
                            f"Usted está en {es}. Oprima {', '.join(offered)} para elegir.",
                        ),
                        "back",
                    ],
                    [_t(f"Once more, {en}.", f"Otra vez, {es}."), "back"],
                ],
                "keys": keys,
                "invalid": ["wrong-key", "once-more"],
                "no_input": "no-key",
                "tries": 3,
                "otherwise": "operator",
            }
        }
    }


def _department(number: int, area: str, chance: Random) -> dict[str, Node]:
    en, es = GOODS[number % len(GOODS)], BIENES[number % len(BIENES)]
    if number >= len(GOODS):
        en, es = f"{en}, branch {number // len(GOODS) + 1}", f"{es}, sucursal {number // len(GOODS) + 1}"
    d = f"d{number}"
    queue = chance.choice(["sales", "support"])
    nodes: dict[str, Node] = {
        d: {
            "description": f"Department {number}: {en}",
            "tags": ["department", queue],
            "menu": {
                "prompt": _t(
                    f"This is {en}. For an order, press 1. To buy, press 2. For a visit, press 3.",
                    f"Esto es {es}. Para un pedido, oprima el uno. Para comprar, el dos. Para una visita, el tres.",
                ),
                "keys": {
                    "1": f"{d}-order",
                    "2": f"{d}-hours",
                    "3": f"{d}-visit",
                    "9": area,
                    "0": "operator",
                    "*": f"{d}-info",
                },
                "invalid": "wrong-key",
                "no_input": "no-key",
                "otherwise": "operator",
            },
        },
        f"{d}-info": {"say": _t(f"We have sold {en} for years.", f"Vendemos {es} desde hace años."), "next": d},
        f"{d}-order": {
            "ask": {
                "type": "digits",
                "prompt": _t(f"Your order number for {en}, please.", f"Su número de pedido de {es}, por favor."),
                "save": "order",
                "length": "6-8",
                "check": "luhn",
                "invalid": ["once-more"],
                "no_input": "no-key",
                "confirm": True,
            },
            "next": f"{d}-amount",
            "otherwise": {"no_input": d, "else": "operator"},
        },
        f"{d}-amount": {
            "ask": {
                "type": "amount",
                "prompt": _t("How much was it? Star is the point.", "¿Cuánto fue? El asterisco es el punto."),
                "save": "paid",
                "min": "1",
                "max": "99999",
            },
            "next": f"{d}-large",
            "otherwise": "operator",
        },
        f"{d}-large": {
            "if": [
                {"when": f"paid >= {500 + number}.0 && size(order) > 6", "to": f"{d}-hours"},
                {"when": "paid < 5.0", "to": f"{d}-small"},
            ],
            "else": f"{d}-find" if "http" in VERBS else f"{d}-tell",
        },
        f"{d}-small": {"set": {"reason": "small", "visits": {"expr": "visits + 1"}}, "next": f"{d}-tell"},
        f"{d}-tell": {
            "say": _t(
                f"Your order {{order}} of {en} for {{paid}} is on its way.",
                f"Su pedido {{order}} de {es} por {{paid}} está en camino.",
            ),
            "next": f"{d}-pause",
        },
        f"{d}-pause": {"wait": "1s", "next": f"{d}-again"},
        f"{d}-again": {"goto": d},
        f"{d}-visit": {
            "ask": {
                "type": "date",
                "prompt": _t(f"When will you visit {en}?", f"¿Cuándo visitará {es}?"),
                "save": "day",
                "min": "today",
                "max": "today+60d",
                "format": "ddmm",
            },
            "next": f"{d}-booked",
            "otherwise": {"no_match": f"{d}-hours", "else": "operator"},
        },
        f"{d}-booked": {
            "say": _t(f"We expect you on {{day}}, {en}.", f"Le esperamos el {{day}}, {es}."),
            "next": f"{d}-trial",
        },
        f"{d}-trial": {"split": {f"{d}-info": 30, d: 70}},
        f"{d}-hours": {"hours": "office", "open": f"{d}-queue", "closed": f"{d}-closed", "holiday": f"{d}-holiday"},
        f"{d}-closed": {
            "say": _t(
                f"{en.capitalize()} opens on {{opens_on}} at {{opens_at}}.",
                f"{es.capitalize()} abre el {{opens_on}} a las {{opens_at}}.",
            ),
            "next": "bye",
        },
        f"{d}-holiday": {"say": _t("Today is a holiday.", "Hoy es feriado."), "next": f"{d}-closed"},
        f"{d}-queue": {
            "to_queue": {
                "queue": queue,
                "head_start_s": chance.choice([0, 30, 60]),
                "data": {"order": "{order}", "department": en},
                "keys": {"3": f"{d}-wait-info"},
                "then": "opinion" if "survey" in VERBS else "bye",
                "otherwise": {"closed": f"{d}-closed", "full": f"{d}-busy", "else": f"{d}-busy"},
            }
        },
        f"{d}-wait-info": {
            "say": _t(f"About {en}: look at our catalogue.", f"Sobre {es}: vea nuestro catálogo."),
            "next": f"{d}-queue",
        },
        f"{d}-busy": {"say": "nobody", "next": f"{d}-offer" if "callback" in VERBS else "bye"},
    }
    return nodes | {name: node for name, node in _outside(d, queue, en, es).items() if VERBS.keys() & node.keys()}


def _outside(d: str, queue: str, en: str, es: str) -> dict[str, Node]:
    """What asks somebody outside the call."""
    return {
        f"{d}-find": {
            "http": {
                "service": "orders",
                "get": "/orders/{order}",
                "query": {"department": en},
                "save": {
                    "state": {"from": "order.state", "one_of": ["packed", "shipped"], "default": "packed"},
                    "due": {"from": "order.due", "type": "date"},
                },
                "cache": "30s",
            },
            "next": f"{d}-state",
            "otherwise": {"not_found": f"{d}-order", "else": f"{d}-tell"},
        },
        f"{d}-state": {
            "if": [{"when": "state == 'shipped' && due != ''", "to": f"{d}-due"}],
            "else": f"{d}-tell",
        },
        f"{d}-due": {
            "say": _t(f"Your {en} come on {{due}}.", f"Sus {es} llegan el {{due}}."),
            "next": f"{d}-expert",
        },
        f"{d}-expert": {
            "transfer": {"to": "1001", "ring": "15s"},
            "next": "bye",
            "otherwise": {"busy": f"{d}-hours", "else": f"{d}-hours"},
        },
        f"{d}-offer": {
            "callback": {"queue": queue},
            "next": f"{d}-promised",
            "otherwise": {"already": f"{d}-promised", "else": f"{d}-leave"},
        },
        f"{d}-promised": {"say": _t("We will call you back.", "Le devolveremos la llamada."), "next": "bye"},
        f"{d}-leave": {
            "voicemail": {
                "box": "trade",
                "prompt": _t(f"Leave a message for {en}.", f"Deje un mensaje para {es}."),
                "max": "90s",
                "review": True,
            },
            "next": "bye",
            "otherwise": "bye",
        },
    }


def identify() -> dict[str, Any]:
    """A flow without numbers, for others to call."""
    return {
        "flow": "identify",
        "description": "Who calls",
        "params": {"line": "digits"},
        "returns": {"account": "digits", "is_known": "yes_no"},
        "language": "en",
        "languages": ["en", "es"],
        "include": ["shared/common.yaml"],
        "start": "known-line",
        "on_error": "unknown",
        "nodes": {
            "known-line": {"if": [{"when": "line == '199'", "to": "unknown"}], "else": "number"},
            "number": {
                "ask": {
                    "type": "digits",
                    "prompt": _t("Your customer number, please.", "Su número de cliente, por favor."),
                    "save": "typed",
                    "length": 8,
                    "pattern": "[1-9]\\d{7}",
                    "invalid": "wrong-key",
                    "no_input": "no-key",
                    "tries": 2,
                },
                "next": "pin",
                "otherwise": "unknown",
            },
            "pin": {
                "ask": {
                    "type": "digits",
                    "prompt": _t("And your secret number.", "Y su clave secreta."),
                    "save": "pin",
                    "length": "4-6",
                    "secure": True,
                },
                "next": "known",
                "otherwise": "unknown",
            },
            "known": {"return": {"account": "{typed}", "is_known": "yes"}},
            "unknown": {"return": {"account": "", "is_known": "no"}},
        },
    }
