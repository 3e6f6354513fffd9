"""The two ways things go wrong: what the user gave, and what we got wrong."""

_LONGEST_LINE = 300  # a message is one line that fits a terminal


class InputError(ValueError):
    """Input that cannot be used: says where, what was found and what is allowed.

    The command line prints it as one line and exits with code 2.
    """

    def __init__(self, where: str, found: object, allowed: str) -> None:
        text = f"{where}: {found!r} is not {allowed}"
        super().__init__(" ".join(text.split())[:_LONGEST_LINE])


class InvariantError(RuntimeError):
    """A law of the model that a simulated quarter broke: always a bug of ours."""

    def __init__(self, law: str, quarter: str, left: float, right: float) -> None:
        super().__init__(f"{law} broken in {quarter}: {left!r} against {right!r}")
