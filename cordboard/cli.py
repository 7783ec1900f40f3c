"""The command line. Decides the words of the commands; everything they do lives elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from cordboard import callback_cli, customer_cli, dialplan_cli, message_cli
from cordboard.api_client import ServiceError
from cordboard.cli_tools import (
    DEFAULT_CONFIG,
    ConfigFile,
    ask,
    config_of,
    reject,
    run,
    running_service,
    secrets_of,
    service_of,
    show,
)
from cordboard.config import config_schema
from cordboard.config_loader import ConfigRefused
from cordboard.survey_cli import surveys
from cordboard.switch_cli import switch_app
from cordboard.talk_desk import COMMANDS, SUPERVISION

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Cordboard: a contact centre on Asterisk.")
agents_app = typer.Typer(no_args_is_help=True, help="Agents: who is there, log in, log out, pause, ready.")
recording_app = typer.Typer(no_args_is_help=True, help="Recordings of talks: list, control, fetch, delete.")
app.add_typer(agents_app, name="agents")
app.add_typer(dialplan_cli.app, name="dialplan")
app.add_typer(recording_app, name="recording")
app.add_typer(callback_cli.app, name="callbacks")
app.add_typer(customer_cli.app, name="customers")
app.add_typer(message_cli.app, name="messages")
app.add_typer(switch_app, name="switch")
app.command("surveys")(surveys)


def main() -> None:
    app()


@app.command()
def up(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Start the private PBX and the service, say what to dial, and keep both running until Ctrl-C."""
    from cordboard.up import run_up

    raise typer.Exit(run(run_up(config_of(config), config.absolute())))


@app.command()
def serve(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the service alone, against a PBX that runs already."""
    import uvloop

    from cordboard.serve import run_service

    settings = config_of(config)
    raise typer.Exit(uvloop.run(run_service(settings, secrets_of(settings))))


@app.command()
def demo(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """A real caller and a real agent's phone against the running system, with measured times."""
    from cordboard.demo import run_demo
    from cordboard.phones.agent_cli import PhoneOptions
    from cordboard.phones.caller_cli import CallOptions

    settings = config_of(config)
    secrets, service = secrets_of(settings), service_of(settings)
    agent = next((number for number, one in settings.agents.items() if "support" in one.queues), None)
    if agent is None:
        reject("the demo needs an agent in the queue `support`")
    events = f"ws://{service.host}:{service.port}/api/events"
    sip = settings.pbx.sip
    phone = PhoneOptions(
        agent,
        secrets.agents[agent],
        host=sip.host,
        port=sip.port,
        login_code=settings.feature_codes.login,
        answer_after=1.5,
        once=True,
        events_url=events,
        token=service.token,
        show=lambda line: typer.echo(f"agent  {line}"),
    )
    call = CallOptions(
        target="100",
        host=sip.host,
        port=sip.port,
        press=("2",),
        talk=5.0,
        events_url=events,
        token=service.token,
        show=lambda line: typer.echo(f"caller {line}"),
    )
    raise typer.Exit(run(run_demo(service, phone, call, agent, typer.echo)))


@app.command("demo-billing")
def demo_billing(port: Annotated[int, typer.Option(min=1, max=65535)] = 8090) -> None:
    """A billing system that the shipped account line (dial 200) can ask. In memory, on this machine only."""
    from cordboard.demo_billing import Billing, serve_billing

    async def serve_it() -> int:
        try:
            runner = await serve_billing(Billing(show=typer.echo), port)
        except OSError as error:
            reject(f"port {port} cannot be used: {error.strerror}")
        typer.echo(f"billing listens on http://127.0.0.1:{port}; accounts 100001, 100002, 100003. Ctrl-C ends it.")
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
        return 0

    raise typer.Exit(run(serve_it()))


@app.command()
def call(
    target: Annotated[str, typer.Argument(help="the number to dial")] = "100",
    press: Annotated[list[str] | None, typer.Option(help="keys for the next menu; may be given several times")] = None,
    press_after: Annotated[float, typer.Option(help="seconds into the prompt")] = 1.5,
    record: Annotated[Path | None, typer.Option(help="write what the caller heard to this WAV file")] = None,
    caller: Annotated[str | None, typer.Option("--from", help="the caller's number")] = None,
    talk: Annotated[float | None, typer.Option(help="hang up so many seconds after an agent answered")] = None,
    hangup_after: Annotated[float, typer.Option(help="hang up after so many seconds, whatever happens")] = 60.0,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Be a caller: a real SIP call, told live."""
    from cordboard.phones.caller_cli import CallOptions, run_call, unique_number

    settings = config_of(config)
    service = service_of(settings)
    options = CallOptions(
        target=target,
        host=settings.pbx.sip.host,
        port=settings.pbx.sip.port,
        caller_number=caller or unique_number(),
        press=tuple(press or ()),
        press_after=press_after,
        talk=talk,
        hangup_after=hangup_after,
        record=record,
        events_url=f"ws://{service.host}:{service.port}/api/events",
        token=service.token,
    )
    raise typer.Exit(run(run_call(options)))


@app.command()
def phone(
    extension: Annotated[str, typer.Argument(help="the agent's number")],
    answer: Annotated[bool, typer.Option("--answer", help="answer incoming calls")] = False,
    answer_after: Annotated[float, typer.Option(help="after ringing so many seconds")] = 1.0,
    refuse: Annotated[str | None, typer.Option(help="`busy`: refuse every call")] = None,
    login: Annotated[bool, typer.Option("--login", help="log the agent in by dialling the feature code")] = False,
    talk: Annotated[float | None, typer.Option(help="hang up after talking so many seconds")] = None,
    record: Annotated[Path | None, typer.Option(help="write what the agent heard to this WAV file")] = None,
    once: Annotated[bool, typer.Option("--once", help="end after the first call")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Be an agent: a real SIP phone that registers and, with --answer, answers."""
    from cordboard.phones.agent_cli import PhoneOptions, run_phone

    settings = config_of(config)
    secrets, service = secrets_of(settings), service_of(settings)
    if extension not in settings.agents:
        reject(f"no agent {extension}: the configuration has {', '.join(settings.agents)}")
    options = PhoneOptions(
        extension,
        secrets.agents[extension],
        host=settings.pbx.sip.host,
        port=settings.pbx.sip.port,
        login_code=settings.feature_codes.login if login else None,
        answer_after=answer_after if answer else None,
        refuse=refuse,
        talk=talk,
        record=record,
        once=once,
        events_url=f"ws://{service.host}:{service.port}/api/events",
        token=service.token,
    )
    raise typer.Exit(run(run_phone(options)))


@app.command()
def calls(closed: Annotated[bool, typer.Option("--closed")] = False, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Calls that are here now (or, with --closed, the last ones that ended), as JSON."""
    show(ask(config, "GET", "/api/calls" + ("?closed=1" if closed else "")))


@app.command()
def explain(
    call: Annotated[str, typer.Argument(help="the call's id, or `last`: the last one that ended")],
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for machines")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Why a call went where it did, who could not have it and why, and what would have changed it."""
    if call == "last":
        ended = ask(config, "GET", "/api/calls?closed=1&limit=1")["calls"]
        if not ended:
            reject("no call has ended yet")
        call = ended[0]["call_id"]
    explanation = ask(config, "GET", f"/api/calls/{quote(call, safe='')}/explain", limit_s=90)
    text = explanation.pop("text")
    if as_json:
        show(explanation)
    else:
        typer.echo(text, nl=False)


@app.command()
def simulate(
    scenario: Annotated[Path | None, typer.Argument(help="the file that says what load is assumed")] = None,
    last: Annotated[
        int | None, typer.Option(min=1, max=3650, help="instead: the calls of so many days before today")
    ] = None,
    other: Annotated[Path | None, typer.Option("--with", help="compare with this configuration")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="compare with a changed key, as queues.sales.strategy=fewest_calls"),
    ] = None,
    agents: Annotated[list[str] | None, typer.Option(help="compare with more agents or fewer, as '+2 sales'")] = None,
    seed: Annotated[int, typer.Option(help="for --last: other chance where the record has gaps")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for machines")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Play an assumed load, or the calls of the last days, against this configuration and a changed one."""
    from cordboard.simulation.changes import ChangeRefused, more_agents, setting
    from cordboard.simulation.simulating import Wanted, simulate_past, simulate_scenario
    from cordboard.storage.errors import StorageError

    if (scenario is None) == (last is None):
        reject("name a scenario file, or ask for --last DAYS (docs/simulate.md)")
    try:
        wanted = Wanted(other, dict(map(setting, settings or ())), dict(map(more_agents, agents or ())))
        if scenario is not None:
            result = simulate_scenario(config, scenario, wanted)
        else:
            result = asyncio.run(simulate_past(config, last or 1, seed, wanted))
    except (ConfigRefused, ChangeRefused, StorageError) as refused:
        reject(str(refused))
    if as_json:
        show(result.data())
    else:
        typer.echo(result.text(), nl=False)


@app.command()
def replay(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Work out again, from the database, all decisions of the distributor that it still has: are they the same?"""
    from cordboard.replaying import report_replay

    lines, same = asyncio.run(report_replay(config_of(config).database_url))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if same else 1)


@app.command()
def queues(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Queues and who waits in them, as JSON."""
    show(ask(config, "GET", "/api/queues"))


@app.command()
def figures(
    queue: Annotated[str | None, typer.Option(help="one queue alone; default: all, and the agents")] = None,
    since: Annotated[
        str | None, typer.Option(help="2026-07-01, 2026-07-01T08:00, yesterday, ...; default: today")
    ] = None,
    until: Annotated[str | None, typer.Option(help="likewise; default: now")] = None,
    step: Annotated[str | None, typer.Option(help="intervals of 15m, 1h, 1d, ... for --json and --csv")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="as CSV, one value a line")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Service levels, waits, handling times, agents' occupancy, each with its formula, from the event log."""
    from cordboard.clock import SteadyClock
    from cordboard.figures import figures_cli
    from cordboard.figures.days import BadInterval

    settings, now = config_of(config), SteadyClock()()
    form = figures_cli.as_json if as_json else figures_cli.as_csv if as_csv else figures_cli.as_text
    try:
        content = figures_cli.ask(settings, now, queue=queue, begin=since, end=until, step=step)
    except (BadInterval, figures_cli.NoFigures) as error:
        reject(str(error))
    typer.echo(form(content), nl=False)


@app.command()
def schema() -> None:
    """The JSON Schema of the configuration file, for editors."""
    show(config_schema())


@app.command("talk")
def talk_command(
    command: Annotated[str, typer.Argument(help=f"one of {', '.join(COMMANDS)}")],
    call: Annotated[str, typer.Argument(help="the call's id, as `calls` shows it")],
    to: Annotated[str, typer.Option(help="agent:NUMBER, queue:NAME, flow:NAME or number:DIGITS")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Do something with the talk that a caller is in."""
    if command not in COMMANDS:
        reject(f"no command {command!r}; there are: {', '.join(COMMANDS)}")
    show(ask(config, "POST", f"/api/calls/{call}/talk/{command}", {"to": to} if to else {}))


@app.command()
def supervise(
    call: Annotated[str, typer.Argument(help="the call's id")],
    agent: Annotated[str, typer.Argument(help="the supervisor's number; their phone rings")],
    mode: Annotated[str, typer.Argument(help=f"one of {', '.join(SUPERVISION)}")] = "listen",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Be in another agent's talk: listen, whisper, barge in, take over, stop."""
    show(ask(config, "POST", f"/api/calls/{call}/supervise", {"agent": agent, "mode": mode}))


@agents_app.command("list")
def agents_list(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Agents and their states, as JSON."""
    show(ask(config, "GET", "/api/agents"))


def _agent_command(name: str, help_text: str) -> None:
    @agents_app.command(name, help=help_text)
    def command(
        agent: Annotated[str, typer.Argument(help="the agent's number")],
        reason: Annotated[str | None, typer.Option(help="for a pause: why, one of the configured reasons")] = None,
        config: ConfigFile = DEFAULT_CONFIG,
    ) -> None:
        show(ask(config, "POST", f"/api/agents/{agent}/{name}", {"reason": reason} if reason else {}))


for _name, _help in (
    ("login", "Log an agent in."),
    ("logout", "Log an agent out (after the call, if in one)."),
    ("pause", "Make an agent not ready."),
    ("ready", "Make an agent ready, or end the wrap-up early."),
):
    _agent_command(_name, _help)


@agents_app.command("wrap-up")
def agents_wrap_up(
    agent: Annotated[str, typer.Argument(help="the agent's number")],
    extend: Annotated[float | None, typer.Option(help="by so many seconds; 30 when not said")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Give an agent more time after a talk, at most to the longest wrap-up of the queue."""
    show(ask(config, "POST", f"/api/agents/{agent}/wrap-up", {} if extend is None else {"extend": extend}))


@agents_app.command("disposition")
def agents_disposition(
    agent: Annotated[str, typer.Argument(help="the agent's number")],
    code: Annotated[str, typer.Argument(help="the name or the digit of one of the queue's dispositions")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Say what an agent's talk led to, during the talk or its wrap-up."""
    show(ask(config, "POST", f"/api/agents/{agent}/disposition", {"code": code}))


@recording_app.command("list")
def recording_list(
    call_id: Annotated[str | None, typer.Option("--call", help="of this call only")] = None,
    agent: Annotated[str | None, typer.Option(help="of this agent only")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """The newest recordings, as JSON."""
    wanted = urlencode({name: value for name, value in (("call", call_id), ("agent", agent)) if value})
    show(ask(config, "GET", f"/api/recordings?{wanted}"))


@recording_app.command("fetch")
def recording_fetch(
    recording: Annotated[str, typer.Argument(help="its name, as `recording list` shows it")],
    to: Annotated[Path, typer.Argument(help="the FLAC file to write")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write a recording into a file: left the caller, right the agent."""
    service = running_service(config)
    try:
        size = asyncio.run(service.fetch(f"/api/recordings/{quote(recording, safe='')}/audio", to))
    except (ServiceError, OSError) as error:
        reject(str(error))
    typer.echo(f"{to}: {size} bytes")


@recording_app.command("delete")
def recording_delete(
    recording: Annotated[str, typer.Argument(help="its name, as `recording list` shows it")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Delete the sound of a recording. That it was there stays on record."""
    show(ask(config, "DELETE", f"/api/recordings/{quote(recording, safe='')}"))


def _recording_command(name: str, help_text: str) -> None:
    @recording_app.command(name, help=help_text)
    def command(
        call_id: Annotated[str, typer.Argument(help="the call, as `calls` shows it")],
        config: ConfigFile = DEFAULT_CONFIG,
    ) -> None:
        show(ask(config, "POST", f"/api/calls/{quote(call_id, safe='')}/recording/{name}"))


for _name, _help in (
    ("start", "Record the talk of a call from now on."),
    ("stop", "Stop recording it (not where the queue always records)."),
    ("pause", "Silence in the recording from now on."),
    ("resume", "Sound again after a pause."),
):
    _recording_command(_name, _help)
