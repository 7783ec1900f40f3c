"""The JSON Schema of a dialplan file, so that editors complete and check while an admin types.

Decides how what the models say is told to an editor, which reads YAML in its own way: to it `4711` is a number and
`yes` perhaps a boolean, while here everything is a text that becomes what it must be.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from ivr.model import DialplanFile, PartFile

_YES_NO = [True, False, "yes", "no", "on", "off"]
_NUMBERS = ("1", "12", "1234", "1234567")


def json_schema() -> dict[str, Any]:
    """A flow, or a part that flows include."""
    _, schema = models_json_schema([(DialplanFile, "validation"), (PartFile, "validation")])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cordboard dialplan",
        "anyOf": [{"$ref": "#/$defs/DialplanFile"}, {"$ref": "#/$defs/PartFile"}],
        "$defs": _as_editors_read(schema["$defs"]),
    }


def _as_editors_read(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_as_editors_read(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told: dict[str, Any] = {
        key: {name: _as_editors_read(one) for name, one in value.items()}
        if key in {"properties", "patternProperties", "$defs"}
        else _as_editors_read(value)
        for key, value in schema.items()
    }
    kind = told.get("type")
    if kind == "string" and "enum" not in told and "const" not in told:
        pattern = told.get("pattern")
        if pattern is None:
            told["type"] = ["string", "number", "boolean"]
        elif any(re.search(pattern, number) for number in _NUMBERS):
            told["type"] = ["string", "integer"]
    elif kind == "boolean" and "const" not in told:
        del told["type"]
        told["enum"] = _YES_NO
    elif kind == "object" and "patternProperties" in told:
        told.setdefault("additionalProperties", False)
    if "oneOf" in told:  # with numbers for texts, more than one may fit
        told["anyOf"] = told.pop("oneOf")
        told.pop("discriminator", None)
    if "anyOf" in told:
        # Said of a list, and by pydantic of all that may stand in its place, where they would be the length of a text.
        told.pop("minLength", None)
        told.pop("maxLength", None)
    return told
