"""`python -m bench`: every measurement, one after the other. About ten minutes; nothing else should run meanwhile."""

from __future__ import annotations

from bench import ami, answer, calls, memory, recording

for bench in (ami, answer, memory, recording, calls):
    print(f"\n## {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}\n", flush=True)
    bench.main()
