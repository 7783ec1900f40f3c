"""`cordboard up`: bring the whole site up, say how to use it, keep it up.

Decides what a newcomer is told. Starting, watching and stopping are the supervisor's.
"""

from __future__ import annotations

from pathlib import Path

import typer

from cordboard.config import Config
from cordboard.logs import configure_logs
from cordboard.pbx_settings import PbxSettingsError
from cordboard.private_pbx import PrivatePbx, PrivatePbxError
from cordboard.secrets import Secrets, SecretsError, load_secrets
from cordboard.site import LAUNCHER, pbx_settings
from cordboard.supervisor import AlreadyRunningError, ServiceRefusedError, Supervisor, service_command, sole_owner
from ivr.errors import DialplanErrors
from ivr.loader import load_folder

FAILED = 1
LAST_WRITES_S = 20.0
"""What the service may need after the last call has ended."""


async def run_up(config: Config, file: Path) -> int:
    """Until asked to stop. Returns a process exit status."""
    config.var_dir.mkdir(parents=True, exist_ok=True)
    config.var_dir.chmod(0o700)  # callers' numbers are in the database and in the PBX's own notes
    secrets = load_secrets(config.var_dir, config.agents)
    configure_logs(config.logs.level, config.log_file, keep_personal=config.logs.personal_data)
    try:
        with sole_owner(config.var_dir / "up.lock"):
            pbx = None
            if config.pbx.private:
                pbx = PrivatePbx(pbx_settings(config, secrets), config.var_dir / LAUNCHER)
            health = f"http://{config.web.host}:{config.web.port}/health"
            supervisor = Supervisor(
                pbx,
                service_command(file),
                health,
                typer.echo,
                stop_patience_s=config.timers.drain_s + LAST_WRITES_S,
            )
            await supervisor.run(lambda: typer.echo(card(config, secrets)))
    except (AlreadyRunningError, PbxSettingsError, PrivatePbxError, SecretsError, ServiceRefusedError) as error:
        typer.echo(str(error), err=True)
        return FAILED
    return 0


def _numbers(config: Config) -> tuple[str, ...]:
    try:
        return load_folder(config.dialplans_dir, config.queues.keys()).numbers
    except DialplanErrors:
        return ()


def card(config: Config, secrets: Secrets) -> str:
    """What to dial, which phones exist, where to look. It holds secrets: for the terminal only."""
    sip, web = config.pbx.sip, config.web
    url = f"http://{web.host}:{web.port}"
    codes = config.feature_codes
    numbers = " or ".join(_numbers(config)) or "a number (no dialplan answers one yet)"
    lines = [
        "",
        f"{config.company} is open.",
        "",
        f"  callers   dial {numbers} at SIP {sip.host}:{sip.port}"
        + ("" if config.pbx.demo_callers else "  (through the trunk only)"),
        "            or:  .venv/bin/cordboard call 100 --press 2 --record heard.wav",
        "",
        f"  agents    register at SIP {sip.host}:{sip.port} (user = number)",
    ]
    for number, agent in config.agents.items():
        lines.append(f"            {number}  secret {secrets.agents[number]}  {agent.name} ({', '.join(agent.queues)})")
    lines += [
        f"            dial {codes.login} log in, {codes.logout} log out, {codes.pause} pause, {codes.ready} ready",
        f"            or:  .venv/bin/cordboard phone {next(iter(config.agents), '1001')} --login --answer",
        "",
        f"  board     {url}/?token={secrets.api_token}",
        f"  health    {url}/health      metrics  {url}/metrics",
        "",
        "  see it:   make demo (in another terminal).  Ctrl-C stops everything.",
    ]
    return "\n".join(lines)
