"""What the integration tests share: databases, SQLite and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_postgres import NoPostgres, RealPostgres, real_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[RealPostgres]:
    try:
        with real_postgres() as server:
            yield server
    except NoPostgres as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}"
    server: RealPostgres = request.getfixturevalue("postgres")
    return server.new_database()
