"""The files that a configuration takes in: queues and agents may stand in files of their own.

Decides what such a file may hold and where it may lie. It refuses to know what the values mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cordboard.yaml_source import Place, Problem, YamlRefused, YamlSource, read_yaml
from ivr.node import FILE_PATTERN

SECTIONS = ("queues", "agents")
MOST = 5_000_000
_FILE = re.compile(FILE_PATTERN)


def take_in(source: YamlSource, folder: Path) -> list[Problem]:
    """Put what the included files hold among the data of `source`, and say all that is wrong with these files."""
    given = source.data.get("include")
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, name in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(name, str) or not _FILE.fullmatch(name):
            continue  # the model says so
        here = ("include", index)
        if name in seen:
            problems.append(source.problem(here, f"include.{index}: {name} is included twice"))
            continue
        seen.add(name)
        try:
            text = _read(folder, name)
        except OSError as error:
            problems.append(source.problem(here, f"include.{index}: {name} cannot be read: {error.strerror}"))
        except UnicodeDecodeError:
            problems.append(source.problem(here, f"include.{index}: {name} is not UTF-8 text"))
        except ValueError as error:
            problems.append(source.problem(here, f"include.{index}: {name} {error}"))
        else:
            problems += _merge(source, text, str(folder / name))
    return problems


def _read(folder: Path, name: str) -> str:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError("is a link that leads out of the folder of the configuration")
    with file.open("rb") as opened:
        data = opened.read(MOST + 1)
    if len(data) > MOST:
        raise ValueError("is larger than 5 MB")
    return data.decode("utf-8-sig")


def _merge(source: YamlSource, text: str, file: str) -> Iterator[Problem]:
    try:
        part = read_yaml(text, file)
    except YamlRefused as refused:
        yield Problem(file, refused.place, refused.message)
        return
    if not isinstance(part.data, dict):
        yield Problem(file, Place(1, 1), "must be a mapping (key: value)")
        return
    for section, entries in part.data.items():
        if section not in SECTIONS:
            only = " and ".join(SECTIONS)
            yield part.problem((section,), f"{section}: only {only} can stand in an included file", key=True)
        elif not isinstance(entries, dict):
            yield part.problem((section,), f"{section}: must be a mapping (key: value)")
        else:
            yield from _lend(source, part, section, entries)


def _lend(source: YamlSource, part: YamlSource, section: str, entries: dict[str, Any]) -> Iterator[Problem]:
    own = source.data.get(section)
    if own is None:
        own = source.data[section] = {}
    for name, entry in entries.items() if isinstance(own, dict) else ():
        path = (section, name)
        if name in own:
            first = source.lent.get(path, source)
            for here, there in ((first, part), (part, first)):
                line = there.place_of(path, key=True).line
                yield here.problem(path, f"{section}.{name}: is in {there.file}, line {line}, as well", key=True)
        else:
            own[name] = entry
            source.lent[path] = part
