"""daphne closes WebSockets with codes of the application alone; a server that goes away has one of its own.

Autobahn, beneath it, refuses to send 1001 (going away) and 1011 (internal error) from `sendClose`, though RFC 6455
gives both to servers. The client would see the connection cut, and not know that it may come back at once.
"""

from __future__ import annotations

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

NORMAL = 1000


class AnyCode(WebSocketProtocol):
    closeHandshakeTimeout = 5  # noqa: N815 - Autobahn's name; seconds to read what lies before the code

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 - daphne's name
        self.sendCloseFrame(code=NORMAL if code is None else code, isReply=False)


def allow_every_close_code() -> None:
    WebSocketFactory.protocol = AnyCode
