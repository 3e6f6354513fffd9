"""A parameter that nothing reads would let a user turn a knob that moves nothing."""

import re
from importlib.resources import files
from pathlib import Path

from computemarket.model.core.parameters import schema

PARTS = ("model", "agents", "scenarios", "analysis")


def sources():
    for part in PARTS:
        folder = Path(str(files(f"computemarket.{part}")))
        yield from (path.read_text("utf-8") for path in folder.rglob("*.py"))


def test_every_parameter_is_read_somewhere():
    code = "\n".join(sources())
    prefixes = tuple(
        set(re.findall(r'f"([a-z_]+\.[a-z_]*)\{', code)) & {f"{name.split('.')[0]}." for name in schema()}
    )
    families = tuple(re.findall(r'f"([a-z_]+\.[a-z_]+_)\{', code))
    unread = [
        name for name in schema() if f'"{name}"' not in code and not name.startswith(prefixes + families)
    ]
    assert unread == []
