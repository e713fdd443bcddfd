"""Imported by every Python that finds this folder on its path: no address but this machine's answers.

Notebooks talk to their kernels through the loopback; everything else is refused, as without a network.
"""

import ipaddress
import socket


def _check(address: object) -> None:
    host = address[0] if isinstance(address, tuple) else None  # a path or a number: not the internet
    if host in (None, "", "localhost"):
        return
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which a server outside would have to resolve
        inside = False
    if not inside:
        raise ConnectionRefusedError(f"the network is refused in this test: {host}")


class Socket(socket.socket):
    def connect(self, address: object) -> None:
        _check(address)
        super().connect(address)

    def connect_ex(self, address: object) -> int:
        _check(address)
        return super().connect_ex(address)

    def sendto(self, data: bytes, *rest: object) -> int:
        _check(rest[-1])
        return super().sendto(data, *rest)


_look_up = socket.getaddrinfo


def getaddrinfo(host: object, *arguments: object, **options: object) -> list:
    """Refuses names: looking one up is asking a server."""
    _check((host.decode() if isinstance(host, bytes) else host,))
    return _look_up(host, *arguments, **options)


socket.socket = socket.SocketType = Socket
socket.getaddrinfo = getaddrinfo
