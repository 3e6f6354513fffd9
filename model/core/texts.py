"""Text that somebody gave: whether it is text at all, and which known name it comes near to."""

import difflib
from collections.abc import Iterable

from computemarket.errors import InputError

_ALIKE = 0.6  # least likeness of a name worth naming: further off it confuses more than it helps
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # what begins a file that some editors write


def decoded(data: bytes, where: str, form: str = "text") -> str:
    """Return bytes as text; a byte order mark before UTF-8 is passed over.

    Parameters
    ----------
    where : what messages call the bytes, such as the name of their file
    form : what the text should be, for messages

    Raises
    ------
    InputError
        if the bytes are no text in UTF-8.
    """
    allowed = f"{form} in UTF-8"
    if data.startswith(_UTF_16):
        raise InputError(where, "text in UTF-16", allowed)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(where, "a file that is not text", allowed) from error
    if "\0" in text:
        raise InputError(where, "a file that is not text", allowed)
    return text


def nearest(found: object, known: Iterable[str]) -> str:
    """Return "; the nearest is NAME" for a name that is nearly one of those known, "" where none is like it."""
    near = difflib.get_close_matches(str(found), list(known), n=1, cutoff=_ALIKE)
    return f"; the nearest is {near[0]}" if near else ""
