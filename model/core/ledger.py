"""The books: money, chips, power and credits change only by recorded flows, and every quarter must balance.

Money moves between accounts, one per actor and a few of the world outside (customers, builders, utilities,
the public). A payment has two sides, so the sum over all accounts never changes; the check compares it with the
sum at the start all the same, and each stock with its flows.
"""

import numpy as np

from computemarket.errors import InvariantError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS

TOLERANCE = 1e-9  # relative: rounding of float64 sums over some hundred terms


class Ledger:
    """Cash accounts and stock accounts of a set of runs.

    Parameters
    ----------
    runs : number of runs R
    accounts : names of the cash accounts, axis A
    """

    def __init__(self, runs: int, accounts: tuple[str, ...]) -> None:
        self.accounts = accounts
        self.place = {name: index for index, name in enumerate(accounts)}
        self.cash_usd = np.zeros((runs, len(accounts)))
        self._opening_usd = self.cash_usd.copy()
        self._paid_usd = np.zeros_like(self.cash_usd)
        self._turnover_usd = np.zeros(runs)
        self.flows: dict[str, Floats] = {}

    def open(self, account: str, cash_usd: Floats | float) -> None:
        """Set an account's cash before the first quarter."""
        self.cash_usd[:, self.place[account]] = cash_usd

    @property
    def turnover_usd(self) -> Floats:
        """(R,) USD moved this quarter so far, either way."""
        return self._turnover_usd

    def start_quarter(self) -> None:
        """Forget the flows of the last quarter and remember where each account stands."""
        self._opening_usd = self.cash_usd.copy()
        self._paid_usd[:] = 0.0
        self._turnover_usd[:] = 0.0
        self.flows.clear()

    def pay(self, payer: str, payee: str, amount_usd: Floats, purpose: str) -> None:
        """Move (R,) USD between two accounts and remember the purpose."""
        self._move(self.place[payer], self.place[payee], amount_usd)
        self._note(purpose, amount_usd)

    def pay_each(self, payers: slice, payee: str, amount_usd: Floats, purpose: str) -> None:
        """Move (R, n) USD from a stretch of n accounts to one account."""
        total = amount_usd.sum(axis=1)
        self._paid_usd[:, payers] -= amount_usd
        self._paid_usd[:, self.place[payee]] += total
        self._turnover_usd += np.abs(amount_usd).sum(axis=1)
        self._note(purpose, total)

    def receive_each(self, payer: str, payees: slice, amount_usd: Floats, purpose: str) -> None:
        """Move (R, n) USD from one account to a stretch of n accounts."""
        self.pay_each(payees, payer, -amount_usd, purpose)
        self.flows[purpose] = -self.flows[purpose]

    def quarter_net_usd(self, accounts: slice) -> Floats:
        """Return (R, n) what a stretch of accounts received less what it paid this quarter so far."""
        return self._paid_usd[:, accounts].copy()

    def close_quarter(self, quarter: int) -> None:
        """Post the quarter's payments and check that no money was made or lost.

        Raises
        ------
        InvariantError
            if the sum over all accounts changed by more than rounding.
        """
        self.cash_usd += self._paid_usd
        drift = (self.cash_usd - self._opening_usd).sum(axis=1)
        scale = np.abs(self.cash_usd).sum(axis=1) + self._turnover_usd + 1.0
        with np.errstate(invalid="ignore"):  # infinite money is reported below, as not a number
            error = np.abs(drift) / scale
        check(error, "money is conserved", quarter)

    def _move(self, payer: int, payee: int, amount_usd: Floats) -> None:
        self._paid_usd[:, payer] -= amount_usd
        self._paid_usd[:, payee] += amount_usd
        self._turnover_usd += np.abs(amount_usd)

    def _note(self, purpose: str, amount_usd: Floats) -> None:
        known = self.flows.get(purpose)
        self.flows[purpose] = amount_usd.copy() if known is None else known + amount_usd


def balance(
    opening: Floats, flows_in: Floats, flows_out: Floats, closing: Floats, law: str, quarter: int
) -> None:
    """Check `opening + in - out = closing` for stocks of any shape.

    Raises
    ------
    InvariantError
        naming the law, the quarter and both sides.
    """
    expected = opening + flows_in - flows_out
    scale = np.abs(opening) + np.abs(flows_in) + np.abs(flows_out) + 1.0
    check(np.abs(expected - closing) / scale, law, quarter)


def check(relative_error: Floats, law: str, quarter: int) -> None:
    """Raise where a relative error is more than rounding or not a number."""
    worst = float(np.max(relative_error)) if relative_error.size else 0.0
    if not worst <= TOLERANCE:
        raise InvariantError(law, QUARTERS[quarter], worst, TOLERANCE)
