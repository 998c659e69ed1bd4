"""Free ports can be bound, and no two of one call are the same."""

from __future__ import annotations

import socket

from core.ports import free_ports


def test_ports_are_each_another_and_free() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    for port in found:
        with socket.socket() as listener:
            listener.bind(("", port))
