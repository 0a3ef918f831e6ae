from __future__ import annotations

from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory

import config.asgi  # noqa: F401 - a server that serves the application closes as it says
from config.closing import AnyCode


class Told(AnyCode):
    """Keeps the frame that would be sent."""

    def sendCloseFrame(self, **frame: Any) -> None:  # noqa: N802
        self.frame = frame


@pytest.mark.parametrize(("code", "sent"), [(1001, 1001), (1011, 1011), (4403, 4403), (None, 1000)])
def test_a_socket_is_closed_with_the_code_that_was_said(code: int | None, sent: int) -> None:
    socket = Told()

    socket.serverClose(code)

    assert socket.frame == {"code": sent, "isReply": False}


def test_sockets_of_the_server_are_of_this_kind() -> None:
    assert WebSocketFactory.protocol is AnyCode
