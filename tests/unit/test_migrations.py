"""The migrations are one line: two people who add the next one at the same time are told here, not by a database."""

from __future__ import annotations

from cordboard.storage.migrate import MIGRATIONS, newest_revision


def test_there_is_one_newest_revision_and_the_files_are_numbered_like_them() -> None:
    files = sorted(path.name for path in (MIGRATIONS / "versions").glob("v*.py"))
    assert [name[1:5] for name in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    assert newest_revision() == f"{len(files):04}"
