"""The common part of the embedded servers: one server over one folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from cluster.embedded.endpoint import Endpoint, read_endpoint
from cluster.errors import CommandFailed


class EmbeddedServer(ABC):
    """A server process over a folder. It outlives the process that started it.

    Args:
        folder: created if absent.
        throwaway: for tests: do not flush to disk, and die with the process that started it.
        log: file for the server's log; None: `<name>.log` in the folder, lower case.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path, *, throwaway: bool = False, log: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.throwaway = throwaway
        self.log = (log or self.folder / f"{self.name}.log".lower()).resolve()

    @property
    @abstractmethod
    def url(self) -> str:
        """The server's URL, with the password.

        Raises:
            CommandFailed: the server was never started.
        """

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """Process id of the server, None if it does not run."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether the server runs and accepts connections."""

    @abstractmethod
    def start(self) -> bool:
        """Start the server and wait until it answers. Recovers from an earlier kill or crash.

        Returns:
            False if it was running already.

        Raises:
            CommandFailed: it does not start.
        """

    @abstractmethod
    def stop(self) -> bool:
        """Stop the server in order. Returns False if it was not running."""

    @property
    def _endpoint_file(self) -> Path:
        return self.folder / "endpoint.json"

    def _endpoint(self) -> Endpoint:
        endpoint = read_endpoint(self._endpoint_file)
        if endpoint is None:
            raise CommandFailed(f"the embedded {self.name} was never started", "run `quorum up`")
        return endpoint
