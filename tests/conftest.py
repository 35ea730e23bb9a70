"""What tests share: databases, the real server, a browser; and the tally of what could not run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from server.store.session import Database, open_database
from tests import databases
from tests.running import Running
from tests.scene import populate

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM, NO_POSTGRES = "no Chromium", "no PostgreSQL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options: `--tally FILE`, where `tests/run.py` reads how many passed, failed and did not run."""
    parser.addoption("--tally", default=None)
    parser.addoption("--pictures", action="store_true", help="also make the pictures of the guide")
    parser.addoption("--soak", action="store_true", help="the long sweeps: see the fixture `soak`")


def pytest_configure(config: pytest.Config) -> None:
    """No test has a time limit; a failing example prints how to run it again."""
    settings.register_profile("usual", deadline=None, print_blob=True)
    settings.register_profile("soak", deadline=None, print_blob=True, max_examples=3000)
    settings.load_profile("soak" if config.getoption("--soak") else "usual")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether this is `make soak`: a test may then take a hundred times as many examples."""
    return bool(request.config.getoption("--soak"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a browser or PostgreSQL is marked so; a browser test also runs by itself."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "chromium" in names:
            item.add_marker("browser")
            item.add_marker("serial")
        if "postgres" in names or "[postgresql" in item.name:
            item.add_marker("postgres")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Writes the tally, and says last what did not run."""
    stats = terminalreporter.stats
    missing: dict[str, int] = {}
    for report in stats.get("skipped", []):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        missing[reason] = missing.get(reason, 0) + 1
    passed, failed = len(stats.get("passed", [])), len(stats.get("failed", [])) + len(stats.get("error", []))
    if missing:
        listed = ", ".join(f"{count} ({reason})" for reason, count in sorted(missing.items()))
        terminalreporter.write_line(f"{passed} passed; NOT RUN: {listed}")
    if config.getoption("--tally"):
        Path(config.getoption("--tally")).write_text(
            json.dumps({"passed": passed, "failed": failed, "missing": missing})
        )


def _missing(what: str) -> None:
    """A test whose tool is missing does not run; with CI=1 it fails."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's executable."""
    named = os.environ.get("SUIJIAN_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None) or _playwrights_own()
    if found is None:
        _missing(NO_CHROMIUM)
    return str(found)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server where tests may make databases."""
    given = os.environ.get("SUIJIAN_TEST_POSTGRES")
    if given:
        yield given
        return
    binaries = databases.postgres_binaries()
    if binaries is None:
        _missing(NO_POSTGRES)
        return
    with databases.postgres_server(binaries) as address:
        yield address


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A migrated embedded database."""
    path = tmp_path / "suijian.db"
    path.write_bytes(databases.migrated_file())
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A migrated database on PostgreSQL."""
    with databases.fresh_postgres(postgres, databases.migrated_template(postgres)) as address:
        yield address


@pytest.fixture(scope="module")
def postgres_url_of_module(postgres: str) -> Iterator[str]:
    """A migrated database on PostgreSQL that the tests of a module share."""
    with databases.fresh_postgres(postgres, databases.migrated_template(postgres)) as address:
        yield address


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """A migrated embedded database, open."""
    db = open_database(sqlite_url)
    yield db
    db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    db = open_database(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
    yield db
    db.close()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a server with the small bureau of `tests.scene`: `start_server(url, SUIJIAN_...="...")`."""
    begun: list[Running] = []

    def start(database_url: str | None = None, **environment: str) -> Running:
        running = _bureau(tmp_path / f"data{len(begun)}", database_url, environment)
        begun.append(running)
        return running.start()

    yield start
    for running in begun:
        running.kill()


def _bureau(data: Path, database_url: str | None, environment: dict[str, str]) -> Running:
    data.mkdir(parents=True)
    if database_url is None:
        (data / "suijian.db").write_bytes(databases.migrated_file())
    else:
        environment |= {"SUIJIAN_DATABASE_URL": database_url}
    db = open_database(database_url or f"sqlite:///{data / 'suijian.db'}")
    populate(db)
    db.close()
    return Running(data, **environment)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the tests of a module, on the embedded database, with the small bureau in it."""
    running = _bureau(tmp_path_factory.mktemp("server") / "data", None, {}).start()
    yield running
    running.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_server(request: pytest.FixtureRequest, start_server: Callable[..., Running]) -> Running:
    """A server of its own for one test, once on SQLite and once on PostgreSQL."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return start_server(url)
