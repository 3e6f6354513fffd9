"""The two ways things go wrong: what the user gave, and what we got wrong."""

import errno

_MEMORY = (  # how libraries say that there is no memory, each in its own way
    "cannot allocate memory", "failed to map segment", "out of memory", "bad_alloc", "unable to allocate",
    "malloc of size", "realloc of size", "can't start new thread", "could not allocate",
)  # fmt: skip
_LONGEST_LINE = 300  # a message is one line that fits a terminal
_LONGEST_FOUND = 160  # of what was found, so that what is allowed has room


class InputError(ValueError):
    """Input that cannot be used: says where, what was found and what is allowed.

    The command line prints it as one line and exits with code 2.
    """

    def __init__(self, where: str, found: object, allowed: str) -> None:
        text = " ".join(f"{where}: {_short(_written(found))} is not {allowed}".split())
        shown = text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)
        super().__init__(shown[:_LONGEST_LINE])
        self.where, self.found, self.allowed = where, found, allowed

    def __reduce__(self) -> "tuple[type[InputError], tuple[str, object, str]]":
        """Let it travel between processes."""
        return InputError, (self.where, self.found, self.allowed)

    def within(self, where: str) -> "InputError":
        """Return the same error, saying first where what is wrong was asked for."""
        return InputError(f"{where}: {self.where}", self.found, self.allowed)


class InvariantError(RuntimeError):
    """A law of the model that a simulated quarter broke: always a bug of ours."""

    def __init__(self, law: str, quarter: str, left: float, right: float) -> None:
        super().__init__(f"{law} broken in {quarter}: {left!r} against {right!r}")
        self._given = (law, quarter, left, right)

    def __reduce__(self) -> "tuple[type[InvariantError], tuple[str, str, float, float]]":
        """Let it travel between processes."""
        return InvariantError, self._given


class ScheduleError(RuntimeError):
    """A step of the quarter that did what the schedule does not declare: always a bug of ours."""


def is_memory(error: BaseException) -> bool:
    """Say whether an error, or what led to it, is that there was too little memory."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or (isinstance(seen, OSError) and seen.errno == errno.ENOMEM):
            return True
        if any(words in str(seen).lower() for words in _MEMORY):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _written(found: object) -> str:
    try:
        return repr(found)
    except ValueError:  # Python does not write whole numbers of thousands of digits
        return "a number of too many digits"


def _short(text: str) -> str:
    """Return text without its middle where it is long."""
    if len(text) <= _LONGEST_FOUND:
        return text
    half = (_LONGEST_FOUND - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
