"""What can go wrong between us and the PBX.

PbxError
├── EncodeError        a value that must not be sent: control characters, over-long lines, too many headers
└── LinkError          this connection is of no use any more; another one may be
    ├── LinkLost       it was there and is gone: reset, silence, a full write buffer
    └── LoginRefused   the PBX does not let us in, or must not be trusted with callers
"""

from __future__ import annotations


class PbxError(Exception):
    """Anything that this package raises on purpose."""


class EncodeError(PbxError):
    """A value that must not be sent to the PBX. Nothing was sent."""


class LinkError(PbxError):
    """This connection is of no use any more."""


class LinkLost(LinkError):
    """The connection ended, or is as good as ended."""


class LoginRefused(LinkError):
    """Wrong secret, missing permission, or a PBX that is configured dangerously."""
