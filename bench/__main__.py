"""`python -m bench`: every measurement, one after the other. A quarter of an hour; nothing else may run meanwhile."""

from __future__ import annotations

from bench import ami, answer, calls, engine, memory, recording

for bench in (engine, ami, answer, memory, recording, calls):
    print(f"\n## {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}\n", flush=True)
    bench.main()
