"""Listens on ports, or tries connections and prints as JSON which of them came about.

listen <port>,<port>... [<address>:<port>]   and calls that address from its first instant on
connect <address>:<port>/<TCP or UDP>,...    UDP asks for a name, and counts only when it is answered
"""

import asyncio
import json
import socket
import sys
import time

SECONDS = 3.0
CALLING_SECONDS = 5.0
QUESTION = (
    b"\x2a\x2a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"
)


class Asked(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def connect(address: str, port: int, protocol: str) -> None:
    if protocol == "TCP":
        _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return
    loop = asyncio.get_running_loop()
    transport, asked = await loop.create_datagram_endpoint(Asked, remote_addr=(address, port))
    try:
        transport.sendto(QUESTION)
        await asked.answer
    finally:
        transport.close()


async def connects(target: str) -> bool:
    place, protocol = target.split("/")
    address, port = place.rsplit(":", 1)
    try:
        await asyncio.wait_for(connect(address, int(port), protocol), SECONDS)
    except (OSError, TimeoutError):
        return False
    return True


async def listen(port: int) -> None:
    def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accept, "0.0.0.0", port)
    async with server:
        await server.serve_forever()


async def call(target: str) -> None:
    """Whoever answers is told who calls, and how old the caller was when it began to."""
    start = time.monotonic()
    address, port = target.rsplit(":", 1)
    while (age := time.monotonic() - start) < CALLING_SECONDS:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, int(port)), SECONDS)
            writer.write(f"{socket.gethostname()} after {age:.2f} s".encode())
            writer.close()
        except (OSError, TimeoutError):
            pass
        await asyncio.sleep(0.02)


async def main(what: str, items: list[str], called: list[str]) -> None:
    if what == "connect":
        print(json.dumps(await asyncio.gather(*map(connects, items))))
    else:
        await asyncio.gather(*map(call, called), *(listen(int(port)) for port in items))


asyncio.run(main(sys.argv[1], sys.argv[2].split(","), sys.argv[3:]))
