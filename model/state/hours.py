"""Hours and tokens: what fleets can serve, what is served, at which prices, and what drives use."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class HoursBook(Book):
    """Hours and tokens: what fleets can serve, what is served, at which prices, and what drives use."""

    utilisation: Floats = array(
        "M",
        unit="share",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Hours used over hours that work",
        within=SHARE,
        start=0.6,
    )
    usual_utilisation: Floats = array(
        "M",
        unit="share",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Utilisation of late: what those who plan count on",
        within=SHARE,
        start=0.6,
    )
    rent_usd_per_h100e_hour: Floats = array(
        "M", unit="USD/H100e-hour", kind=STOCK, owner="clear hours and tokens", meaning="Spot rent"
    )
    contract_rent_usd_per_h100e_hour: Floats = array(
        "M",
        unit="USD/H100e-hour",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Rent of new contracts",
    )
    capacity_h100e: Floats = array(
        "M",
        unit="H100e",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Accelerators that work, by the market in which they stand",
    )
    standing_units: Floats = array(
        "M P",
        unit="units",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Accelerators by token market when hours were last cleared",
    )
    inference_share: Floats = array(
        "M",
        unit="share",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Hours of inference over hours used",
        within=SHARE,
    )
    training_hours_h100e: Floats = array(
        "M",
        unit="H100e-hours",
        kind=FLOW,
        lagged=True,
        owner="clear hours and tokens",
        meaning="Hours used for training",
    )
    captive_hours_h100e: Floats = array(
        "M",
        unit="H100e-hours",
        kind=FLOW,
        lagged=True,
        owner="clear hours and tokens",
        meaning="Hours that operators use for their own services",
    )
    token_hours_h100e: Floats = array(
        "M K",
        unit="H100e-hours",
        kind=FLOW,
        lagged=True,
        owner="clear hours and tokens",
        meaning="Hours that serve tokens",
    )
    robot_hours_h100e: Floats = array(
        "M",
        unit="H100e-hours",
        kind=FLOW,
        owner="spread robots",
        meaning="Hours wished for to train and simulate robots",
    )
    edge_sales_usd: Floats = array(
        "M", unit="USD", kind=FLOW, owner="spread robots", meaning="Sales of the leader's chips for robots"
    )
    robots_ln: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="spread robots",
        meaning="Robots in service over the usual number",
        within=ANY,
    )
    tokens: Floats = array(
        "M K", unit="tokens", kind=FLOW, lagged=True, owner="clear hours and tokens", meaning="Tokens served"
    )
    use_price_usd: Floats = array(
        "M U",
        unit="USD/Mtok or H100e-hour",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Price of the hours of a rated million tokens of a tier, of an H100e-hour of training and of own use",
    )
    product_rent_usd: Floats = array(
        "M P",
        unit="USD/h",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="What an hour of an accelerator earns when it is let; 0 of what nobody has and nobody sells",
    )
    token_price_usd_per_mtok: Floats = array(
        "M K", unit="USD/Mtok", kind=STOCK, owner="clear hours and tokens", meaning="Price of tokens"
    )
    first_price_usd: Floats = array(
        "M", unit="USD/Mtok", kind=STOCK, owner="clear hours and tokens", meaning="Mean price paid in 2023Q1"
    )
    token_revenue_usd: Floats = array(
        "M", unit="USD", kind=FLOW, lagged=True, owner="clear hours and tokens", meaning="Revenue from tokens"
    )
    captive_usd_per_year: Floats = array(
        "",
        unit="USD/year",
        kind=STOCK,
        owner="follow trends",
        meaning="Value of the hours for own use, at their rent",
    )
    realised_revenue_usd: Floats = array(
        "",
        unit="USD/year",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="AI revenue and value of own use, as a yearly rate",
    )
    realised_growth: Floats = array(
        "",
        unit="ln/quarter",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Growth of realised revenue that is expected from its past",
        within=ANY,
    )
    adoption: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="adopt and use",
        meaning="Adopters over those who will ever use models at work",
        within=SHARE,
    )
    use_usd: Floats = array(
        "", unit="USD", kind=FLOW, owner="adopt and use", meaning="Western use at the prices of 2023Q1"
    )
    use_growth_left: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="adopt and use",
        meaning="Growth of use per adopter over that of 2023Q1",
        within=SHARE,
        start=1.0,
    )
    use_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="buy tokens for startups",
        meaning="Use of tokens with startups, procurement, kinds of work and agents, over use without",
        start=1.0,
    )
    wage_growth: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="follow trends",
        meaning="Addressable wage bill over that of 2022",
        start=1.0,
    )
    token_markup: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="follow trends",
        meaning="Price of tokens over the cost of their hours, as rivals erode it",
    )
    markup_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="cap closed-model markups",
        meaning="Markup on tokens that open models and searching buyers leave, over that without them",
        start=1.0,
    )
    token_efficiency_ln: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="follow trends",
        meaning="Tokens per unit of compute over those of 2026Q1",
        within=ANY,
    )
    capability_ln: Floats = array(
        "",
        unit="ln",
        kind=STOCK,
        owner="follow trends",
        meaning="Compute for a fixed capability in 2022Q1 over that of today",
        within=ANY,
    )
    availability_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="set uptime and packing",
        meaning="Share of accelerators that work, over that of 2026Q1",
        start=1.0,
    )
    menu_share: Floats = array(
        "K",
        unit="share",
        kind=STOCK,
        owner="clear hours and tokens",
        meaning="Tiers in the use of the mean western user, at today's prices",
        within=SHARE,
    )
    tier_tilt: Floats = array(
        "K",
        unit="1",
        kind=STOCK,
        owner="grow classes of work",
        meaning="Shares of tiers over those of the mean user of 2026Q1",
        start=1.0,
    )
    request_factor: Floats = array(
        "K",
        unit="1",
        kind=STOCK,
        owner="grow classes of work",
        meaning="Tokens an hour over those of the requests of 2026Q1",
        start=1.0,
    )
    workload_share: Floats = array(
        "J",
        unit="share",
        kind=STOCK,
        owner="grow classes of work",
        meaning="Classes of work in paid tokens; 0 before 2026",
        within=SHARE,
    )
    small_task_share: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="grow classes of work",
        meaning="Tasks that are small requests; 0 before 2026",
        within=SHARE,
    )
