"""The stand-in: the program that Serve runs as HAProxy.

Serve starts one for each configuration, with HAProxy's arguments, and sends commands to its admin
socket. A stand-in ends with the HAProxy that it stands for, or with its parent process.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cluster.edge import haproxy
from cluster.edge.files import EdgeFiles
from cluster.edge.options import EdgeOptions
from cluster.edge.rewrite import EdgeConfig, UnknownServeConfig, has_routes, rewrite

_KEEPER_S = 15.0
_PAUSE_S = 0.1
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """Serve's order, as given in HAProxy's arguments.

    Attributes:
        config: the configuration file.
        replaced: process ids of the stand-ins that this one replaces; () for a first start.
    """

    config: Path
    replaced: tuple[int, ...]

    @classmethod
    def of(cls, arguments: list[str]) -> Order:
        """Read `-f FILE` and `-sf PID...`; other arguments do not matter here."""
        values: dict[str, list[str]] = {}
        for argument in arguments:
            if argument.startswith("-"):
                values[argument] = []
            elif values:
                values[list(values)[-1]].append(argument)
        return cls(Path(values["-f"][0]), tuple(int(pid) for pid in values.get("-sf", ())))


class StandIn:
    """Stands for one HAProxy.

    Args:
        order: Serve's order.
        tools: folder of HAProxy and its answers; see `install.py`.
        options: what the edge depends on.
    """

    def __init__(self, order: Order, tools: Path, options: EdgeOptions) -> None:
        self._order = order
        self._files = EdgeFiles(order.config.parent)
        self._tools = tools
        self._options = options
        self._pid = 0
        self._parent = os.getppid()
        self._is_replaced = False

    def run(self) -> int:
        """Stand for HAProxy until another stand-in takes over. Returns the exit code."""
        try:
            admin = self._write_config()
            keeper = self._serve()
        except (UnknownServeConfig, haproxy.NotStarted) as error:
            print(error, file=sys.stderr)
            return 1
        with contextlib.suppress(AttributeError, ValueError):
            signal.signal(signal.SIGUSR1, self._soft_stop)
        with _listen(admin) as listener:
            for pid in self._order.replaced:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGUSR1)
            self._answer(listener, keeper)
        return 0

    def _write_config(self) -> Path:
        """Correct Serve's configuration. Returns the admin socket that it names.

        A restarted Serve has no routes at first, while the replicas still run. Until it has, the
        earlier routes stay.
        """
        given = self._order.config.read_text()
        corrected, files = rewrite(given, self._edge()), self._files
        stays = not self._order.replaced and not has_routes(corrected) and _routed(files.config)
        if not stays:
            new = files.config.with_suffix(".new")
            new.write_text(corrected)
            new.rename(files.config)
        return Path(given.partition("stats socket ")[2].split()[0])

    def _edge(self) -> EdgeConfig:
        return EdgeConfig(self._tools, self._files.commands, self._options)

    def _serve(self) -> socket.socket:
        """Have the keeper run HAProxy with the new configuration.

        Returns the connection to the keeper; it ends when the keeper does.
        """
        until = time.monotonic() + _KEEPER_S
        # A keeper that is being killed may accept once more, and answer nothing.
        while not (line := _request_serve(keeper := self._connect())):
            keeper.close()
            if time.monotonic() > until:
                raise haproxy.NotStarted("the keeper has ended")
            time.sleep(0.01)
        answer = json.loads(line)
        if "error" in answer:
            keeper.close()
            raise haproxy.NotStarted(answer["error"])
        self._pid = answer["pid"]
        return keeper

    def _serve_again(self) -> socket.socket | None:
        """Have another keeper run HAProxy; None if this stand-in is not needed any more.

        HAProxy may die at the same moment as the keeper, and then fails to take over its sockets:
        the next attempt starts it anew.
        """
        while os.getppid() == self._parent and not self._is_replaced:
            try:
                return self._serve()
            except haproxy.NotStarted as error:
                print(error, file=sys.stderr)
                time.sleep(_PAUSE_S)
        return None

    def _connect(self) -> socket.socket:
        """Connect to the keeper; start it if there is none."""
        until, started = time.monotonic() + _KEEPER_S, 0.0
        while True:
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(str(self._files.keeper))
                return client
            except OSError:
                client.close()
                now = time.monotonic()
                if now > until:
                    raise haproxy.NotStarted("the keeper does not start") from None
                if now - started > 2:
                    self._start_keeper()
                    started = now
                time.sleep(0.01)

    def _start_keeper(self) -> None:
        command = [sys.executable, "-S", "-E", "-c", sys.orig_argv[sys.orig_argv.index("-c") + 1]]
        with self._files.log.open("ab") as log:
            subprocess.Popen(  # noqa: S603 — this program
                [*command, "keep", str(self._tools), str(self._files.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answer(self, listener: socket.socket, keeper: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(keeper, selectors.EVENT_READ)
            while os.getppid() == self._parent and not (self._is_replaced and self._has_gone()):
                for key, _ in selector.select(_LOOK_S):
                    if key.fileobj is listener:
                        self._relay(listener)
                        continue
                    selector.unregister(keeper)
                    keeper.close()
                    if (again := self._serve_again()) is not None:
                        keeper = again
                        selector.register(keeper, selectors.EVENT_READ)

    def _has_gone(self) -> bool:
        return not Path(f"/proc/{self._pid}").exists()

    def _relay(self, listener: socket.socket) -> None:
        """Pass a command on to HAProxy. Serve expects our process id as HAProxy's."""
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.settimeout(_LOOK_S)
            command = peer.makefile("rb").readline().decode().strip()
            answer = b""
            with contextlib.suppress(OSError):
                answer = haproxy.query(self._files.commands, command)
            if command == "show info":
                own = b"Pid: %d" % os.getpid()
                others = [line for line in answer.splitlines() if not line.startswith(b"Pid:")]
                answer = b"\n".join([*others, own, b""])
            peer.sendall(answer)

    def _soft_stop(self, number: int, _: FrameType | None) -> None:
        self._is_replaced = True


def _request_serve(keeper: socket.socket) -> bytes:
    """Return the keeper's answer, b"" if it ended before it gave one."""
    try:
        keeper.sendall(b"serve\n")
        return keeper.makefile("rb").readline()
    except OSError:
        return b""


def _listen(path: Path) -> socket.socket:
    """Listen at a path, in place of another process; only this user may connect."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(draft))
    listener.listen()
    draft.rename(path)
    return listener


def _routed(config: Path) -> bool:
    return config.exists() and has_routes(config.read_text())


def main(tools: str, options: dict[str, Any], arguments: list[str]) -> int:
    """Act as HAProxy with the given arguments. Returns the exit code.

    Args:
        tools: folder of HAProxy and its answers; see `install.py`.
        options: the fields of `EdgeOptions`.
        arguments: Serve's, for HAProxy.
    """
    os.umask(0o077)
    if "-f" not in arguments:  # for example `-v`, its version
        os.execv(f"{tools}/haproxy", [f"{tools}/haproxy", *arguments])  # noqa: S606
    return StandIn(Order.of(arguments), Path(tools), EdgeOptions(**options)).run()
