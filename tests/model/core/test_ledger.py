"""The books: payments have two sides, and every quarter is checked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InvariantError
from computemarket.model.core.ledger import Ledger, balance, check

WHOLE = st.integers(-(10**9), 10**9).map(float)  # whole numbers in floats: sums are exact


def books():
    ledger = Ledger(2, ("buyer", "seller", "state", "bank"))
    ledger.open("buyer", np.array([100.0, 50.0]))
    ledger.start_quarter()
    return ledger


def test_a_payment_moves_money_at_the_close_and_names_its_purpose():
    ledger = books()
    ledger.pay("buyer", "seller", np.array([30.0, 5.0]), "chips")
    ledger.pay("buyer", "seller", np.array([1.0, 1.0]), "chips")
    np.testing.assert_array_equal(ledger.cash_usd[:, 0], [100.0, 50.0])
    ledger.close_quarter(0)
    np.testing.assert_array_equal(ledger.cash_usd[:, 0], [69.0, 44.0])
    np.testing.assert_array_equal(ledger.cash_usd[:, 1], [31.0, 6.0])
    np.testing.assert_array_equal(ledger.flows["chips"], [31.0, 6.0])


def test_many_pay_one_and_one_pays_many():
    ledger = books()
    ledger.pay_each(slice(0, 2), "bank", np.array([[1.0, 2.0], [3.0, 4.0]]), "rent")
    ledger.receive_each("bank", slice(1, 3), np.array([[10.0, 20.0], [0.0, 0.0]]), "loans")
    np.testing.assert_array_equal(ledger.quarter_net_usd(slice(0, 4)), [[-1, 8, 20, -27], [-3, -4, 0, 7]])
    np.testing.assert_array_equal(ledger.flows["loans"], [30.0, 0.0])
    ledger.close_quarter(0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), WHOLE), max_size=20))
def test_the_sum_over_all_accounts_never_changes(payments):
    ledger = books()
    names = ledger.accounts
    before = ledger.cash_usd.sum(axis=1)
    for payer, payee, amount in payments:
        ledger.pay(names[payer], names[payee], np.full(2, amount), "anything")
    ledger.close_quarter(3)
    np.testing.assert_array_equal(ledger.cash_usd.sum(axis=1), before)


def test_a_new_quarter_forgets_the_flows_and_keeps_the_cash():
    ledger = books()
    ledger.pay("buyer", "seller", np.array([30.0, 5.0]), "chips")
    ledger.close_quarter(0)
    ledger.start_quarter()
    ledger.close_quarter(1)
    assert ledger.flows == {}
    np.testing.assert_array_equal(ledger.cash_usd[:, 1], [30.0, 5.0])


@pytest.mark.parametrize("wrong", [1.0, np.nan, np.inf])
def test_money_that_appears_or_is_no_number_breaks_the_quarter(wrong):
    ledger = books()
    ledger.cash_usd[1, 2] += wrong
    with pytest.raises(InvariantError, match="money is conserved broken in 2023Q1"):
        ledger.close_quarter(4)


def test_stocks_balance_with_their_flows_or_name_law_and_quarter():
    one = np.ones((2, 3))
    balance(one, 2 * one, one, 2 * one, "chips are conserved", 0)
    with pytest.raises(InvariantError, match="chips are conserved broken in 2022Q2"):
        balance(one, 2 * one, one, 2.001 * one, "chips are conserved", 1)


def test_nothing_to_check_is_in_order():
    check(np.zeros((0, 4)), "empty", 0)
