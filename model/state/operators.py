"""Operators: what they believe, wish for, spend and owe, the power they have, and how clouds operate."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class OperatorBook(Book):
    """Operators: what they believe, wish for, spend and owe, the power they have, and how clouds operate."""

    belief_ln_usd: Floats = array(
        "H",
        unit="ln(USD/year)",
        kind=STOCK,
        owner="believe in AI revenue",
        meaning="Yearly AI revenue of the market that the operator believes in",
        within=ANY,
    )
    wish_h100e: Floats = array(
        "H",
        unit="H100e",
        kind=FLOW,
        owner="wish for accelerators",
        meaning="Orders wished for before money and power are counted",
    )
    wanted_h100e: Floats = array(
        "H", unit="H100e", kind=FLOW, owner="wish for accelerators", meaning="Orders wished for"
    )
    funds_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        owner="wish for accelerators",
        meaning="Money that the operator can spend on AI; below nothing where debt is due",
        within=ANY,
    )
    capex_usd: Floats = array(
        "H", unit="USD", kind=FLOW, owner="book capital expenditure", meaning="Capital expenditure, all of it"
    )
    ai_capex_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="pay for accelerators",
        meaning="Capital expenditure on AI systems and their sites",
    )
    legacy_capex_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        owner="book capital expenditure",
        meaning="Capital expenditure on other business",
    )
    other_cash_flow_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        owner="earn outside AI",
        meaning="Cash flow of the business that is not AI",
    )
    business_growth: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="follow trends",
        meaning="Cash flow of other business over that of 2022Q1",
        start=1.0,
    )
    business_growth_ln: Floats = array(
        "H",
        unit="ln/year",
        kind=STOCK,
        owner="follow trends",
        meaning="Growth of other business today",
        within=ANY,
    )
    debt_usd: Floats = array("H", unit="USD", kind=STOCK, owner="pay for running", meaning="Debt")
    interest_usd: Floats = array(
        "H", unit="USD", kind=FLOW, lagged=True, owner="pay for running", meaning="Interest paid"
    )
    loan_rate_per_year: Floats = array(
        "H",
        unit="1/year",
        kind=STOCK,
        owner="lend to clouds and wind up",
        meaning="Rate of interest on loans; 0 where the cost of capital stands for it",
    )
    loan_share: Floats = array(
        "H",
        unit="share",
        kind=STOCK,
        owner="lend to clouds and wind up",
        meaning="Part of money from outside that is lent; owners put in the rest",
        within=SHARE,
        start=1.0,
    )
    debt_cover: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="lend to clouds and wind up",
        meaning="Cash flow over debt service, of operators that borrow against contracts",
        within=ANY,
    )
    defaulted: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="lend to clouds and wind up",
        meaning="1 where the operator has failed, else 0",
        within=SHARE,
    )
    rental_revenue_usd: Floats = array(
        "H", unit="USD", kind=FLOW, lagged=True, owner="pay for running", meaning="Revenue from hours let"
    )
    booked_rent_usd_per_h100e_hour: Floats = array(
        "H",
        unit="USD/H100e-hour",
        kind=STOCK,
        owner="pay for running",
        meaning="Mean rent of the contracts that the fleet is let on",
    )
    let_factor: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="let clouds' hours",
        meaning="Hours that an operator lets, over those that its kind lets on average",
        start=1.0,
    )
    contract_luck: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="hear of clouds' contracts",
        meaning="Customers that a GPU cloud won or lost by luck; one on average",
        start=1.0,
    )
    attraction: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="move customers among clouds",
        meaning="Hours let over those that capacity alone would bring",
        start=1.0,
    )
    partner_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="book partnerships of clouds",
        meaning="Money of the leader under partnerships, less what it got; below nothing where it earns",
        within=ANY,
    )
    partner_share: Floats = array(
        "H",
        unit="share",
        kind=STOCK,
        owner="book partnerships of clouds",
        meaning="Part of the fleet under the leader's guarantee or brand",
        within=SHARE,
    )
    backed_share: Floats = array(
        "H",
        unit="share",
        kind=STOCK,
        owner="book partnerships of clouds",
        meaning="Part of the fleet whose revenue has a floor that the leader guarantees",
        within=SHARE,
    )
    guaranteed_usd: Floats = array(
        "H",
        unit="USD",
        kind=STOCK,
        owner="book partnerships of clouds",
        meaning="Money that floors may still cost the leader",
    )
    floor_payout_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        owner="book partnerships of clouds",
        meaning="Money that floors cost the leader",
    )
    exclusive_share: Floats = array(
        "H",
        unit="share",
        kind=STOCK,
        owner="choose how clouds operate",
        meaning="Part of orders that is bound to the leader's accelerators",
        within=SHARE,
    )
    own_share: Floats = array(
        "H",
        unit="share",
        kind=STOCK,
        owner="set the share of own silicon",
        meaning="Part of an operator's orders that goes to its own silicon",
        within=SHARE,
    )
    porting_left: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="follow trends",
        meaning="Cost of porting to own silicon over that at its start",
        start=1.0,
    )
    power_mw: Floats = array(
        "H", unit="MW", kind=STOCK, owner="connect power", meaning="Power connected for accelerators"
    )
    power_used_mw: Floats = array(
        "H", unit="MW", kind=STOCK, owner="connect power", meaning="Power drawn by accelerators"
    )
    power_pipeline_mw: Floats = array(
        "H W",
        unit="MW",
        kind=STOCK,
        owner="connect power",
        meaning="Power asked for, by quarters until it is connected",
    )
    power_added_mw: Floats = array(
        "H", unit="MW", kind=FLOW, owner="connect power", meaning="Power connected"
    )
    power_seen_mw: Floats = array(
        "",
        unit="MW",
        kind=STOCK,
        owner="pay for running",
        meaning="Power connected at all sites at the end of the last quarter",
    )
    venue_preference: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="rank hours at the venue",
        meaning="Weight that the leader's venue gives to partners",
    )
    venue_reach: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="move customers among clouds",
        meaning="Customers beyond a cloud's capacity that the venue can move",
        within=SHARE,
    )
    pooled_rent_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        owner="let clouds' hours",
        meaning="Rent of the hours that the venue moved between clouds",
    )
    systemic_risk: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="test the web of credit",
        meaning="Equity lost in the stress test beyond the first losses",
    )
