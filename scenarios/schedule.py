"""The quarter: every step in order, who takes it, by which law, and what it may look at and change.

The market walks this list; nothing else says what happens when. A step looks at arrays of the state as they stand
(`reads`) and at flows of the quarter before (`lagged`), owns the arrays that it `writes`, and `adjusts` arrays of other
owners. What an array is, `model/state/` declares. Where a member of the cast holds several actors, they act one by one.
"""

from computemarket.agents.buyers.procurement import Procurement
from computemarket.agents.buyers.robots import Robots
from computemarket.agents.buyers.software_buyers import SoftwareBuyers
from computemarket.agents.buyers.startups import Startups
from computemarket.agents.buyers.workloads import Workloads
from computemarket.agents.finance.credit_web import CreditWeb
from computemarket.agents.finance.futures import FuturesMarket
from computemarket.agents.finance.lenders import Investors, Lenders
from computemarket.agents.labs.architecture import ArchitectureShocks
from computemarket.agents.labs.first_adopters import FirstAdopters
from computemarket.agents.labs.lab import Lab, LabMarket
from computemarket.agents.labs.open_models import OpenModels
from computemarket.agents.operators.cloud_options import CloudOptions
from computemarket.agents.operators.custom_silicon import SiliconProgramme
from computemarket.agents.operators.fleet_use import FleetUse
from computemarket.agents.operators.operator import Operator
from computemarket.agents.operators.operator_regimes import OperatorRegimes
from computemarket.agents.operators.programmes import SiliconGenerations
from computemarket.agents.operators.provider_choice import ProviderChoice
from computemarket.agents.operators.vertical_operators import VerticalOperators
from computemarket.agents.platform.channels import Integrators, SoftwareChannels
from computemarket.agents.platform.credit_market import CreditMarket
from computemarket.agents.platform.platform import Platform
from computemarket.agents.platform.revenue_mix import RevenueMix
from computemarket.agents.platform.unit_standards import UnitStandards
from computemarket.agents.states.china_regulators import ChinaRegulators
from computemarket.agents.states.competition import CaseClock, CompetitionAuthority
from computemarket.agents.states.us_export_control import ExportControl
from computemarket.agents.suppliers.china_supply import ChineseFoundry
from computemarket.agents.suppliers.foundry_choice import FoundryChoice
from computemarket.agents.suppliers.memory import MemoryMarket
from computemarket.agents.suppliers.supplier import MemoryMakers, PackagingFoundry
from computemarket.agents.vendors.compliance import ComplianceOffice
from computemarket.agents.vendors.entry_barriers import EntryBarriers
from computemarket.agents.vendors.keynotes import Keynotes
from computemarket.agents.vendors.lock_in import LockIn
from computemarket.agents.vendors.lpu_rack import LpuRacks
from computemarket.agents.vendors.rivals import Rivals
from computemarket.agents.vendors.software import close_software_gaps
from computemarket.agents.vendors.vendor import Vendor, ask_prices
from computemarket.model.core import trends
from computemarket.model.market import ComputeMarket
from computemarket.model.markets import accelerators as accelerator_market
from computemarket.model.markets import china as china_market
from computemarket.model.markets import orders, settlement
from computemarket.model.markets import serving as serving_market
from computemarket.model.schedule import step
from computemarket.model.state import ARRAYS
from computemarket.scenarios.observers.quarter import record_quarter

EVERYTHING = " ".join(ARRAYS)  # recording looks at whatever is asked for

# fmt: off
SCHEDULE = (
    # begin: the books are opened, what stands is measured
    step("begin", "open the books", ComputeMarket.open_books, law="double entry: every payment has two sides"),
    step("begin", "renew tables of hardware", trends.renew_rates,
        law="hardware core: tables of products by what holds when they come out"),
    step("begin", "follow trends", trends.follow_trends,
        law="investment.grown and rates of decay: each level moves by the rate in force in the quarter",
        writes=
        "card_budget_share business_growth business_growth_ln porting_left "
        "captive_usd_per_year wage_growth token_markup token_efficiency_ln capability_ln"),
    step("begin", "earn outside AI", ComputeMarket.earn_elsewhere,
        law="identity: cash flow of 2022 times what other business has grown by",
        reads="business_growth",
        writes="other_cash_flow_usd"),
    step("begin", "measure fleets and orders", ComputeMarket.measure,
        law="H100e of work: compute and bandwidth, geometric mean",
        reads="fleet_units backlog_units duplicate_share work",
        lagged="retired_units",
        writes="work_h100e work_by_market backlog_h100e retired_h100e"),
    # regulate: rules in force follow from the calendar and from outcomes of earlier quarters
    step("regulate", "put export rules in force", ExportControl.regulate, by="export_control",
        law="policy: days by licence status, odds of approval, reviews (M25)",
        reads="backlog_units",
        lagged="delivered_units",
        writes=
        "access holder_access open_share sellable buyer_charge order_quota_units country_room_tpp "
        "stockpiling"),
    step("regulate", "commit packaging to variants", ComplianceOffice.regulate, by="compliance",
        law="policy: compliant variants (M25)",
        writes="commitment"),
    step("regulate", "put Chinese rules in force", ChinaRegulators.regulate, by="china_regulators",
        law="policy: content bans, import quotas, power discounts (M25)",
        reads="price_usd",
        lagged="delivered_units",
        writes="domestic_bonus",
        adjusts="holder_access open_share"),
    step("regulate", "clear last quarter's remedies", CaseClock.regulate, by="case_clock",
        law="policy.antitrust (M26)",
        writes="regulatory_stage remedy_share rival_gap_factor"),
    step("regulate", "pursue competition cases", CompetitionAuthority.regulate, by="authorities",
        law="policy.antitrust: hazard of an inquiry, stages of a case (M26)",
        reads="vendor_share venue_preference venue_reach systemic_risk",
        lagged="revenue_usd rental_revenue_usd layer_revenue_usd",
        adjusts="regulatory_stage remedy_share rival_gap_factor"),
    # launch: products, programmes and technologies due this quarter come to market
    step("launch", "learn unit costs", Vendor.launch, by="vendors", law="learning.wright_cost (Wright 1936)",
        reads="sold_units",
        writes="unit_cost_usd"),
    step("launch", "withhold Chinese minerals", ChinaRegulators.launch, by="china_regulators",
        law="policy: pass-through of mineral costs (M25)",
        adjusts="unit_cost_usd"),
    step("launch", "rank hours at the venue", ProviderChoice.launch, by="provider_choice",
        law="platform: self-preferencing, less under a case (M8, M26)",
        reads="regulatory_stage remedy_share",
        writes="venue_preference"),
    step("launch", "spread the leader's software", Platform.launch, by="leader.platform",
        law="business_modes.next_attach, credits.next_stage (M15, M16)",
        reads="vendor_share rent_usd_per_h100e_hour regulatory_stage credit_exposure",
        writes="software_attach credit_stage rent_variance"),
    step("launch", "draw architecture shocks", ArchitectureShocks.launch, by="architecture",
        law="options.shock_arrives, chip_value_after_shock (M14)",
        writes="architecture_share architecture_shocks"),
    step("launch", "try joint LPU racks", LpuRacks.launch, by="leader.racks",
        law="hybrid.integration_maturity (M2)",
        writes="joined_share joint_failed",
        adjusts="backlog_units"),
    step("launch", "fit work to today's models", ComputeMarket.fit_work,
        law="work = nominal work x architecture share x joint share (M2, M14)",
        reads="fleet_units backlog_units duplicate_share architecture_share joined_share",
        lagged="retired_units",
        writes="work",
        adjusts="work_h100e work_by_market backlog_h100e retired_h100e"),
    step("launch", "count the cost of leaving", LockIn.launch, by="leader.lock_in",
        law="switching_cost: engineer-months, help, open software (M12)",
        reads=
        "fleet_units work price_usd contract_rent_usd_per_h100e_hour software_attach credit_stage "
        "credits_h",
        lagged="delivered_units",
        writes="porting_factor",
        adjusts="rival_gap_factor"),
    step("launch", "launch units of compute", UnitStandards.launch, by="unit_standards",
        law="standards: entry of rival units, compatibility (M20; Katz and Shapiro 1985)",
        reads="fleet_units work work_h100e credit_stage",
        lagged="rental_revenue_usd"),
    step("launch", "draw first adopters", FirstAdopters.launch, by="first_adopters",
        law="lottery by paid use; head start (M24, M8)",
        reads="joined_share joint_failed workload_share lab_paid_share",
        adjusts="lab_quality"),
    step("launch", "release open models", OpenModels.launch, by="open_models",
        law="demand.quality_gap, closed_price_ceiling (M29)",
        reads="china_premium funding_ratio"),
    step("launch", "value entry to the fast segment", EntryBarriers.launch, by="leader.defence",
        law="entry.contestable_usd, options.programme_value_usd (M9; Dixit 1980)",
        reads="list_price_usd open_niches outside_rivals token_markup markup_factor rent_usd_per_h100e_hour "
        "token_price_usd_per_mtok",
        lagged=
        "delivered_units revenue_usd cost_of_sales_usd training_hours_h100e captive_hours_h100e "
        "token_hours_h100e tokens",
        writes=
        "price_cut fast_segment_usd contestable_usd entry_cost_usd entry_value_ratio deterring_designs "
        "deterring_design_landed"),
    step("launch", "open and answer niches", Rivals.launch, by="rivals",
        law="entry.best_reply, blocking_chance (M9, M13)",
        reads=
        "regulatory_stage fast_segment_usd contestable_usd entry_cost_usd entry_value_ratio "
        "deterring_designs deterring_design_landed",
        lagged="revenue_usd cost_of_sales_usd",
        writes="product_edge open_niches outside_rivals"),
    step("launch", "start generations of own silicon", SiliconGenerations.launch, by="silicon_generations",
        law="options.starts_programme: real option with a hurdle (M13; Dixit and Pindyck 1994)",
        reads="price_usd porting_left porting_factor merchant_hour_cost_usd",
        lagged="ai_capex_usd",
        adjusts="product_edge"),
    step("launch", "choose a foundry", FoundryChoice.launch, by="foundry_choice",
        law="supply.moves_foundry, learned_yield (M10)",
        reads="list_price_usd packaging_wafers",
        lagged="delivered_units waiting_wafers",
        writes="packages_per_wafer",
        adjusts="product_edge unit_cost_usd"),
    # expect: beliefs about demand and earnings are brought up to date
    step("expect", "believe in AI revenue", Operator.expect, by="operators",
        law="investment.next_belief_ln: adaptive expectations with herding",
        reads="realised_revenue_usd realised_growth ai_capex_growth",
        writes="belief_ln_usd"),
    step("expect", "set investors' mood", Investors.expect, by="investors",
        law="sentiment follows growth over its usual pace",
        reads="belief_ln_usd",
        writes="sentiment_ln"),
    step("expect", "learn how earnings swing", CloudOptions.expect, by="cloud_options",
        law="exponentially weighted variance (M13)",
        reads="let_factor contract_rent_usd_per_h100e_hour"),
    # price: vendors post prices, clouds choose how to operate, models are priced
    step("price", "close software gaps", close_software_gaps,
        law="learning.gap_left: open software, own spending and users (M12; Arrow 1962)",
        lagged="revenue_usd",
        writes="software_gap software_spent_usd"),
    step("price", "post accelerator prices", Vendor.price, by="vendors",
        law="pricing.lerner_price below the break-even, posted_price",
        reads="work unit_cost_usd vendor_share contract_rent_usd_per_h100e_hour",
        writes="list_price_usd"),
    step("price", "ask prices", ask_prices, law="list price x (1 - cut): limit pricing (M9; Dixit 1980)",
        reads="list_price_usd price_cut",
        writes="price_usd"),
    step("price", "set the share of own silicon", SiliconProgramme.price, by="silicon_programmes",
        law="logit of own against merchant cost (M13)",
        reads="product_edge work price_usd porting_left porting_factor merchant_hour_cost_usd",
        writes="own_share"),
    step("price", "choose how clouds operate", OperatorRegimes.price, by="operator_regimes",
        law="operator_regime.regime_shares: certainty equivalents of returns (M21)",
        reads=
        "backlog_units inventory_units in_process_units cost_per_h100e_usd loan_rate_per_year loan_share "
        "attraction venue_preference venue_reach utilisation usual_utilisation contract_rent_usd_per_h100e_hour "
        "software_attach rent_variance",
        lagged="revenue_usd cost_of_sales_usd",
        writes="priority exclusive_share"),
    step("price", "lend against hedged rent", FuturesMarket.price, by="futures",
        law="more is lent against rent that is hedged (M17)",
        adjusts="loan_share"),
    step("price", "forecast and announce", Keynotes.price, by="leader.keynotes",
        law="expectations.rule_shares (M28; Brock and Hommes 1997)",
        reads="realised_revenue_usd realised_growth",
        adjusts="belief_ln_usd sentiment_ln"),
    step("price", "cap closed-model markups", OpenModels.price, by="open_models",
        law="demand.closed_price_ceiling (M29)",
        reads="token_markup",
        writes="markup_factor"),
    step("price", "erode brand premiums", SoftwareBuyers.price, by="software_buyers",
        law="search: brands are worth less to who compares (M18)",
        adjusts="markup_factor"),
    # demand: buyers form the use of tokens by kind of work and tier
    step("demand", "buy tokens for startups", Startups.demand, by="startups",
        law="startups.next_revenue_usd: growth of firms with luck",
        writes="use_factor startup_bill_usd"),
    step("demand", "choose enterprise procurement", Procurement.demand, by="procurement",
        law="procurement.option_shares: nested logit, yearly budgets (M23)",
        reads=
        "fleet_units cost_per_h100e_usd rent_usd_per_h100e_hour token_price_usd_per_mtok realised_growth "
        "credit_stage credit_price_variance rent_variance",
        lagged="token_hours_h100e tokens token_revenue_usd",
        adjusts="use_factor"),
    step("demand", "spread robots", Robots.demand, by="robots", law="demand.bass_step, physical_ai_load (M29)",
        reads="contract_rent_usd_per_h100e_hour",
        writes="robot_hours_h100e edge_sales_usd robots_ln"),
    step("demand", "grow classes of work", Workloads.demand, by="workloads",
        law="workloads.tier_preference, worth_while (M6, M8, M30)",
        reads="robots_ln token_price_usd_per_mtok menu_share",
        writes="tier_tilt request_factor workload_share small_task_share",
        adjusts="use_factor"),
    step("demand", "set uptime and packing", FleetUse.demand, by="fleet_use",
        law="utilisation.availability, shared_load (M5)",
        reads="work standing_units small_task_share",
        writes="availability_factor",
        adjusts="request_factor"),
    step("demand", "let agents buy", SoftwareBuyers.demand, by="software_buyers",
        law="demand.bass_step; wallets bound by budgets (M18)",
        reads="realised_growth credit_stage",
        lagged="token_revenue_usd",
        adjusts="use_factor"),
    step("demand", "adopt and use", serving_market.grow_use, law="demand.bass_step (Bass 1969)",
        writes="adoption use_usd use_growth_left"),
    # serve: fleets are put to work; the markets for hours and tokens clear
    step("serve", "share paid use among labs", LabMarket.serve, by="lab_market",
        law="choice.weighted_logit_shares with habit",
        lagged="token_revenue_usd lab_compute_hours_h100e",
        writes="lab_quality lab_share lab_paid_share"),
    step("serve", "turn to open weights", OpenModels.serve, by="open_models", law="odds of open against closed (M29)",
        adjusts="lab_paid_share"),
    step("serve", "compare offers of labs", SoftwareBuyers.serve, by="software_buyers",
        law="search.search_shares (M18; Stigler 1961)",
        reads="token_price_usd_per_mtok startup_bill_usd",
        adjusts="lab_paid_share"),
    step("serve", "clear hours and tokens", serving_market.serve,
        law="hours_by_use.clear_uses, tiers.logit_menu_shares (M6, M17)",
        reads=
        "fleet_units work work_h100e work_by_market price_usd cost_per_h100e_usd belief_ln_usd robot_hours_h100e "
        "captive_usd_per_year use_usd use_factor wage_growth token_markup markup_factor "
        "token_efficiency_ln availability_factor tier_tilt request_factor used_abroad_h100e "
        "funding_ratio hour_cost_usd loan_rate_per_year loan_share",
        writes=
        "utilisation rent_usd_per_h100e_hour contract_rent_usd_per_h100e_hour capacity_h100e "
        "standing_units inference_share training_hours_h100e captive_hours_h100e token_hours_h100e "
        "tokens usual_utilisation use_price_usd product_rent_usd token_price_usd_per_mtok first_price_usd "
        "token_revenue_usd realised_revenue_usd realised_growth menu_share"),
    # invest: operators plan capacity and order; futures and credits trade
    step("invest", "wish for accelerators", Operator.invest, by="operators",
        law="investment.desired_stock, wanted_units: flexible accelerator",
        reads=
        "work_h100e backlog_h100e retired_h100e cost_per_h100e_usd belief_ln_usd other_cash_flow_usd "
        "debt_usd loan_share defaulted utilisation rent_usd_per_h100e_hour stockpiling sentiment_ln "
        "hour_cost_usd loan_rate_per_year",
        lagged="interest_usd rental_revenue_usd partner_usd lab_site_money_usd",
        writes="wish_h100e wanted_h100e funds_usd"),
    step("invest", "book who served tokens", LabMarket.invest, by="lab_market",
        law="paid tiers by share, the free tier by reach",
        reads="tokens token_revenue_usd lab_paid_share",
        writes="lab_tokens"),
    step("invest", "earn and raise at labs", Lab.invest, by="labs",
        law="labs raise what is missing, as investors allow",
        reads=
        "contract_rent_usd_per_h100e_hour training_hours_h100e token_hours_h100e token_revenue_usd "
        "lab_paid_share funding_ratio",
        writes=
        "lab_revenue_usd lab_compute_hours_h100e lab_compute_usd lab_training_usd lab_funding_usd "
        "lab_site_money_usd"),
    step("invest", "move customers among clouds", ProviderChoice.invest, by="provider_choice",
        law="logit of offers; contracts end slowly (M8)",
        reads=
        "work_h100e cost_per_h100e_usd partner_share power_used_mw venue_preference software_attach "
        "credit_stage venue_share",
        writes="attraction venue_reach"),
    step("invest", "lose rivals' orders to the marketplace", Platform.invest, by="leader.platform",
        law="business_modes.channel_orders (M15)",
        reads="credit_stage venue_share",
        writes="leader_order_factor"),
    step("invest", "trade futures on hours", FuturesMarket.invest, by="futures",
        law="rental.forward_prices (Schwartz and Smith 2000), auction.hedged_share (M17)",
        reads="work_h100e utilisation rent_usd_per_h100e_hour lab_compute_hours_h100e",
        writes="hedged_share"),
    step("invest", "trade compute credits", CreditMarket.invest, by="leader.credits",
        law="auction.clear_double_auction, credits.defend_band (M16)",
        reads=
        "rent_usd_per_h100e_hour contract_rent_usd_per_h100e_hour credit_stage credit_pool_h "
        "rent_variance venue_share hedged_share",
        lagged="credits_redeemed_h credit_sales_usd",
        writes="credit_demand_factor credit_exposure credit_price_variance",
        adjusts="credits_h"),
    step("invest", "cut enterprises' own machines", Procurement.invest, by="procurement",
        law="share of own machines against 2026Q1 (M23)",
        adjusts="wanted_h100e"),
    step("invest", "choose units of compute", UnitStandards.invest, by="unit_standards",
        law="standards.adoption_shares, network_size (M20)",
        reads="fleet_units work work_h100e adoption credit_stage",
        writes="venue_share",
        adjusts="credit_demand_factor"),
    step("invest", "wait for better projects", CloudOptions.invest, by="cloud_options",
        law="options.investment_hurdle (M13)",
        reads=
        "architecture_shocks cost_per_h100e_usd loan_rate_per_year utilisation "
        "contract_rent_usd_per_h100e_hour",
        adjusts="wanted_h100e"),
    step("invest", "count China's other sources", china_market.count_other_sources,
        law="what is rented or smuggled is not bought (M25)",
        reads="work_h100e belief_ln_usd remote_h100e hour_cost_usd",
        adjusts="wish_h100e wanted_h100e"),
    step("invest", "place orders", orders.order, law="choice.weighted_logit_shares by cost per H100e; double orders",
        reads=
        "inventory_units in_process_units product_edge work price_usd software_gap "
        "card_budget_share wanted_h100e exclusive_share own_share restricted_holders holder_access "
        "buyer_charge domestic_bonus rival_gap_factor leader_order_factor",
        lagged="delivered_units",
        writes=
        "backlog_units ordered_units duplicate_share quoted_quarters cost_per_h100e_usd hour_cost_usd "
        "merchant_hour_cost_usd"),
    step("invest", "clear compute in China", china_market.clear, law="smuggling.clear_china (M25)",
        reads=
        "work work_h100e wanted_h100e inference_share smic_units holder_access buyer_charge "
        "order_quota_units country_room_tpp",
        writes=
        "china_unmet_h100e china_premium china_price_usd remote_h100e used_abroad_h100e diverted_h100e "
        "detection transit_share",
        adjusts="backlog_units ordered_units cost_per_h100e_usd"),
    # supply: suppliers make, vendors ration and deliver, sites are connected
    step("supply", "cut parents into variants", ComplianceOffice.supply, by="compliance",
        law="policy: variants made of finished parents (M25)",
        reads="backlog_units inventory_units",
        adjusts="in_process_units"),
    step("supply", "expand packaging", PackagingFoundry.supply, by="packaging_foundry",
        law="supply.expansion_started",
        lagged="waiting_wafers",
        writes="packaging_wafers packaging_pipeline"),
    step("supply", "expand memory", MemoryMakers.supply, by="memory_makers", law="supply.expansion_started",
        reads="in_process_units",
        writes="memory_gb memory_pipeline"),
    step("supply", "grow Chinese wafers", ChineseFoundry.supply, by="chinese_foundry",
        law="learning, equipment, dies abroad, stacks of memory (M25)",
        reads="china_premium",
        lagged="produced_units",
        writes="smic_units china_stacks"),
    step("supply", "share memory among makers", MemoryMarket.supply, by="memory",
        law="choice.weighted_logit_shares (M10)",
        reads="in_process_units memory_gb"),
    step("supply", "make accelerators", accelerator_market.produce,
        law="rationing.ration: capacity by orders and value",
        reads=
        "backlog_units price_usd unit_cost_usd packaging_wafers packages_per_wafer memory_gb smic_units "
        "commitment china_stacks",
        lagged="delivered_units",
        writes="inventory_units in_process_units produced_units packaging_used binding waiting_wafers"),
    step("supply", "connect power", accelerator_market.connect_power,
        law="sites are planned ahead and connected after a lag",
        reads="fleet_units work_h100e backlog_h100e wish_h100e",
        lagged="delivered_units",
        writes="power_mw power_used_mw power_pipeline_mw power_added_mw"),
    step("supply", "deliver accelerators", accelerator_market.deliver,
        law="rationing.ration by order and priority; logistic retirement",
        reads=
        "duplicate_share produced_units priority wish_h100e wanted_h100e power_mw power_used_mw "
        "restricted_holders open_share",
        writes=
        "fleet_units age_quarters delivered_units retired_units sold_units added_units written_off_units",
        adjusts="backlog_units inventory_units binding"),
    step("supply", "receive smuggled accelerators", china_market.receive,
        law="smuggling: diverted through fronts, part is seized (M25)",
        reads="delivered_units work price_usd access diverted_h100e detection transit_share",
        writes="transit_units smuggled_units smuggled_h100e seized_units front_sales_usd",
        adjusts="fleet_units power_mw power_added_mw"),
    step("supply", "write off what rules stop", ComplianceOffice.write_off, by="compliance",
        law="policy: rework, scrap, purchase commitments (M25)",
        reads="delivered_units price_usd unit_cost_usd sellable",
        writes="export_charge_usd export_lost_usd",
        adjusts="backlog_units inventory_units in_process_units"),
    # settle: deliveries, rents, wages and debts are paid; who cannot pay is wound up
    step("settle", "collect export charges", ExportControl.settle, by="export_control",
        law="policy: charge on licensed units, passed on in part (M25)",
        reads="delivered_units price_usd",
        pays=True),
    step("settle", "pay for write-offs", ComplianceOffice.settle, by="compliance",
        law="suppliers are paid for what is written off",
        pays=True),
    step("settle", "book capital expenditure", Operator.settle, by="operators",
        law="investment.legacy_capex: AI crowds out other capex",
        lagged="ai_capex_usd",
        writes="capex_usd legacy_capex_usd"),
    step("settle", "count labs' power", LabMarket.settle, by="lab_market", law="power of the hours that labs use",
        reads="fleet_units lab_compute_hours_h100e",
        writes="lab_power_mw"),
    step("settle", "settle labs' accounts", Lab.settle, by="labs",
        law="customers and investors pay labs, labs pay clouds and staff",
        reads="lab_revenue_usd lab_compute_usd lab_funding_usd",
        pays=True),
    step("settle", "fine and subsidise in China", ChinaRegulators.settle, by="china_regulators",
        law="policy: fines and subsidies (M25)",
        reads="delivered_units price_usd",
        pays=True),
    step("settle", "turn over startups", Startups.settle, by="startups", law="startups.raised_usd, leaves, enters",
        reads="sentiment_ln",
        pays=True),
    step("settle", "hear of clouds' contracts", Lenders.hear_of_contracts, by="lenders",
        law="news of customers won and lost, an autoregression (M24)",
        writes="contract_luck"),
    step("settle", "let clouds' hours", ProviderChoice.settle, by="provider_choice",
        law="hours follow customers; a venue moves spare ones (M8)",
        reads=
        "work_h100e contract_luck attraction partner_share venue_preference venue_reach utilisation "
        "contract_rent_usd_per_h100e_hour",
        writes="let_factor pooled_rent_usd"),
    step("settle", "lend to clouds and wind up", Lenders.settle, by="lenders",
        law="vendor_finance.debt_cover, defaults, recovery_usd (M24)",
        reads=
        "work price_usd cost_per_h100e_usd funds_usd booked_rent_usd_per_h100e_hour let_factor "
        "backed_share utilisation contract_rent_usd_per_h100e_hour work_h100e",
        lagged="partner_usd",
        writes="loan_rate_per_year loan_share debt_cover defaulted credit_conditions",
        adjusts="fleet_units age_quarters backlog_units debt_usd power_mw power_used_mw",
        pays=True),
    step("settle", "fund labs", Investors.settle, by="investors", law="funding follows believed revenue and mood",
        reads="belief_ln_usd lab_funding_usd sentiment_ln",
        writes="funding_ratio"),
    step("settle", "book partnerships of clouds", OperatorRegimes.settle, by="operator_regimes",
        law="business_modes.partnership_cash_usd, allowed_backstop_usd (M21)",
        reads=
        "delivered_units work work_h100e loan_rate_per_year booked_rent_usd_per_h100e_hour let_factor "
        "utilisation rent_usd_per_h100e_hour contract_rent_usd_per_h100e_hour",
        lagged="revenue_usd cost_of_sales_usd",
        writes="partner_usd partner_share backed_share guaranteed_usd floor_payout_usd capacity_revenue_usd",
        pays=True),
    step("settle", "test the web of credit", CreditWeb.settle, by="credit_web",
        law="contagion.debt_rank (Battiston et al. 2012; M19, M26)",
        reads=
        "work_h100e cost_per_h100e_usd funds_usd debt_usd debt_cover guaranteed_usd floor_payout_usd "
        "lab_compute_usd lab_funding_usd funding_ratio",
        lagged="revenue_usd cost_of_sales_usd ai_capex_usd rental_revenue_usd",
        writes="systemic_risk",
        adjusts="loan_share"),
    step("settle", "sell software and credits", Platform.settle, by="leader.platform",
        law="credits.settle_credits, business_modes.trade_volume (M15, M16)",
        reads=
        "fleet_units pooled_rent_usd contract_rent_usd_per_h100e_hour credit_stage credit_demand_factor "
        "venue_share capacity_revenue_usd",
        lagged="revenue_usd rental_revenue_usd",
        writes="credits_h credits_redeemed_h credit_pool_h credit_sales_usd layer_revenue_usd",
        pays=True),
    step("settle", "follow swings of revenue", RevenueMix.settle, by="leader.mix", law="credits.next_variance (M15)",
        reads="layer_revenue_usd"),
    step("settle", "pay integrators", Integrators.settle, by="integrators", law="choice.weighted_logit_shares",
        reads="delivered_units price_usd",
        pays=True),
    step("settle", "pay software channels", SoftwareChannels.settle, by="software_channels",
        law="resale of tokens at a margin",
        reads="token_revenue_usd adoption",
        pays=True),
    step("settle", "pay for ports", LockIn.settle, by="leader.lock_in", law="engineers' work of stacks that move (M12)",
        pays=True),
    step("settle", "settle hedges", FuturesMarket.settle, by="futures", law="auction.settlement_usd (M17)",
        lagged="rental_revenue_usd",
        pays=True),
    step("settle", "settle credit trades", CreditMarket.settle, by="leader.credits",
        law="issuer's defence and fees (M16)",
        pays=True),
    step("settle", "enter lines of business", VerticalOperators.settle, by="vertical_operators",
        law="vertical_entry.free_entry_number (M22; Salop 1979)",
        reads="token_revenue_usd",
        pays=True),
    step("settle", "value the leader", Keynotes.settle, by="leader.keynotes",
        law="expectations.valuation_multiple (M28)",
        reads="layer_revenue_usd"),
    step("settle", "pay for edge chips", Robots.settle, by="robots",
        law="sales, cost and payout of chips for robots (M29)",
        reads="edge_sales_usd",
        pays=True),
    step("settle", "pay for deterring designs", EntryBarriers.settle, by="leader.defence",
        law="design cost by quarter (M9)",
        pays=True),
    step("settle", "pay for licences and purchases", Rivals.settle, by="rivals",
        law="options.licence_payment_usd (M13)",
        pays=True),
    step("settle", "pay for own designs", SiliconGenerations.settle, by="silicon_generations",
        law="design cost by quarter (M13)",
        pays=True),
    step("settle", "pay for moves of foundry", FoundryChoice.settle, by="foundry_choice",
        law="cost of porting a design (M10)",
        pays=True),
    step("settle", "collect competition fines", CompetitionAuthority.settle, by="authorities",
        law="policy.antitrust.fine_usd (M26)",
        pays=True),
    step("settle", "pay for accelerators", settlement.pay_for_accelerators,
        law="operators pay vendors and builders, vendors pay suppliers",
        reads="delivered_units written_off_units price_usd unit_cost_usd",
        writes="revenue_usd cost_of_sales_usd vendor_share ai_capex_usd ai_capex_growth",
        pays=True),
    step("settle", "pay for labs' sites", settlement.pay_for_lab_sites,
        law="a share of what labs raise and of what their sales leave",
        reads="ai_capex_usd lab_site_money_usd",
        pays=True),
    step("settle", "pay smugglers and fronts", china_market.pay_smugglers,
        law="the premium goes to smugglers, who bear seizures (M25)",
        reads="price_usd china_premium smuggled_units seized_units front_sales_usd",
        writes="smuggling_fines_usd",
        pays=True),
    step("settle", "pay for running", settlement.pay_for_running,
        law="rents, power, interest, debt and owners; power is conserved",
        reads=
        "fleet_units delivered_units work work_h100e revenue_usd cost_of_sales_usd legacy_capex_usd "
        "other_cash_flow_usd loan_rate_per_year loan_share let_factor power_mw power_used_mw "
        "power_added_mw utilisation contract_rent_usd_per_h100e_hour lab_compute_usd",
        writes="debt_usd interest_usd rental_revenue_usd booked_rent_usd_per_h100e_hour power_seen_mw",
        pays=True),
    step("settle", "close the books", ComputeMarket.close_books, law="money is conserved"),
    # record: what the quarter leaves is kept
    step("record", "keep the quarter", record_quarter, law="measures and units: computemarket variables",
        reads=EVERYTHING),
)
# fmt: on
