"""`python -m bench`: every measurement, one after the other. About twenty minutes; nothing else may run meanwhile."""

from __future__ import annotations

from bench import ami, answer, calls, engine, expected_wait, memory, recording, report

for bench in (engine, ami, answer, memory, recording, calls, expected_wait, report):
    print(f"\n## {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}\n", flush=True)
    bench.main()
