"""What labs spend on training: research that is paid for out of the profit it is expected to earn (L9)."""

from computemarket.model.core.arrays import Floats


def training_budget_usd(
    expected_profit_usd: Floats, profit_2022_usd: Floats, share: Floats, scale: Floats
) -> Floats:
    """Return yearly training budgets, s P0 (P / P0)^z, (R,) USD.

    With z below 1 research grows less than what it earns, so that an industry turns from making models to running them;
    where rivals erode margins there is less to pay it from. Source of the form: Cohen and Klepper 1996, Review of
    Economics and Statistics 78 (research against size of firm).

    Parameters
    ----------
    expected_profit_usd, profit_2022_usd : P and P0, gross profit of AI that is expected, a year, USD, above 0
    share : s, budget over profit in 2022; scale : z, elasticity
    """
    found: Floats = share * profit_2022_usd * (expected_profit_usd / profit_2022_usd) ** scale
    return found
