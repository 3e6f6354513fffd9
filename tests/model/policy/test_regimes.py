"""Regimes as files: what a user may add, and what is refused in one line."""

from datetime import date

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.core.parameters import schema
from computemarket.model.policy.regimes.compose import status_on
from computemarket.model.policy.regimes.metrics import chip_metrics
from computemarket.model.policy.regimes.regime import LICENCE_DENIAL, NONE
from computemarket.model.policy.regimes.regime_files import load_regimes, shipped_regimes, with_regimes
from computemarket.model.policy.trade.access import lever_names

BOOK = shipped_regimes()
BAND = '[[regime.band]]\nname = "{}"\nrate = 0.1\ntpp = {}\n'
RULE = """
[[regime]]
id = "mine"
effective = {effective}
destinations = ["china"]
{more}
[[regime.rule]]
outcome = "licence_denial"
all_of = [{conditions}]
"""
SHADOWED = """
[[regime.rule]]
outcome = "NAC"
all_of = [{ metric = "tpp", op = ">=", value = 2000 }]
"""
MORE_THAN_THE_SUM = (
    '{ metric = "dram_bw_gbps", op = ">=", value = 2000 }, '
    '{ metric = "dram_plus_io_gbps", op = "<", value = 1000 }'
)
STRICT = '{ metric = "tpp", op = ">=", value = 1000 }'


def text(conditions: str = STRICT, effective: str = "2027-01-01", more: str = "") -> bytes:
    return RULE.format(conditions=conditions, effective=effective, more=more).encode()


def refused(raw: bytes) -> str:
    with pytest.raises(InputError) as caught:
        with_regimes(BOOK, raw, "mine.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("mine.toml")
    return message


def one_chip(tpp: float):
    return chip_metrics(*(np.array([x]) for x in (tpp, 1.0, 500.0, 64.0, 1.0)))


def test_a_user_adds_a_regime_without_code(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(text())
    book = load_regimes([file])
    assert status_on(book, date(2026, 12, 31), one_chip(1200)).status[0] == NONE
    assert status_on(book, date(2027, 1, 1), one_chip(1200)).status[0] == LICENCE_DENIAL


def test_a_regime_with_a_known_id_takes_its_place():
    raw = text(effective="2022-10-21").replace(b'"mine"', b'"us_2022_10"')
    raw = raw.replace(b"destinations", b"ended = 2023-11-17\ndestinations")
    assert (
        status_on(with_regimes(BOOK, raw, "f"), date(2022, 12, 1), one_chip(1200)).status[0] == LICENCE_DENIAL
    )


def test_replaces_ends_the_others_on_the_day():
    raw = text(more='otherwise = "none"\nreplaces = ["us_2023_11"]')
    book = with_regimes(BOOK, raw, "f")
    assert book["us_2023_11"].ended == date(2027, 1, 1)
    assert BOOK["us_2023_11"].ended is None


def test_switches_enforce_and_suspend():
    book = BOOK.switched(on=("no_chips_to_china",), off=("us_2023_11",))
    assert status_on(book, date(2024, 1, 1), one_chip(9000)).status[0] == NONE
    assert status_on(book, date(2028, 1, 1), one_chip(10)).status[0] == LICENCE_DENIAL


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (text('{ metric = "tpp", op = ">=", value = 5000 }, { metric = "tpp", op = "<", value = 4000 }'), "can match"),
        (text('{ metric = "tpp", op = ">=", value = 1e10 }'), "can match"),
        (text(MORE_THAN_THE_SUM), "can match"),
        (text('{ metric = "flops", op = ">=", value = 1 }'), "'flops' is not one of tpp"),
        (text('{ metric = "hbm_density", op = ">=", value = 1 }'), "'hbm_density' is not one of tpp"),
        (text('{ metric = "tpp", op = "=>", value = 1 }'), "'=>' is not one of"),
        (text('{ metric = "tpp", op = ">=", value = -1 }'), "-1 is not a number"),
        (text('{ metric = "tpp", op = ">=", value = true }'), "True is not a number"),
        (text('{ metric = "tpp", op = ">=", value = nan }'), "nan is not a number"),
        (text('{ metric = "datacenter", op = ">=", value = 1 }'), "with true or false"),
        (text('{ metric = "tpp", op = ">=", value = 9, lever = "tpp_treshold_a" }'), "nearest is tpp_threshold_a"),
        (text(more="announced = 2027-02-01"), "after announced"),
        (text(more="ended = 2026-01-01"), "after effective"),
        (text(more="compliance = 2026-01-01"), "on or after effective"),
        (text(effective='"soon"'), "a date like"),
        (text(more='acts_on = ["free"]'), "'free' is not one of none"),
        (text(more='colour = "red"'), "'colour' is not one of"),
        (text().replace(b'["china"]', b'["CHN"]'), "'CHN' is not one of"),
        (text().replace(b'["china"]', b"[]"), "at least one country"),
        (text(more='otherwise = "none"'), "no other base regime holds"),
        (text() + b"[regime.caps]\nshare_of_us_units = 0.3\n", "us_2026_01_case_by_case caps it already"),
        (text() + b"[regime.caps]\nall_units = 3\n", "'all_units' is not one of"),
        (text() + BAND.format("a", "[2, 1]").encode(), "nothing can match"),
        (text() + (BAND.format("a", "[1, 5]") + BAND.format("b", "[4, 9]")).encode(), "the two overlap"),
        (text() + b'[[regime.band]]\nname = "a"\nrate = 1.1\ntpp = [1, 5]\n', "1.1 is not a number in 0..1"),
        (text() + SHADOWED.encode(), "rule 1 always matches first"),
        (text() + text(), "given once"),
        (b"[[regime]\n", "TOML"),
        (b"\xff", "TOML"),
        (b"", "at least one"),
    ],
)  # fmt: skip
def test_a_regime_that_cannot_hold_is_one_line(raw, said):
    assert said in refused(raw)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml"):
        load_regimes([tmp_path / "none.toml"])


def test_every_lever_of_a_regime_is_a_parameter():
    assert {f"policy.{lever}" for lever in lever_names(BOOK)} <= set(schema())


def test_lever_defaults_are_the_values_of_the_files():
    for regime in (
        regime for regime in BOOK.regimes if regime.enforced or regime.id == "us_2025_01_diffusion"
    ):
        given = [(c.lever, c.value) for rule in regime.rules for c in rule.conditions]
        given += [(c.lever, c.rate) for c in regime.charges] + [(c.lever, c.value) for c in regime.caps]
        for lever, value in given:
            if lever:
                assert schema()[f"policy.{lever}"].default == value, lever


def test_regimes_act_in_order_of_date():
    assert list(BOOK.regimes) == sorted(BOOK.regimes, key=lambda regime: regime.effective)
