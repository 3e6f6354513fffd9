"""Which chips an architecture shock spares: the matrix chip kind x architecture (M14).

The parameters ``custom_silicon.kept_*`` say what share of its value a kind of chip keeps in a middling shock;
the matrix says how hard each new architecture of models hits each kind. Flexible machines keep most (Hooker
2021, "The hardware lottery"). What comes back as kernels are rewritten is in ``mechanisms.options``.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.specs.defaults import default_of

KINDS = ("gpu", "systolic", "lpu", "fixed_function")  # as in the parameters custom_silicon.kept_*
_OF_CATALOGUE = {"gpu": "gpu", "asic": "systolic", "lpu": "lpu", "wafer": "lpu"}
_FIXED_FUNCTION = frozenset({"etched_sohu"})  # a transformer in silicon, an asic by the catalogue


@dataclass(frozen=True, slots=True)
class Compatibility:
    """How hard each architecture hits each kind of chip: factor on the value lost, (kinds, architectures)."""

    architectures: tuple[str, ...]
    severity: Floats

    def kept(self, kept_by_kind: Floats, architecture: str) -> Floats:
        """Return the share of value kept in the long run, ``max(0, 1 - severity (1 - kept))``.

        Parameters
        ----------
        kept_by_kind : (..., 4) in the order of ``KINDS``, in a middling shock

        Raises
        ------
        InputError
            For an architecture that the matrix does not name.
        """
        if architecture not in self.architectures:
            raise InputError("architecture", architecture, "one of " + ", ".join(self.architectures))
        hit = self.severity[:, self.architectures.index(architecture)]
        return np.maximum(1.0 - hit * (1.0 - kept_by_kind), 0.0)


@cache
def load_compatibility() -> Compatibility:
    """Return the shipped matrix."""
    text = files("computemarket.model.data").joinpath("compatibility.csv").read_text("utf-8")
    values = {
        (row["kind"], row["architecture"]): float(row["severity"])
        for row in csv.DictReader(text.splitlines())
    }
    architectures = tuple(dict.fromkeys(name for _, name in values))
    return Compatibility(
        architectures, np.array([[values[kind, name] for name in architectures] for kind in KINDS])
    )


def default_kept() -> Floats:
    """Return the shares kept in a middling shock at the parameters' defaults, (4,)."""
    return np.array([default_of(f"custom_silicon.kept_{kind}") for kind in KINDS])


def product_kinds(ids: Sequence[str], catalogue_kinds: Sequence[str]) -> Ints:
    """Return each product's place in ``KINDS``, from its id and its kind in the catalogue, shape (P,)."""
    names = (
        "fixed_function" if name in _FIXED_FUNCTION else _OF_CATALOGUE[kind]
        for name, kind in zip(ids, catalogue_kinds, strict=True)
    )
    return np.array([KINDS.index(name) for name in names], dtype=np.int64)
