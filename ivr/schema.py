"""The JSON Schema of a dialplan file, so that editors complete and check while an admin types."""

from __future__ import annotations

from typing import Any

from ivr.model import DialplanFile


def json_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **DialplanFile.model_json_schema(),
        "title": "Cordboard dialplan",
    }
