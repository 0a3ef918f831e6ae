"""A made-up internet: names with addresses, a line to each that tells who was called, and places not to be called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from ground.outbound import Outbound
from ground.outbound.guard import GuardedBackend

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07::1"

NAMES: dict[str, list[str]] = {
    "public.example": [PUBLIC],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "inside.example": ["10.0.0.5"],
    "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "translated.example": ["64:ff9b::a00:1"],
    "tunnelled.example": ["2002:a00:1::1"],
    "link.example": ["fe80::1%eth0"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "both6.example": [PUBLIC_V6, "::1"],
    "azure.example": ["168.63.129.16"],
    "nowhere.example": [],
}

HOSTILE: tuple[str, ...] = (
    # this machine, in every spelling a resolver would take
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.255.255.254/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0X7F.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    # private and special networks
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.51.100.7/",
    "http://203.0.113.9/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # where a cloud keeps credentials
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    # IPv6 that is local, or carries an IPv4 address
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:53aa:64c::1]/",
    "http://[2001:10::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://[100::1]/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    # names of such places
    *(f"http://{name}/" for name in NAMES if name != "public.example"),
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 150}example/",
    # an address that says two things
    "http://public.example@127.0.0.1/",
    "http://user:password@public.example/",
    "http://public.example:80@10.0.0.1/",
    "http://public.example\\@127.0.0.1/",
    "http://127.0.0.1#@public.example/",
    "http://127.0.0.1?@public.example/",
    "http://127.0.0.1\\.public.example/",
    "http://public.example\r\nHost: inside/",
    "http://public.example/\r\nX-Injected: yes",
    "http://127.0.0.1\t/",
    " http://127.0.0.1/",
    # other schemes and doors
    "https://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "ftp://public.example/",
    "javascript:alert(1)",
    "http:///etc/passwd",
    "http://public.example:22/",
    "http://public.example:6379/",
    "http://public.example:8000/",
    "https://public.example:0/",
    "http://public.example:99999/",
)

HARMLESS: dict[str, list[str]] = {
    "api.studio.example": ["8.8.8.8"],
    "cdn.studio.example": ["1.1.1.1", "1.0.0.1"],
    "v6.studio.example": ["2001:4860:4860::8888"],
    "both.studio.example": ["2606:4700::1111", "104.16.0.1"],
    "xn--bcher-kva.example": ["93.184.215.14"],
    "a.b.c.d.e.example": ["151.101.1.1"],
    "1e100.example": ["142.250.1.1"],
    "127.0.0.1.public.example": ["93.184.215.14"],
    "localhost.public.example": ["93.184.215.14"],
    "0x7f.example": ["93.184.215.14"],
    "10.example": ["93.184.215.14"],
    "metadata.example": ["93.184.215.14"],
    "under_score.example": ["13.32.1.1"],
    "edge.example": ["9.255.255.255"],
    "edge2.example": ["11.0.0.0"],
    "edge3.example": ["172.32.0.0"],
    "edge4.example": ["100.128.0.0"],
    "edge5.example": ["169.253.255.255"],
    "edge6.example": ["223.255.255.254"],
    "edge7.example": ["126.255.255.255"],
    "edge8.example": ["192.167.255.255"],
    "edge9.example": ["198.20.0.0"],
    "many.example": ["52.0.0.1", "52.0.0.2", "52.0.0.3", "52.0.0.4", "52.0.0.5", "52.0.0.6"],
}

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def redirect_to(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"


class Names:
    """A resolver that knows what it is told; a name given several answers changes its mind at each look."""

    def __init__(self, known: dict[str, list[str]], *, then: dict[str, list[str]] | None = None) -> None:
        self.looks = 0
        self._answers = [known, {**known, **(then or {})}]

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        known = self._answers[min(self.looks, 1)]
        self.looks += 1
        host.encode("idna")  # as the system's resolver does, which cannot spell long labels
        if host not in known:
            raise OSError("no such name")
        return known[host]


class Stream(httpcore.AsyncMockStream):
    """A connection that answers what was written for it, and tells what was sent."""

    def __init__(self, answer: bytes) -> None:
        super().__init__([answer])
        self.sent = b""
        self.tls_name: str | None = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.sent += buffer

    async def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Stream:  # noqa: ASYNC109
        self.tls_name = server_hostname
        return self


class Lines(httpcore.AsyncNetworkBackend):
    """The hook on connect: who was called, in order. Addresses in `dead` do not answer."""

    def __init__(self, *answers: bytes, dead: Iterable[str] = ()) -> None:
        self.called: list[tuple[str, int]] = []
        self.streams: list[Stream] = []
        self._answers = list(answers) or [ANSWER]
        self._dead = set(dead)

    async def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> Stream:
        self.called.append((host, port))
        if host in self._dead:
            raise httpcore.ConnectError("nobody answers")
        stream = Stream(self._answers[min(len(self.streams), len(self._answers) - 1)])
        self.streams.append(stream)
        return stream


def outbound_over(lines: Lines, names: Names | None = None) -> Outbound:
    return Outbound(GuardedBackend(lines, (names or Names(NAMES)).look_up))
