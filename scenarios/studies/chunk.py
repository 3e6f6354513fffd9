"""The unit of work of a batch: consecutive runs of one case, simulated together, given back as the bytes of a file.

A chunk is also the unit of retry and resume. What it computes depends on the study and its run numbers alone, not on
where, when or beside what it is computed.
"""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.parameters import ParameterValues
from computemarket.model.core.randomness import Streams
from computemarket.model.core.recorder import COLUMNS, Layout, tidy_table
from computemarket.scenarios.schema import Scenario
from computemarket.scenarios.studies.recording import Recording

RUNS = 192  # of a chunk: two to three seconds; fewer pay more for the Python around arrays, more need more memory
PART_COLUMNS = ("scenario", "policy", "run", "point", *COLUMNS[2:])


@dataclass(frozen=True)
class Chunk:
    """Which runs to simulate.

    Parameters
    ----------
    case : place of the case in the study
    first : number of the first run
    shocks : (R,) the numbers under which the runs draw
    quantiles : (R, dimensions) of the uncertainties
    """

    case: int
    first: int
    shocks: Ints
    quantiles: Floats

    @property
    def numbers(self) -> Ints:
        """(R,) run numbers."""
        return self.first + np.arange(self.runs, dtype=np.int64)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.shocks)

    @property
    def key(self) -> str:
        """The name of the chunk, and of its file."""
        return f"{self.case:04d}-{self.first:09d}"

    def part(self, chosen: slice) -> "Chunk":
        """Return the chunk of some of the runs."""
        first = self.first + (chosen.start or 0)
        return Chunk(self.case, first, self.shocks[chosen], self.quantiles[chosen])


@dataclass(frozen=True)
class Failure:
    """A run that could not be simulated: enough to repeat it alone."""

    scenario: str
    policy: str
    run: int
    point: int
    seed: int
    error: str
    parameters: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a worker gives back: the bytes of a Parquet file, and the runs that are missing from it."""

    key: str
    data: bytes
    runs: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True)
class Work:
    """What every worker gets once; called with a chunk it simulates it."""

    cases: tuple[tuple[Scenario, str], ...]
    uncertainties: tuple[str, ...]
    runs: int  # of a point
    recording: Recording
    identity: str  # of the study, written into every file

    def __call__(self, chunk: Chunk) -> Outcome:
        """Simulate a chunk; runs that fail become records."""
        import time

        start = time.perf_counter()
        pieces: list[_Piece] = []
        failures: list[Failure] = []
        for piece in self._pieces(chunk):
            if isinstance(piece, Failure):
                failures.append(piece)
            else:
                pieces.append(piece)
        data = self._file(chunk, pieces)
        spent = time.perf_counter() - start
        return Outcome(chunk.key, data, chunk.runs, tuple(failures), spent)

    def failed(self, chunk: Chunk, error: str) -> Outcome:
        """Return the outcome of a chunk that nobody could simulate."""
        runs = (self._failure(chunk.part(slice(place, place + 1)), error) for place in range(chunk.runs))
        return Outcome(chunk.key, self._file(chunk, []), chunk.runs, tuple(runs), 0.0)

    def _pieces(self, chunk: Chunk) -> "Iterator[_Piece | Failure]":
        """Simulate all runs together; after a failure in halves, down to the run that fails."""
        try:
            yield self._simulate(chunk)
        except Exception as error:  # whatever fails, the other runs are to be kept
            count = chunk.runs
            if count == 1:
                yield self._failure(chunk, f"{type(error).__name__}: {error}")
                return
            for half in (slice(0, count // 2), slice(count // 2, count)):
                yield from self._pieces(chunk.part(half))

    def _simulate(self, chunk: Chunk) -> "_Piece":
        from computemarket.scenarios.assembly import assemble

        scenario, _ = self.cases[chunk.case]
        market = assemble(scenario, chunk.shocks, self.recording.wanted, self._points(chunk))
        for _ in range(scenario.quarters):
            market.step()
        layout, values = self.recording.rows(market.recorder, chunk.numbers)
        del market
        gc.collect()  # its actors and it know each other: a market is large, and the next begins at once
        return _Piece(chunk.numbers, layout, values)

    def _points(self, chunk: Chunk) -> dict[str, Floats]:
        return {
            name: np.ascontiguousarray(chunk.quantiles[:, place])
            for place, name in enumerate(self.uncertainties)
        }

    def _failure(self, chunk: Chunk, error: str) -> Failure:
        """Record the one run of a chunk, with the values of all its uncertain parameters."""
        scenario, policy = self.cases[chunk.case]
        text = " ".join(error.split())[:500]
        return Failure(
            scenario.name,
            policy,
            chunk.first,
            chunk.first // self.runs,
            scenario.seed,
            text,
            self._values(chunk),
        )

    def _values(self, chunk: Chunk) -> dict[str, float]:
        scenario, _ = self.cases[chunk.case]
        values = ParameterValues(scenario.settings, Streams(scenario.seed, chunk.shocks), self._points(chunk))
        names = sorted(set(scenario.settings) | set(self.uncertainties))
        return {name: float(values.at(name, scenario.quarters - 1)[0]) for name in names}

    def _file(self, chunk: Chunk, pieces: "list[_Piece]") -> bytes:
        """Return the rows of the pieces, in order of variable and run, as a Parquet file."""
        import pyarrow as pa

        scenario, policy = self.cases[chunk.case]
        whole = _joined(pieces, scenario.quarters)
        table = tidy_table(whole.layout, scenario.name, whole.numbers, scenario.quarters, whole.values)
        zeros = np.zeros(table.num_rows, dtype=np.int16)
        columns = {name: table[name] for name in COLUMNS}
        columns["policy"] = pa.DictionaryArray.from_arrays(zeros, pa.array([policy], pa.string()))
        columns["point"] = pa.array(table["run"].to_numpy() // self.runs, pa.int32())
        return _parquet(pa.table({name: columns[name] for name in PART_COLUMNS}), self.identity, chunk.key)


@dataclass(frozen=True)
class _Piece:
    """Runs that were simulated together."""

    numbers: Ints
    layout: Layout
    values: Floats


def _joined(pieces: list[_Piece], quarters: int) -> _Piece:
    """Lay pieces of one layout together, as if their runs had been simulated in one."""
    if len(pieces) == 1:
        return pieces[0]
    none = np.empty(0, dtype=np.int64)
    layout = pieces[0].layout if pieces else Layout(())
    parts: list[list[Floats]] = [[] for _ in layout.variables]
    for piece in pieces:
        ends = np.cumsum(piece.layout.rows(len(piece.numbers), quarters))
        for place, values in enumerate(np.split(piece.values, ends[:-1])):
            parts[place].append(values)
    return _Piece(
        np.concatenate([none, *(piece.numbers for piece in pieces)]),
        layout,
        np.concatenate([np.empty(0), *chain.from_iterable(parts)]),
    )


def _parquet(table: Any, identity: str, key: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata({"computemarket.study": identity, "computemarket.chunk": key})
    sink = pa.BufferOutputStream()
    text = [name for name in PART_COLUMNS if name != "value"]
    pq.write_table(
        table, sink, compression="zstd", compression_level=1, use_dictionary=text,
        column_encoding={"value": "BYTE_STREAM_SPLIT"}, write_statistics=["variable", "run", "quarter"],
    )  # fmt: skip
    return bytes(sink.getvalue())


def identity_of_part(path: Any) -> tuple[str, str]:
    """Return (study, chunk) that a part's footer names; ("", "") where it names none.

    Raises
    ------
    Exception
        of pyarrow or the operating system where it is not a whole Parquet file.
    """
    import pyarrow.parquet as pq

    held = pq.read_metadata(path).metadata or {}
    return held.get(b"computemarket.study", b"").decode(), held.get(b"computemarket.chunk", b"").decode()
