"""A search for files that the dialplan loader cannot judge: it may say anything but fail, hang, grow or point nowhere.

    python -m bench.fuzz_dialplan [--seconds 60] [--seed 1] [--json FILE]

Good flows (those that ship, the fixtures of the tests) are changed in their structure, line by line and byte by byte,
and files are made that nobody would write: deep, long, huge, cut, full of anchors, tags, escapes and what is not text.
Each is loaded, some together with others, in a process whose address space is limited. The result must be findings or a
flow, in bounded time, and every finding must have a place that is in the file. A file that breaks a rule is kept, and
its number makes it again: `--seed N --only K`.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, process_time
from typing import Any

import yaml

from bench.figures import machine, save, table, verdict
from ivr.checks import Known
from ivr.loader import judge_files
from ivr.problems import MAX_PROBLEMS, Problem, Severity

ROOT = Path(__file__).parents[1]
MEMORY = 1_000 * 2**20
"""Address space of the process that loads, interpreter and libraries included."""
MOST_S = 5.0
"""CPU time for one set of files of at most 5 MB each."""
HANGS_S = 60
LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
QUEUES = {"sales", "support"}
AGENTS = {"1001": {"spanish": 3}}

SNIPPETS = (
    "${SHELL(id)}", "${CALLERID(num)}", "$[1+1]", "{{", "}}", "{x", "{caller_number}", "{queue:spell}", "&a ", "*a",
    "<<: *a", "!!python/object/apply:os.system [id]", "!x ", "\x00", "\ufeff", "\u202e", "\x85", "\u2028", '"\\ud800"',
    '"\\x00"', "\x1b[2J", "%YAML 9.9\n", "---\n", "...\n", "? ", "- ", "|\n", ">\n", ": ", " #", "'", '"', "\t", "[",
    "]", "{", "}", "../../etc/passwd", "1e999", "9" * 400, "-1", "0x10", "1_000", "NaN", "null", "~", "true", "=",
    "x" * 5000, "é" * 300, "\U0001f600", "\r", "\n",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *SNIPPETS, "", None, [], {}, [[]], {"": ""}, {"a": {"a": {}}}, ["x"] * 300, {str(n): "x" for n in range(300)},
    "sales", "hangup", "en", "fr", "5s", "0s", "99999m", "1", "a" * 41, "done", "main", {"en": "x"}, {"file": "../x"},
    {"expr": "1 +"},
)  # fmt: skip


def corpus() -> list[str]:
    data = ROOT / "tests" / "data" / "dialplans"
    files = [*(ROOT / "dialplans").rglob("*.yaml"), *data.rglob("*.yaml")]
    return [file.read_bytes().decode("utf-8", "replace") for file in sorted(files)]


def good() -> list[Any]:
    """Flows as plain values, every scalar a text."""
    files = [*(ROOT / "dialplans").rglob("*.yaml"), *(ROOT / "tests" / "data" / "dialplans" / "good").rglob("*.yaml")]
    return [yaml.load(file.read_text(), Loader=yaml.BaseLoader) for file in sorted(files)]


# Files that something is wrong with


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(one, (*here, key))


def changed_shape(chance: Random, flows: list[Any]) -> bytes:
    """One to five changes of a good flow's values, keys and places."""
    flow = json.loads(json.dumps(chance.choice(flows)))
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        places = [path for path in paths(flow) if path]
        if not places:
            break
        path = chance.choice(places)
        owner = flow
        for part in path[:-1]:
            owner = owner[part]
        last = path[-1]
        match chance.randrange(6):
            case 0:
                del owner[last]
            case 1:
                owner[last] = chance.choice(VALUES)
            case 2 if isinstance(owner, dict):
                owner[str(chance.choice(SNIPPETS))] = owner.pop(last)
            case 3:
                owner[last] = [owner[last]] if chance.random() < 0.5 else {"x": owner[last]}
            case 4:
                other = chance.choice(flows)
                for part in chance.choice(list(paths(other))):
                    other = other[part]
                owner[last] = json.loads(json.dumps(other))
            case _:
                if isinstance(owner[last], str):
                    at = chance.randint(0, len(owner[last]))
                    owner[last] = owner[last][:at] + chance.choice(SNIPPETS) + owner[last][at:]
    text = json.dumps(flow) if chance.random() < 0.5 else json.dumps(flow, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "replace")


def changed_lines(chance: Random, texts: list[str]) -> bytes:
    lines = chance.choice(texts).split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines[at] = " " * chance.randint(1, 4) + lines[at]
            case 3:
                lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
            case 4:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                column = chance.randint(0, len(lines[at]))
                lines[at] = lines[at][:column] + chance.choice(SNIPPETS) + lines[at][column:]
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed_bytes(chance: Random, texts: list[str]) -> bytes:
    data = bytearray(chance.choice(texts).encode())
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(data))
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 200)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 300)] * chance.randint(1, 20)
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 12))
    return bytes(data)


def recoded(chance: Random, texts: list[str]) -> bytes:
    text = chance.choice(texts)
    ends = chance.choice(["\r\n", "\r", "\x85", "\u2028", "\n"])
    coding = chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "latin-1", "utf-8-sig", "utf-8"])
    return text.replace("\n", ends).encode(coding, "replace")


def chain(many: int, node: str) -> str:
    """One node after another, to an end."""
    count = min(many, 20_000)
    nodes = (f"  n{n}: {node.format(n=n, next=n + 1)}\n" for n in range(count))
    head = "flow: x\nnumbers: ['1']\nlanguage: en\nstart: n0\nnodes:\n"
    return f"{head}{''.join(nodes)}  n{count}: {{hangup: {{}}}}\n"


def giant(chance: Random, texts: list[str]) -> bytes:
    """What is large in one of many ways, behind the beginning of a good flow or alone."""
    many = int(10 ** chance.uniform(2, 6.3))
    body = chance.choice([
        lambda: "[" * many,
        lambda: "{a: " * many,
        lambda: "- " * many,
        lambda: "x" * many,
        lambda: '"' + "\\x41" * many + '"',
        lambda: "k: v\n" * many,
        lambda: "".join(f"k{n}: v\n" for n in range(min(many, 300_000))),
        lambda: "? " + "k" * many,
        lambda: "".join(f"&a{n} [*a{n - 1}, *a{n - 1}]\n- " for n in range(1, min(many, 1000))),
        lambda: "nodes: {" + "".join(f"n{n}: {{say: Hi., next: n{n + 1}}}, " for n in range(min(many, 50_000))) + "}",
        lambda: "nodes:\n" + "".join(f"  n{n}: {{hangup: {{}}, x{n}: 1}}\n" for n in range(min(many, 50_000))),
        lambda: "prompts: {" + "".join(f"p{n}: {{en: '{{x{n}}}'}}, " for n in range(min(many, 50_000))) + "}",
        lambda: "include: [" + "".join(f"f{n}.yaml, " for n in range(min(many, 100_000))) + "]",
        lambda: "numbers: [" + "'1', " * many + "]",
        lambda: "\n" * many,
        lambda: "#" + "x" * many,
        lambda: "a" + ": " * many,
        lambda: "description: >\n" + "  x\n" * many,
        lambda: "nodes: {a: {menu: {keys: {" + "".join(f"'{n}': a, " for n in range(min(many, 90_000))) + "}}}}",
        lambda: "nodes: {a: {set: {" + "".join(f"v{n}: a, " for n in range(min(many, 90_000))) + "}, next: a}}",
        lambda: "nodes: {a: {say: '" + "{a}" * min(many, 3000) + "', next: a}}",
        lambda: chain(many, "{{set: {{v{n}: {{expr: 'v{next} + 1'}}}}, next: n{next}}}"),
        lambda: chain(many, "{{ask: {{type: digits, prompt: Hi., save: v{n}}}, next: n{next}, otherwise: n0}}"),
        lambda: chain(many, "{{if: [{{when: 'v{n} == \"x\"', to: n0}}], else: n{next}}}"),
        lambda: chain(many, "{{menu: {{prompt: Press 1., keys: {{1: n{next}, 2: n0}}, otherwise: n{next}}}}}"),
        lambda: chain(many, "{{say: '{{v{n}}}', next: n{next}}}"),
        lambda: chain(many, "{{call: {{flow: x, with: {{a: '{{v{n}}}'}}}}, next: n{next}}}"),
        lambda: "nodes: {a: {if: [" + "{when: '" + "(" * min(many, 5000) + "', to: a}, " + "], else: a}}",
        lambda: "nodes: {a: {if: [" + "{when: '1 == 1" + " && 1 == 1" * min(many, 900) + "', to: a}, " + "], else: a}}",
    ])()  # fmt: skip
    if body.startswith("flow: "):
        return body.encode()
    before = chance.choice(["", "flow: x\nnumbers: ['1']\nlanguage: en\nstart: a\n", chance.choice(texts)])
    return (before + body).encode("utf-8", "surrogatepass")[:5_000_100]


KINDS = (changed_shape, changed_lines, changed_bytes, recoded, giant)
WEIGHTS = (40, 30, 15, 5, 10)


def made(seed: int, number: int, texts: list[str], flows: list[Any]) -> tuple[str, dict[str, bytes]]:
    """A set of files, the same for the same numbers, and what was done to it."""
    chance = Random(f"{seed}/{number}")
    (kind,) = chance.choices(KINDS, WEIGHTS)
    files = {"a.yaml": kind(chance, flows if kind is changed_shape else texts)}
    if chance.random() < 0.1:
        files["shared/b.yaml"] = changed_lines(chance, ["include: [a.yaml, b.yaml]\nprompts:\n  again: {en: Hi.}\n"])
        files["a.yaml"] = b"include: [shared/b.yaml, a.yaml]\n" + files["a.yaml"]
    return kind.__name__, files


# What is expected of the loader


def broken_rule(files: dict[str, bytes]) -> tuple[str, bool]:
    """What is wrong with how these files were judged, "" when nothing is; and whether they were good."""
    begun = process_time()
    flows, problems = judge_files(files, Known(QUEUES, AGENTS), advice=True)
    fine = not any(problem.severity is Severity.ERROR for problem in problems)
    for flow in flows if fine else ():
        flow.texts()
    spent = process_time() - begun
    if spent > MOST_S:
        return f"took {spent:.1f} s", fine
    if fine and not flows:
        return "no flow, and nothing said against it", fine
    if len(problems) > len(files) * (2 * MAX_PROBLEMS + 60):
        return f"{len(problems)} findings", fine
    for name, data in files.items():
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        lines = LINE_END.split(text)
        for problem in problems:
            if problem.file == name and (wrong := misplaced(problem, lines)):
                return f"{wrong}: {str(problem)[:200]!r}", fine
    strange = {problem.file for problem in problems} - files.keys() - {"."}
    return f"a finding in {strange}" if strange else "", fine


def misplaced(problem: Problem, lines: list[str]) -> str:
    if not 1 <= problem.line <= len(lines):
        return f"line {problem.line} of {len(lines)}"
    if not 1 <= problem.column <= len(lines[problem.line - 1]) + 1:
        return f"column {problem.column} of {len(lines[problem.line - 1])}"
    if not problem.message or len(problem.message) > 400 or len(problem.hint) > 1000:
        return "a message of no or of giant length"
    if not (problem.message + problem.hint).isprintable():
        return "a message with hidden characters"
    return ""


@dataclass
class Outcome:
    """What became of all files, by what was done to them."""

    files: dict[str, int] = field(default_factory=dict)
    good: dict[str, int] = field(default_factory=dict)
    longest_s: float = 0.0
    broken: list[str] = field(default_factory=list)
    peak_mb: float = 0.0


def work(seconds: float, seed: int, only: int | None = None) -> Outcome:
    """In this process, until the time is over."""
    faulthandler.enable()
    texts, flows = corpus(), good()
    outcome = Outcome()
    until = monotonic() + seconds
    number = 0 if only is None else only
    while monotonic() < until:
        kind, files = made(seed, number, texts, flows)
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        print(number, file=sys.stderr, flush=True)  # so that one that kills the process is known
        begun = process_time()
        try:
            wrong, fine = broken_rule(files)
        except Exception as error:  # it may say anything but this
            wrong, fine = f"{type(error).__name__}: {str(error)[:200]}", False
        outcome.longest_s = max(outcome.longest_s, process_time() - begun)
        outcome.files[kind] = outcome.files.get(kind, 0) + 1
        outcome.good[kind] = outcome.good.get(kind, 0) + fine
        if wrong:
            outcome.broken.append(f"--seed {seed} --only {number}: {kind}: {wrong}")
        number += 1
        if only is not None or len(outcome.broken) > 20:
            break
    faulthandler.cancel_dump_traceback_later()
    outcome.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcome


def fuzz(seconds: float, seed: int = 1, only: int | None = None) -> Outcome:
    """The same in a process with little memory. Whatever kills it is an outcome too."""
    command = [sys.executable, "-m", "bench.fuzz_dialplan", "--work", "--seconds", str(seconds), "--seed", str(seed)]
    if only is not None:
        command += ["--only", str(only)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=seconds + 2 * HANGS_S, check=False)
    if done.returncode != 0:
        numbers = [line for line in done.stderr.splitlines() if line.isdigit()]
        ending = " / ".join(line for line in done.stderr.splitlines()[-6:] if not line.isdigit())
        return Outcome(broken=[f"--seed {seed} --only {numbers[-1] if numbers else '?'}: died: {ending}"])
    return Outcome(**json.loads(done.stdout))


def report(outcome: Outcome) -> str:
    rows = [(kind, f"{count:,}", f"{outcome.good.get(kind, 0):,}") for kind, count in sorted(outcome.files.items())]
    text = table(("what was done", "files", "of them good still"), rows)
    text += f"\n\nLongest: {outcome.longest_s:.2f} s of CPU. Peak memory: {outcome.peak_mb:.0f} MB.\n"
    text += f"Broken rules: {len(outcome.broken)} (bar: none): {verdict(not outcome.broken)}\n"
    return text + "".join(f"- {line}\n" for line in outcome.broken)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="only the file of this number")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        print(json.dumps(asdict(work(chosen.seconds, chosen.seed, chosen.only))))
        return
    print(machine(), flush=True)
    outcome = fuzz(chosen.seconds, chosen.seed, chosen.only)
    print(report(outcome), flush=True)
    save(chosen.json, asdict(outcome))
    sys.exit(bool(outcome.broken))


if __name__ == "__main__":
    main()
