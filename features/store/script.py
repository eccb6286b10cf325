"""A Lua script that runs inside Redis."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError


class Script:
    """A script of this folder, loaded into Redis when it is first needed.

    Args:
        names: of its files, without `.lua`, one after the other.
    """

    def __init__(self, *names: str) -> None:
        folder = files("features.store")
        self._text = "\n".join(folder.joinpath(f"{n}.lua").read_text("utf-8") for n in names)
        self._sha = ""

    async def run(self, client: Redis, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
        """Its answer.

        Raises:
            redis.exceptions.RedisError, OSError: Redis does not answer, or refuses.
        """
        try:
            return await client.evalsha(self._sha, len(keys), *keys, *arguments)
        except NoScriptError:
            self._sha = await client.script_load(self._text)
            return await client.evalsha(self._sha, len(keys), *keys, *arguments)
