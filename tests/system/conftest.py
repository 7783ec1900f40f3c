"""One private site per test, audited when the test is over."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.system.site import Site


@pytest.fixture
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A running site. `@pytest.mark.parametrize("site", [{"path.in.config": value}], indirect=True)` changes it."""
    made = Site(getattr(request, "param", None))
    try:
        await made.start()
        yield made
    finally:
        await made.close()
