"""A scenario's endpoint, listening: sockets, connections and what came of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.lab import certificates, others
from rdpdoctor.lab.conversation import Conversation, Visit
from rdpdoctor.lab.peer import Gone, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rdpdoctor.lab.scenario import Plan, Scenario

#: Connections at once; more are reset.
MAX_OPEN = 200
_BACKLOG = 128
#: Seconds that those who are leaving are given before a limit counts them.
_SETTLE, _SETTLE_STEPS = 0.05, 10
_TRIES = 20


class EndpointError(OSError):
    """The endpoint cannot listen here; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: seconds since the endpoint started. `connection` counts from 1."""

    at: float
    connection: int
    what: str


class Endpoint:
    """Listens while entered. `host` is for plans that name no addresses; port 0 takes a free one.

    log: what happened, oldest first. connections: accepted in all; peak: most at once. faults: our own.
    """

    def __init__(
        self,
        scenario: Scenario,
        host: str = "127.0.0.1",
        port: int = 0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.plan = scenario.endpoint
        self.addresses = list(self.plan.addresses or (host,))
        self.port = port
        self.log: list[Event] = []
        self.connections = 0
        self.peak = 0
        self.faults: list[str] = []
        self._on_event = on_event
        self._began = 0.0
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[int, Peer] = {}
        self._turn = asyncio.Semaphore(self.plan.serves) if self.plan.serves else contextlib.nullcontext()

    async def __aenter__(self) -> Endpoint:
        self._prepare()
        self._began = time.monotonic()
        bound = self._bind()
        for address, sock in zip(self.addresses, bound, strict=True):
            match self.plan.listener(address):
                case "listening":
                    sock.listen(_BACKLOG)
                    self._start(self._accept(sock, address))
                case "dropping":
                    sock.listen(0)
                    await self._fill(sock)
                case "absent":
                    pass  # bound and not listening: RST, and nobody else gets the port
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sock in self._sockets:
            sock.close()

    def _prepare(self) -> None:
        """Keys and certificates are made before anybody waits for them. Raise EndpointError."""
        try:
            for plan in (self.plan, *(member.plan for member in self.plan.members)):
                for certificate in plan.certificates:
                    certificates.chain(certificate)
                    if not plan.tls.suites:
                        certificates.context(plan.tls, certificate)
        except (ssl.SSLError, ValueError) as error:
            raise EndpointError(f"{self.scenario.name}: this system's TLS cannot play it: {error}") from error

    def _bind(self) -> list[socket.socket]:
        """One socket an address, all on one port. Raise EndpointError."""
        for attempt in itertools.count(1):
            port, bound = self.port, []
            try:
                for address in self.addresses:
                    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                    bound.append(sock)
                    sock.setblocking(False)
                    # On Windows it would let two listen on one port, and anywhere two that do not listen.
                    if sys.platform != "win32" and self.plan.listener(address) != "absent":
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    sock.bind((address, port))
                    port = sock.getsockname()[1]
            except OSError as error:
                for sock in bound:
                    sock.close()
                if self.port or attempt == _TRIES or len(bound) < 2:
                    where = f"{address} port {port}"
                    raise EndpointError(f"cannot listen on {where}: {error.strerror}") from error
                continue
            self.port = port
            self._sockets += bound
            return bound
        raise AssertionError("unreachable")

    async def _fill(self, listener: socket.socket) -> None:
        """Connections that nobody accepts, until the queue is full: from then on Linux drops each SYN."""
        loop = asyncio.get_running_loop()
        for _ in range(16):
            sock = socket.socket(listener.family)
            sock.setblocking(False)
            self._sockets.append(sock)
            try:
                async with asyncio.timeout(0.2):
                    await loop.sock_connect(sock, listener.getsockname())
            except TimeoutError:
                return
        raise EndpointError("this system does not drop connections to a full queue")

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError as error:  # a client that was gone again, or no descriptors left
                self._note(0, f"accept failed: {error.strerror}")
                await asyncio.sleep(0.1)
                continue
            self.connections += 1
            self._start(self._serve(sock, address, self.connections))

    async def _serve(self, sock: socket.socket, address: str, number: int) -> None:
        plan = self.plan.answering(address, number)
        peer = Peer(sock, address, plan.delay, plan.segment)
        self._open[number] = peer
        try:
            at_once = await self._at_once(plan)
            self.peak = max(self.peak, at_once)
            self._note(number, f"connected to {address}, {at_once} at once")
            if at_once > MAX_OPEN:
                await peer.end("reset")
                return
            async with self._turn:
                if plan.speaks != "rdp":
                    await others.speak(plan, peer)
                else:
                    visit = Visit(number, address, at_once, partial(self._note, number), peer.max_segment)
                    await Conversation(plan, peer, visit).run()
        except Gone:
            pass
        except Exception:  # an endpoint survives anything; tests look at `faults`
            self.faults.append(traceback.format_exc())
            self._note(number, "fault of the lab itself")
        finally:
            peer.close()
            del self._open[number]
            self._note(number, f"ended, {peer.received} bytes in, {peer.sent} out")

    async def _at_once(self, plan: Plan) -> int:
        """How many are open. A client that closes one and opens the next may be seen to open first."""
        limits = [fault.when.over for fault in plan.faults if fault.when.over is not None]
        for _ in range(_SETTLE_STEPS):
            if (count := self._count()) <= min(limits, default=count):
                break
            await asyncio.sleep(_SETTLE / _SETTLE_STEPS)
        return count

    def _count(self) -> int:
        return sum(not peer.has_left() for peer in self._open.values())

    def _note(self, number: int, what: str) -> None:
        event = Event(time.monotonic() - self._began, number, what)
        self.log.append(event)
        if self._on_event is not None:
            self._on_event(event)


@contextlib.contextmanager
def background(scenario: Scenario, host: str = "127.0.0.1", port: int = 0) -> Iterator[Endpoint]:
    """The same in a thread of its own, for callers without a loop. Raise EndpointError."""
    endpoint = Endpoint(scenario, host, port)
    ready, failed = threading.Event(), []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live() -> None:
        try:
            async with endpoint:
                ready.set()
                await stop.wait()
        except Exception as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
    thread.start()
    try:
        ready.wait()
        if failed:
            raise failed[0]
        yield endpoint
    finally:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
