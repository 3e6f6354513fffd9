"""Labs: quality, use, revenue, compute and money of those who make models."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class LabBook(Book):
    """Labs: quality, use, revenue, compute and money of those who make models."""

    lab_quality: Floats = array(
        "L",
        unit="ln",
        kind=STOCK,
        owner="share paid use among labs",
        meaning="Attraction of a lab's models",
        within=ANY,
    )
    lab_share: Floats = array(
        "L",
        unit="share",
        kind=STOCK,
        owner="share paid use among labs",
        meaning="Share of paid use in its token market",
        within=SHARE,
    )
    lab_paid_share: Floats = array(
        "L",
        unit="share",
        kind=STOCK,
        owner="share paid use among labs",
        meaning="Share of paid use with what open models and buyers without habits change",
        within=SHARE,
    )
    lab_tokens: Floats = array(
        "L K", unit="tokens", kind=FLOW, owner="book who served tokens", meaning="Tokens served"
    )
    lab_revenue_usd: Floats = array(
        "L", unit="USD", kind=FLOW, owner="earn and raise at labs", meaning="Revenue"
    )
    lab_compute_hours_h100e: Floats = array(
        "L",
        unit="H100e-hours",
        kind=FLOW,
        lagged=True,
        owner="earn and raise at labs",
        meaning="Hours of compute used",
    )
    lab_compute_usd: Floats = array(
        "L", unit="USD", kind=FLOW, owner="earn and raise at labs", meaning="Cost of compute"
    )
    lab_training_usd: Floats = array(
        "L", unit="USD", kind=FLOW, owner="earn and raise at labs", meaning="Cost of compute for training"
    )
    lab_funding_usd: Floats = array(
        "L",
        unit="USD",
        kind=FLOW,
        owner="earn and raise at labs",
        meaning="Money raised from investors",
    )
    lab_site_money_usd: Floats = array(
        "L",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="earn and raise at labs",
        meaning="Part of what was raised and of what sales leave that goes to own sites",
    )
    lab_power_mw: Floats = array(
        "L", unit="MW", kind=STOCK, owner="count labs' power", meaning="Power of the hours used"
    )
