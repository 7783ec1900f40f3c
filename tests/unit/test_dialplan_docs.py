"""Every example in the documentation is a dialplan that loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.loader import load_text

DOCS = Path(__file__).parents[2] / "docs" / "dialplan.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_loads(example: str) -> None:
    flow, problems = load_text(example.encode(), "example.yaml", {"sales", "support"})
    assert problems == []
    assert flow is not None


def test_there_is_an_example() -> None:
    assert EXAMPLES
