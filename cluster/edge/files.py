"""Files of the edge of one node, beside the configuration that Serve writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EdgeFiles:
    """The files of one edge.

    Attributes:
        folder: the folder of Serve's configuration.
    """

    folder: Path

    @property
    def config(self) -> Path:
        """The corrected configuration."""
        return self.folder / "edge.cfg"

    @property
    def commands(self) -> Path:
        """HAProxy's own admin socket."""
        return self.folder / "edge.sock"

    @property
    def keeper(self) -> Path:
        """The socket that the keeper listens at."""
        return self.folder / "keep.sock"

    @property
    def lock(self) -> Path:
        """Locked by the keeper, so that there is only one."""
        return self.folder / "keep.lock"

    @property
    def log(self) -> Path:
        """Output of the keeper and HAProxy."""
        return self.folder / "edge.log"
