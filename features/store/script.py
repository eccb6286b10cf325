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
        name: of the file, without `.lua`.
    """

    def __init__(self, name: str) -> None:
        self._text = files("features.store").joinpath(f"{name}.lua").read_text(encoding="utf-8")
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
