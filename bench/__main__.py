"""`python -m bench`: every measurement, one after the other. About half an hour; nothing else may run meanwhile."""

from __future__ import annotations

from bench import (
    ami,
    app_queue,
    calls,
    conditions,
    dialplan,
    engine,
    expected_wait,
    memory,
    parity,
    planted_faults,
    publishing,
    recording,
    replay,
    report,
    talks,
)

for bench in (
    engine,
    conditions,
    ami,
    app_queue,
    talks,
    memory,
    recording,
    calls,
    expected_wait,
    report,
    replay,
    dialplan,
    planted_faults,
    publishing,
    parity,
):
    print(f"\n## {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}\n", flush=True)
    bench.main()
