"""The migrations are one line: two people who add the next one at the same time are told here, not by a database."""

from __future__ import annotations

import re

from cordboard.storage.migrate import MIGRATIONS, newest_revision


def test_they_follow_each_other_in_the_order_of_their_numbers() -> None:
    """Not every number needs to be there: they are given out before they are used."""
    before: str | None = None
    for path in sorted((MIGRATIONS / "versions").glob("v*.py")):
        said = dict(re.findall(r'^(revision|down_revision) = "?(\w+)"?$', path.read_text(), re.MULTILINE))
        assert said == {"revision": path.name[1:5], "down_revision": before or "None"}, path.name
        before = said["revision"]
    assert newest_revision() == before
