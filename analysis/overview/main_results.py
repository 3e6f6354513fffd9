"""What the main job shows of a chunk of runs, small enough to keep of every run of a large ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from computemarket.analysis.overview.market_share import Shares, join_shares, market_shares
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.analysis.results.summary import Headlines, evaluate_headlines, join_headlines

if TYPE_CHECKING:
    from computemarket.model.core.arrays import Ints
    from computemarket.model.core.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Digest:
    """The numbers behind the summary and the market-share figure, run by run."""

    headlines: Headlines
    shares: Shares


def digest_of_chunk(recorder: "Recorder", scenario: str, runs: "Ints") -> Digest:
    """Evaluate a chunk where it was simulated."""
    panels = panels_from_recorder(recorder, scenario, runs.tolist())
    return Digest(evaluate_headlines(panels), market_shares(panels))


def join_digests(parts: Sequence[Digest]) -> Digest:
    """Put the chunks of an ensemble together, in order of run."""
    headlines = join_headlines([part.headlines for part in parts])
    return Digest(headlines, join_shares([part.shares for part in parts]))
