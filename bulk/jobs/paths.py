"""Where the files of a job are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROW: Final = "quorum.row"
"""The first column of a part: int64, number of the row in the file, from 1, without the header."""

LINE: Final = "quorum.line"
"""The second column of a part: int64, line of a text file, else the row's number again."""

RESERVED: Final = frozenset((ROW, LINE))
"""A file with a column of such a name is refused."""


@dataclass(frozen=True, slots=True)
class JobPaths:
    """The files of one job, under its folder.

    Attributes:
        folder: private to this user, named by the job's id.
    """

    folder: Path

    @property
    def upload(self) -> Path:
        """The file as it came, whatever its name was."""
        return self.folder / "upload"

    @property
    def sample(self) -> Path:
        """Parquet: at most `SAMPLED_ROWS` rows, spread over the file, in its order."""
        return self.folder / "sample.parquet"

    @property
    def profile(self) -> Path:
        """JSON: what is known about the file and its columns (`FileProfile`)."""
        return self.folder / "profile.json"

    @property
    def errors(self) -> Path:
        """Parquet: rows that could not be read: line, column, reason."""
        return self.folder / "errors.parquet"

    def part(self, number: int) -> Path:
        """Parquet: `ROW`, `LINE`, then the columns of the file as they came: texts from a text
        file, else with their own types."""
        return self.folder / "parts" / f"{number:06d}.parquet"

    def scores(self, number: int) -> Path:
        """Npz: float32[n] for each model, by `ModelMatch.reference`, and the anomaly scores."""
        return self.folder / "scores" / f"{number:06d}.npz"

    @property
    def part_numbers(self) -> list[int]:
        """The numbers of the parts that are there, rising."""
        return sorted(int(path.stem) for path in (self.folder / "parts").glob("*.parquet"))

    @property
    def replay(self) -> Path:
        """A folder for the time of a replay."""
        return self.folder / "replay"

    def replayed(self, number: int) -> Path:
        """Npz: scores of the models of history, which are made before any part is scored."""
        return self.folder / "replayed" / f"{number:06d}.npz"

    @property
    def replay_errors(self) -> Path:
        """Parquet: rows that are no payments: line, column, reason. It is written last of all that
        a replay writes."""
        return self.folder / "replay-errors.parquet"

    @property
    def result(self) -> Path:
        """Parquet: the columns of the file, then Quorum's, in the order of the file."""
        return self.folder / "result.parquet"

    @property
    def fetched(self) -> tuple[Path, ...]:
        """What callers fetch, and all that stays of a job that has ended."""
        return self.result, self.errors


SAMPLED_ROWS: Final = 20_000
ROWS_PER_PART: Final = 50_000
