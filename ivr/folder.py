"""A folder of dialplans, read from the disk.

Decides which of its files count, and that nothing outside of it is ever read. It refuses to know what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ivr.errors import DialplanErrors
from ivr.problems import Problem
from ivr.sources import SUFFIXES, TESTS
from ivr.yaml_tree import MAX_BYTES

MAX_FILES = 500
MAX_TOTAL = 20_000_000
MAX_FOLDERS = 4
"""Folders within folders."""


def read_folder(folder: Path, unread: list[Problem] | None = None) -> dict[str, bytes]:
    """Every dialplan and part by its path within the folder. Files and folders whose names begin with `.` or `_` are
    passed over, and so are tests. Raises `DialplanErrors`. `unread` takes what is wrong with single files instead."""
    return _read(folder, lambda name: name.endswith(SUFFIXES) and not name.endswith(TESTS), unread)


def read_tests(folder: Path) -> dict[str, bytes]:
    """Every file of cases, in the same way."""
    return _read(folder, lambda name: name.endswith(TESTS))


def _read(folder: Path, wanted: Callable[[str], bool], unread: list[Problem] | None = None) -> dict[str, bytes]:
    root = folder.resolve()
    problems: list[Problem] = [] if unread is None else unread
    contents: dict[str, bytes] = {}
    total = 0
    try:
        for file in _files(folder, wanted, 0):
            if len(contents) == MAX_FILES:
                raise DialplanErrors([Problem(str(folder), 1, 1, f"more than {MAX_FILES} dialplans in one folder")])
            if not file.resolve().is_relative_to(root):
                problems.append(Problem(str(file), 1, 1, "a link that leads out of the folder", "copy the file"))
                continue
            if not file.is_file():
                continue
            try:
                with file.open("rb") as opened:
                    data = opened.read(MAX_BYTES + 1)
            except OSError as error:
                problems.append(Problem(str(file), 1, 1, f"the file cannot be read: {error.strerror}"))
                continue
            total += len(data)
            if total > MAX_TOTAL:
                text = f"more than {MAX_TOTAL // 1_000_000} MB of dialplans in one folder"
                raise DialplanErrors([Problem(str(folder), 1, 1, text)])
            contents[file.relative_to(folder).as_posix()] = data
    except OSError as error:
        hint = "name the folder that it is in" if folder.is_file() else ""
        text = f"the folder cannot be read: {error.strerror}"
        raise DialplanErrors([Problem(str(folder), 1, 1, text, hint)]) from None
    if problems and unread is None:
        raise DialplanErrors(problems)
    return contents


def _files(folder: Path, wanted: Callable[[str], bool], depth: int) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        found = sorted((entry for entry in entries if entry.name[0] not in "._"), key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if depth < MAX_FOLDERS:
                yield from _files(folder / entry.name, wanted, depth + 1)
        elif wanted(entry.name):
            yield folder / entry.name
