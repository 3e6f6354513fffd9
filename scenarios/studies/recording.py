"""What a study keeps of every run: headline measures, everything, or a list of variables."""

from dataclasses import dataclass
from typing import Protocol

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.recorder import Layout, Recorder

HEADLINE, FULL = "headline", "full"


class Reduction(Protocol):
    """Turns what a chunk recorded into fewer series; it travels to the workers by name."""

    @property
    def variables(self) -> frozenset[str]:
        """What has to be recorded for it."""
        ...

    def __call__(self, recorder: Recorder, numbers: Ints) -> tuple[Layout, Floats]:
        """Return the series and their values in the order of the rows of a table."""
        ...


@dataclass(frozen=True)
class Recording:
    """What to keep: `kind` is headline, full or list.

    `reduction` computes the headline measures; the layer that defines measures gives it.
    """

    kind: str
    variables: frozenset[str] | None = None
    reduction: Reduction | None = None

    @property
    def wanted(self) -> frozenset[str] | None:
        """The variables that the market has to record; None: all."""
        return self.reduction.variables if self.reduction is not None else self.variables

    def rows(self, recorder: Recorder, numbers: Ints) -> tuple[Layout, Floats]:
        """Return the series kept of a chunk, and their values."""
        if self.reduction is not None:
            return self.reduction(recorder, numbers)
        return recorder.layout(), recorder.values()

    @property
    def text(self) -> str | list[str]:
        """The recording as a study file says it."""
        return sorted(self.variables) if self.variables is not None else self.kind


def read_recording(raw: object, headline: Reduction | None, where: str) -> Recording:
    """Read what a study wants to keep.

    Raises
    ------
    InputError
        if it is none of headline, full and a list of names.
    """
    if raw == HEADLINE:
        if headline is None:
            raise InputError(where, raw, "possible here: nobody has said what the headline measures are")
        return Recording(HEADLINE, None, headline)
    if raw == FULL:
        return Recording(FULL)
    if isinstance(raw, list) and raw and all(isinstance(name, str) for name in raw):
        return Recording("list", frozenset(raw))
    raise InputError(where, raw, f'"{HEADLINE}", "{FULL}" or a list of variables')
