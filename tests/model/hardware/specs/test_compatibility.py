"""The matrix chip kind x architecture."""

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.hardware.specs.compatibility import (
    KINDS,
    default_kept,
    load_compatibility,
    product_kinds,
)


def test_a_middling_shock_leaves_what_the_parameters_say():
    assert load_compatibility().kept(default_kept(), "photonic").tolist() == pytest.approx(
        default_kept().tolist()
    )


def test_a_severity_of_one_half_halves_the_loss():
    assert load_compatibility().kept(default_kept(), "hybrid_ssm")[0] == pytest.approx(0.95)


def test_every_architecture_spares_flexible_machines_most():
    table = load_compatibility()
    for name in table.architectures:
        kept = table.kept(default_kept(), name)
        assert (np.diff(kept) < 0).all(), name


def test_nothing_keeps_less_than_nothing():
    assert load_compatibility().kept(np.zeros(4), "neuromorphic").min() == 0.0


def test_runs_with_other_parameters_have_their_own_row():
    kept = load_compatibility().kept(np.array([[0.9, 0.7, 0.5, 0.1], [1.0, 1.0, 1.0, 1.0]]), "neuromorphic")
    assert kept[1].tolist() == [1.0] * 4
    assert kept[0, 0] == pytest.approx(0.85)


def test_an_unknown_architecture_is_one_line():
    with pytest.raises(InputError, match="quantum"):
        load_compatibility().kept(default_kept(), "quantum")


def test_every_accelerator_of_the_catalogue_has_a_kind():
    chips = list(estimated_catalogue().accelerators)
    kinds = product_kinds([chip.id for chip in chips], [chip.kind for chip in chips])
    named = dict(zip([chip.id for chip in chips], [KINDS[k] for k in kinds], strict=True))
    assert named["nvidia_h100_sxm"] == "gpu"
    assert named["google_tpu_v5p"] == "systolic"
    assert named["cerebras_wse3"] == named["groq_lpu_v1"] == "lpu"
    assert named["etched_sohu"] == "fixed_function"
