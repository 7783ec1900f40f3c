"""What one process has used, as the kernel counts it: CPU time and memory of its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def parse_cpu(stat: str) -> float:
    """User and system seconds from the text of `/proc/<pid>/stat`. The name in it may hold spaces and brackets."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and all of its threads."""
    return parse_cpu(Path(f"/proc/{pid}/stat").read_text())


def parse_memory(rollup: str) -> dict[str, int]:
    """Bytes by name (`Rss`, `Pss`, `Private`) from the text of `/proc/<pid>/smaps_rollup`."""
    sizes = {
        name: int(kilobytes) * 1024 for name, kilobytes in re.findall(r"^(\w+):\s+(\d+) kB$", rollup, re.MULTILINE)
    }
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return {"Rss": sizes["Rss"], "Pss": sizes["Pss"], "Private": private}


def memory(pid: int) -> dict[str, int]:
    """What the process holds: resident, its fair share of shared pages, and what nobody else has."""
    return parse_memory(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_machine_cpu(stat: str) -> float:
    """Seconds that all CPUs together were not idle (or wanted and not given), from the text of `/proc/stat`."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (int(field) for field in stat.split()[1:11])
    return (user + nice + system + irq + softirq + steal) * TICK


def machine_cpu() -> float:
    return parse_machine_cpu(Path("/proc/stat").read_text())
