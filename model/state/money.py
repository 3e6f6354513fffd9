"""Money: credit, investors' funding and mood, startups."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class MoneyBook(Book):
    """Money: credit, investors' funding and mood, startups."""

    credit_conditions: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="lend to clouds and wind up",
        meaning="New lending to GPU clouds over that in quiet times",
        start=1.0,
    )
    funding_ratio: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="fund labs",
        meaning="Money that investors give over money that labs ask for",
        within=SHARE,
        start=1.0,
    )
    sentiment_ln: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="set investors' mood",
        meaning="Mood of investors; 0 is usual",
        within=ANY,
    )
    ai_capex_growth: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="pay for accelerators",
        meaning="Growth of AI capital expenditure in the last quarter",
        within=ANY,
    )
    startup_bill_usd: Floats = array(
        "S",
        unit="USD",
        kind=FLOW,
        owner="buy tokens for startups",
        meaning="Token bills of startups, by kind of work",
    )
