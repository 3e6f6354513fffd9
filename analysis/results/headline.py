"""The headline measures of a chunk of runs, in place of the many series they are made of."""

from dataclasses import dataclass, field

import numpy as np

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.analysis.results.summary import HEADLINES, variables_of_summary
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.recorder import Layout, Recorder

NAMES = tuple(dict.fromkeys(name for name, _, _ in HEADLINES))
_UNLABELLED = (("", "", ""),)


@dataclass(frozen=True)
class Headline:
    """Computes the quarterly headline measures run by run; a run's numbers do not depend on its company."""

    variables: frozenset[str] = field(default_factory=variables_of_summary)

    def __call__(self, recorder: Recorder, numbers: Ints) -> tuple[Layout, Floats]:
        """Return one series of every headline measure, by measure, run and quarter."""
        panels = panels_from_recorder(recorder, "", numbers.tolist())
        measures = [measure(name) for name in NAMES]
        layout = Layout(tuple((one.name, one.unit, _UNLABELLED) for one in measures))
        values = [np.ascontiguousarray(one.series(panels)).reshape(-1) for one in measures]
        return layout, np.concatenate(values)
