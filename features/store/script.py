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
        constants: what the files find defined, lists of lists of numbers and plain words.
    """

    def __init__(self, *names: str, **constants: Sequence[Any]) -> None:
        folder = files("features.store")
        parts = [f"local {name} = {_literal(value)}" for name, value in constants.items()]
        parts += [folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names]
        self._text = "\n".join(parts)
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


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, int):
        return str(value)
    return "{" + ", ".join(_literal(v) for v in value) + "}"
