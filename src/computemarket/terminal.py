"""What reaches a terminal: text it can show, and nothing that moves its cursor or changes what stands there."""

import codecs
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_PLAINER = {  # for outputs that hold no more than ASCII
    "–": "-", "—": "-", "×": "x", "÷": "/", "…": "...", "−": "-", "±": "+-", "°": "deg", "’": "'", "‘": "'",
    "“": '"', "”": '"',
    "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "Δ": "d", "µ": "u", "√": "sqrt", "·": ".", "│": "|", "─": "-", "━": "-",
    "┃": "|", "╇": "+", "╡": "+", "└": "+", "┘": "+", "┏": "+", "┓": "+", "┡": "+", "┩": "+", "┴": "+", "┳": "+",
    "├": "+", "┤": "+", "┼": "+", "\u00a0": " ", "²": "2", "³": "3",
}  # fmt: skip
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")
_ODD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, marks of direction, halves of letters, ends of lines
_KEPT = "\n\t"
PLAIN = "computemarket.plain"


def printable(text: str, *, colours: bool = False) -> str:
    """Return text with a question mark for every letter that does not show itself; ends of lines and tabs stay.

    Parameters
    ----------
    colours : keep what colours the text of a terminal
    """
    if text.isprintable():
        return text
    pieces = _COLOUR.split(text) if colours else [text]
    return "".join(
        piece if colours and _COLOUR.fullmatch(piece) else "".join(map(_shown, piece)) for piece in pieces
    )


def _shown(letter: str) -> str:
    return "?" if unicodedata.category(letter) in _ODD and letter not in _KEPT else letter


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Stand in for letters that an output cannot hold."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_PLAINER.get(letter, "?") for letter in letters), error.end


class PlainOutput:
    """An output that passes on printable text; it has no bytes underneath, so that nothing goes around it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = stream.isatty()

    def write(self, text: str) -> int:
        """Write text; return how many letters were given."""
        self._stream.write(printable(text, colours=self._colours))
        return len(text)

    def writelines(self, lines: "list[str]") -> None:
        """Write lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def plain_output() -> Iterator[None]:
    """Let what the program says pass through: no letter is an error, none acts on the terminal."""
    codecs.register_error(PLAIN, _plainer)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # not every stand-in of a stream can be told
            stream.reconfigure(errors=PLAIN)  # type: ignore[union-attr]
    before = sys.stdout
    sys.stdout = PlainOutput(before)
    try:
        yield
    finally:
        if isinstance(sys.stdout, PlainOutput):
            sys.stdout = before
