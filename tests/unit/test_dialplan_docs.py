"""Every example in the documentation is a dialplan that loads, and nothing is said against it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.loader import load_files

DOCS = Path(__file__).parents[2] / "docs" / "dialplan.md"
SECTIONS = {
    section.splitlines()[0]: found
    for section in re.split(r"^## ", DOCS.read_text(), flags=re.MULTILINE)
    if (found := re.findall(r"^```yaml\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL))
}
"""What stands under one heading is one folder. A block may name its file in its first line: `# shared/hours.yaml`."""

FILE = re.compile(r"# ([a-z0-9/._-]+\.yaml)\n")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_examples_load(section: str) -> None:
    files: dict[str, bytes] = {}
    for number, text in enumerate(SECTIONS[section]):
        named = FILE.match(text)
        files[named[1] if named else f"example-{number}.yaml"] = text.encode()
    dialplans = load_files(files, {"sales", "support"})
    assert dialplans.warnings == ()
    assert len(dialplans) > 0


def test_there_are_examples() -> None:
    assert len(SECTIONS) > 3
