"""Stores whose runs are a formula of the quantiles, so that what is said of them can be worked out by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.model.core.recorder import Layout
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.studies.chunk import Chunk, Outcome, Work, _Piece
from computemarket.scenarios.studies.study import Study, read_study

LAYOUT = Layout((("utilisation", "share", (("world", "", ""),)),))


@dataclass(frozen=True)
class Analytic:
    """An executor that computes `formula(case, quantiles, shocks)` in place of the market, for every quarter."""

    formula: Callable[[int, Any, Any], Any]
    workers: int = 1

    def run(self, call: Work, jobs: Iterator[Chunk]) -> Iterator[tuple[Chunk, Outcome]]:
        for chunk in jobs:
            quarters = call.cases[chunk.case][0].quarters
            values = np.repeat(
                np.asarray(self.formula(chunk.case, chunk.quantiles, chunk.shocks), float), quarters
            )
            data = call._file(chunk, [_Piece(chunk.numbers, LAYOUT, values)])
            yield chunk, Outcome(chunk.key, data, chunk.runs, (), 0.0)


def analytic_store(folder: Path, text: str, formula: Callable[[int, Any, Any], Any]) -> Study:
    """Fill a folder with the runs of a study by formula."""
    header = 'scenarios = ["baseline"]\nuntil = "2022Q2"\nrecording = ["utilisation"]\n'
    study = read_study((header + text).encode(), "analytic.toml", Path())
    run_study(study, folder, Analytic(formula))
    return study
