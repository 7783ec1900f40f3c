"""Publishing and switches over real HTTP and at the command line, on a real database."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from cordboard.cli import app
from cordboard.web.app import make_app
from cordboard.web.metrics import DialplanCollector, make_registry
from cordboard.web.ports import WebDeps
from tests.fakes.publishing import PublisherRig, empty_database, good

TOKEN = "a-token-for-tests"
STORM = """
flow: storm
numbers: ["300"]
language: en
start: closed
nodes:
  closed: {switch: storm, on: done, off: done}
  done: {hangup: {}}
"""


class _NoJournal:
    def listen(self, _listener: object) -> None:
        pass


@dataclass
class Site:
    rig: PublisherRig
    client: TestClient[Any, Any]

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        data = io.BytesIO(json.dumps(body).encode()) if body is not None else None
        async with self.client.request(method, path, data=data, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def command(self, *words: str, status: int = 0) -> str:
        """As somebody on another machine types it, who has no configuration."""
        where = {"CORDBOARD_SERVICE": str(self.client.make_url("/")), "CORDBOARD_TOKEN": TOKEN}
        result = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--config", "/nowhere"], env=where)
        assert result.exit_code == status, result.output
        # The service is in this process too, and says what it does.
        return "".join(line for line in result.output.splitlines(True) if not line.startswith("20"))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Version 1 is the folder: 100 says Hello, and a flow looks at the switch `storm`."""
    engine = await empty_database(tmp_path)
    rig = PublisherRig(tmp_path, engine)
    rig.write()
    (rig.folder / "storm.yaml").write_text(STORM)
    await rig.start()
    deps: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    deps |= {
        "token": TOKEN,
        "company": "Test",
        "versions": {},
        "journal": _NoJournal(),
        "dialplans": rig.publisher,
        "switches": rig.switches,
        "registry": make_registry(DialplanCollector(rig.publisher, rig.switches)),
        "allowed_hosts": frozenset(),
    }
    client = TestClient(TestServer(make_app(WebDeps(**deps))))
    await client.start_server()
    yield Site(rig, client)
    await client.close()
    await engine.dispose()


async def test_publish_versions_rollback(site: Site) -> None:
    site.rig.write(text="Welcome")
    published = await site.ask("POST", "/api/dialplans/publish", {"comment": "warmer\nmuch", "author": "Ana"})
    assert (published["version"]["number"], published["unchanged"]) == (2, False)
    assert published["flows"] == ["storm", "test"]
    present = await site.ask("GET", "/api/dialplans")
    assert present["live"]["comment"] == "warmer\nmuch"
    assert present["canary"] is None
    assert {"name": "test", "numbers": ["100"], "description": ""} in present["flows"]
    page = await site.ask("GET", "/api/dialplans/versions?limit=1")
    assert ([one["number"] for one in page["versions"]], page["next"]) == ([2], 2)
    page = await site.ask("GET", "/api/dialplans/versions?before=2")
    assert ([one["number"] for one in page["versions"]], page["next"]) == ([1], None)
    shown = await site.ask("GET", "/api/dialplans/versions/2")
    assert shown["files"] == {"storm.yaml": STORM, "test.yaml": good(text="Welcome")}
    assert (await site.ask("POST", "/api/dialplans/rollback"))["version"]["number"] == 1
    assert site.rig.hears() == "Hello"
    assert (await site.ask("POST", "/api/dialplans/rollback", {"version": 2}))["version"]["number"] == 2


async def test_what_is_refused_says_where(site: Site) -> None:
    site.rig.write(text="Hello {nobody}")
    for path in ("publish", "reload"):
        refused = await site.ask("POST", f"/api/dialplans/{path}", status=422)
        assert "test.yaml:7:16: there is no variable 'nobody'" in refused["error"]
        assert len(refused["problems"]) == 1
    assert site.rig.hears() == "Hello"


async def test_a_reload_answers_with_the_flows(site: Site) -> None:
    site.rig.write(text="Welcome")
    assert (await site.ask("POST", "/api/dialplans/reload"))["flows"] == ["storm", "test"]
    assert (await site.ask("POST", "/api/dialplans/reload"))["unchanged"]
    assert site.rig.hears() == "Welcome"


async def test_a_large_folder_can_be_sent_and_a_giant_one_cannot(site: Site) -> None:
    large = {"main.yaml": good(text="Sent"), "notes.test.yaml": "#" * 3_000_000}
    published = await site.ask("POST", "/api/dialplans/publish", {"files": large})
    assert published["version"]["source"] == "request"
    assert site.rig.hears() == "Sent"
    await site.ask("POST", "/api/dialplans/publish", {"files": {"a.yaml": "#" * 6_000_000}}, status=413)
    await site.ask("POST", "/api/dialplans/reload", {"files": "#" * 20_000}, status=413)


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("publish", {"files": {}}, "files must be an object"),
        ("publish", {"files": {"../a.yaml": ""}}, "'../a.yaml' is no file"),
        ("publish", {"files": {"/etc/a.yaml": ""}}, "is no file"),
        ("publish", {"files": {"_a.yaml": ""}}, "is no file"),
        ("publish", {"files": {"a.txt": ""}}, "is no file"),
        ("publish", {"files": {"a.yaml": 1}}, "a.yaml must be a text"),
        ("publish", {"files": {f"f{n}.yaml": "" for n in range(501)}}, "500 at most"),
        ("publish", {"comment": "x" * 1001}, "comment must be a text of at most 1000"),
        ("publish", {"author": "a\x00"}, "characters that nobody can see"),
        ("publish", {"stage": 1}, "stage must be true or false"),
        ("publish", {"version": 2, "comment": "x"}, "With a version nothing else"),
        ("publish", {"who": "x"}, "Unknown in the body: who"),
        ("rollback", {"version": "2"}, "version must be the number"),
        ("rollback", {"version": 10**20}, "version must be the number"),
        ("canary", {"share": 0.1}, "version is missing"),
        ("canary", {"version": 2, "share": 1}, "for all calls, publish it"),
        ("canary", {"version": 2, "share": float("nan")}, "share must be"),
        ("canary", {"version": 2, "numbers": ["Ana"]}, "numbers must be a list"),
        ("canary", {"version": 2}, "Nobody would meet it"),
    ],
)
async def test_bad_requests(site: Site, path: str, body: Any, told: str) -> None:
    assert told in (await site.ask("POST", f"/api/dialplans/{path}", body, status=400))["error"]


async def test_what_is_not_there_and_what_cannot_be(site: Site) -> None:
    for method, path, body, status in (
        ("GET", "versions/9", None, 404),
        ("POST", "rollback", {"version": 9}, 404),
        ("POST", "rollback", None, 409),
        ("POST", "canary", {"version": 9, "share": 0.1}, 404),
        ("POST", "canary", {"version": 1, "share": 0.1}, 409),
        ("POST", "canary/stop", None, 409),
        ("POST", "canary/promote", None, 409),
        ("POST", "publish", {"version": 1}, 409),
    ):
        await site.ask(method, f"/api/dialplans/{path}", body, status)


async def test_nobody_publishes_without_the_token(site: Site) -> None:
    for method, path in (("POST", "dialplans/publish"), ("GET", "dialplans/versions/1"), ("POST", "switches/storm")):
        async with site.client.request(method, f"/api/{path}", json={"on": True}) as answer:
            assert answer.status == 401


async def test_switches(site: Site) -> None:
    (view,) = (await site.ask("GET", "/api/switches"))["switches"]
    assert (view["name"], view["on"]) == ("storm", False)
    flipped = await site.ask("POST", "/api/switches/storm", {"on": True, "note": "hurricane", "by": "Ana"})
    assert flipped["switch"]["on"]
    assert flipped["switch"]["kept"]
    assert site.rig.switches.switched_on("storm")
    assert "did you mean 'storm'?" in (await site.ask("POST", "/api/switches/stom", {"on": True}, 404))["error"]
    await site.ask("POST", "/api/switches/storm", {"on": "yes"}, 400)
    await site.ask("POST", "/api/switches/storm", {}, 400)


async def test_metrics(site: Site) -> None:
    await site.rig.switches.flip("storm", True)
    async with site.client.get("/metrics") as answer:
        text = await answer.text()
    for line in (
        "cordboard_dialplans_version 1.0",
        "cordboard_dialplans_canary 0.0",
        "cordboard_dialplans_trouble 0.0",
        'cordboard_switch_on{switch="storm"} 1.0',
    ):
        assert line in text


async def test_the_commands(site: Site, tmp_path: Path) -> None:
    site.rig.write(text="Welcome")
    told = await site.command("dialplan", "publish", "-m", "warmer", "--author", "Ana")
    assert told == "version 2, live: storm, test\n"
    assert (await site.command("dialplan", "reload")).startswith("nothing has changed: version 2, live")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "main.yaml").write_text(good(text="From afar"))
    assert "version 3, staged" in await site.command("dialplan", "publish", "--from", str(ours), "--stage")
    assert "version 3, canary 10% 2 numbers" in await site.command(
        "dialplan", "canary", "3", "--share", "10%", "--numbers", "+15550100, +15550101"
    )
    lines = (await site.command("dialplan", "versions")).splitlines()
    assert [line.split()[:2] for line in lines] == [["3", "canary"], ["2", "live"], ["1", "past"]]
    assert lines[1].endswith("Ana           warmer")
    assert json.loads(await site.command("dialplan", "versions", "--json"))[0]["share"] == 0.1
    assert await site.command("dialplan", "canary", "stop") == "version 3 is no canary any more\n"
    await site.command("dialplan", "canary", "3", "--share", "0.5")
    assert "version 3, live" in await site.command("dialplan", "canary", "promote")
    assert "version 2, live" in await site.command("dialplan", "rollback")
    assert "version 1, live" in await site.command("dialplan", "rollback", "1")
    assert "version 3, live" in await site.command("dialplan", "publish", "--version", "3")
    assert json.loads(await site.command("dialplan", "show", "2"))["files"]["test.yaml"] == good(text="Welcome")
    assert "2 file(s) of version 2" in await site.command("dialplan", "show", "2", "--to", str(tmp_path / "back"))
    assert (tmp_path / "back" / "test.yaml").read_text() == good(text="Welcome")
    assert json.loads(await site.command("switch", "on", "storm", "--note", "hurricane", "--by", "Ana"))["switch"]["on"]
    assert json.loads(await site.command("switch", "list"))["switches"][0]["note"] == "hurricane"
    assert not json.loads(await site.command("switch", "off", "storm"))["switch"]["on"]


async def test_commands_that_make_no_sense(site: Site, tmp_path: Path) -> None:
    for words, told in (
        (("dialplan", "canary", "2", "--share", "110%"), "no share of the calls"),
        (("dialplan", "canary", "2", "--share", "100%"), "`publish --version` has all"),
        (("dialplan", "canary", "stop", "--share", "10%"), "about all calls"),
        (("dialplan", "canary", "now"), "neither the number"),
        (("dialplan", "publish", "--version", "2", "-m", "x"), "nothing else can be said"),
        (("dialplan", "publish", "--from", "/no/such/folder"), "cannot be read"),
        (("dialplan", "show", "1", "--to", str(tmp_path)), "cannot be written"),
        (("switch", "on", "stom"), "did you mean 'storm'?"),
    ):
        assert told in await site.command(*words, status=2)


async def test_a_published_version_is_compared_with_a_folder_and_with_another(site: Site) -> None:
    site.rig.write(text="Welcome")
    folder = str(site.rig.folder)
    assert await site.command("dialplan", "diff", "1", folder, status=1) == (
        "A caller who dials 100:\n  hears “Welcome” instead of “Hello”\n"
    )
    await site.ask("POST", "/api/dialplans/publish", {})
    assert await site.command("dialplan", "diff", "live", folder) == "No caller would notice.\n"
    assert "“Hello” instead of “Welcome”" in await site.command("dialplan", "diff", "2", "1", status=1)
    assert "no version 9" in (await site.command("dialplan", "diff", "9", "1", status=2)).lower()
