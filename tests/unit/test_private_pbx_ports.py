"""A port that somebody else has is told before the PBX starts; it would start deaf."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cordboard.pbx_settings import PbxSettings
from cordboard.private_pbx import PrivatePbx, PrivatePbxError


@pytest.mark.parametrize(("kind", "key"), [(socket.SOCK_DGRAM, "pbx.sip.port"), (socket.SOCK_STREAM, "pbx.ami.port")])
async def test_a_taken_port_is_told(tmp_path: Path, kind: socket.SocketKind, key: str) -> None:
    with socket.socket(socket.AF_INET, kind) as taken, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        free.bind(("127.0.0.1", 0))
        port, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        sip, ami = (port, other) if kind == socket.SOCK_DGRAM else (other, port)
        settings = PbxSettings(
            root=tmp_path / "root",
            var=tmp_path / "pbx",
            prompts=tmp_path / "prompts",
            voicemail=tmp_path / "voicemail",
            ami_secret="a" * 40,
            sip_port=sip,
            ami_port=ami,
        )
        with pytest.raises(PrivatePbxError, match=rf"port {port} at 127\.0\.0\.1 .*{key}"):
            await PrivatePbx(settings, tmp_path / "no-launcher").start()
