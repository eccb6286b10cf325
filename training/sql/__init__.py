"""SQL of training, a statement a file."""

from importlib.resources import files


def statement(name: str) -> str:
    """Text of `<name>.sql`."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
