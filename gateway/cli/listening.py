"""The socket of `pinxit serve`, opened before anything slow is imported: who comes early waits instead of being refused."""

import errno
import socket

from gateway.settings import Settings
from models import SettingInvalid

BACKLOG = 2048
_TAKEN = {errno.EADDRINUSE, errno.EACCES}


def listening(settings: Settings) -> socket.socket:
    """Raises SettingInvalid: the port is taken or not ours to take, or the host is no address of this machine."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as wrong:
        name = "PINXIT_PORT" if wrong.errno in _TAKEN else "PINXIT_HOST"
        raise SettingInvalid(f"{name}: cannot listen on {settings.host}:{settings.port} ({wrong.strerror}).") from None
