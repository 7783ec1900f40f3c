"""What every command needs: its configuration, the running service, and a way to say no."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cordboard.api_client import ServiceAddress, ServiceError
from cordboard.config import Config
from cordboard.config_loader import ConfigRefused, load_config
from cordboard.secrets import Secrets, SecretsError, load_secrets

ConfigFile = Annotated[Path, typer.Option("--config", "-c", envvar="CORDBOARD_CONFIG", help="the configuration file")]
DEFAULT_CONFIG = Path("cordboard.yaml")
USAGE = 2
SERVICE_VARIABLE = "CORDBOARD_SERVICE"
TOKEN_VARIABLE = "CORDBOARD_TOKEN"


def config_of(file: Path) -> Config:
    try:
        return load_config(file)
    except ConfigRefused as refused:
        reject(str(refused))


def secrets_of(config: Config) -> Secrets:
    try:
        return load_secrets(config.var_dir, config.agents)
    except SecretsError as error:
        reject(str(error))


def service_of(config: Config) -> ServiceAddress:
    return ServiceAddress(config.web.host, config.web.port, secrets_of(config).api_token)


def _elsewhere() -> ServiceAddress | None:
    """The service that the environment names: then this machine needs no configuration."""
    url, token = (os.environ.get(name, "").strip() for name in (SERVICE_VARIABLE, TOKEN_VARIABLE))
    if bool(url) is not bool(token):
        reject(f"{SERVICE_VARIABLE} and {TOKEN_VARIABLE} belong together, and only one of them is set")
    if url and not url.startswith(("http://", "https://")):
        reject(f"{SERVICE_VARIABLE} must be a URL such as https://cordboard.example.net")
    return ServiceAddress("", 0, token, url.rstrip("/")) if url else None


def running_service(config: Path) -> ServiceAddress:
    """The one that the environment names, else that of the configuration."""
    return _elsewhere() or service_of(config_of(config))


def ask(config: Path, method: str, path: str, body: dict[str, Any] | None = None, limit_s: float = 10) -> Any:
    try:
        return asyncio.run(running_service(config).ask(method, path, body, limit_s))
    except ServiceError as error:
        reject(str(error))


def run(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end; Ctrl-C is an orderly end too."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except ServiceError as error:
        reject(str(error))


def show(content: Any) -> None:
    typer.echo(json.dumps(content, indent=None if not sys.stdout.isatty() else 2, ensure_ascii=False))


def reject(text: str) -> NoReturn:
    typer.echo(text, err=True)
    sys.stderr.flush()
    raise SystemExit(USAGE)
