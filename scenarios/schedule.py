"""The quarter: every step in order, who takes it, and by which law; `step()` of the market walks this list."""

from computemarket.agents.architecture import ArchitectureShocks
from computemarket.agents.channels import Integrators, SoftwareChannels
from computemarket.agents.china_regulators import ChinaRegulators
from computemarket.agents.china_supply import ChineseFoundry
from computemarket.agents.cloud_options import CloudOptions
from computemarket.agents.competition import CaseClock, CompetitionAuthority
from computemarket.agents.compliance import ComplianceOffice
from computemarket.agents.credit_market import CreditMarket
from computemarket.agents.credit_web import CreditWeb
from computemarket.agents.custom_silicon import SiliconProgramme
from computemarket.agents.entry_barriers import EntryBarriers
from computemarket.agents.finance import Investors, Lenders
from computemarket.agents.first_adopters import FirstAdopters
from computemarket.agents.fleet_use import FleetUse
from computemarket.agents.foundry_choice import FoundryChoice
from computemarket.agents.futures import FuturesMarket
from computemarket.agents.keynotes import Keynotes
from computemarket.agents.labs import Lab, LabMarket
from computemarket.agents.lock_in import LockIn
from computemarket.agents.lpu_rack import LpuRacks
from computemarket.agents.memory import MemoryMarket
from computemarket.agents.open_models import OpenModels
from computemarket.agents.operator_regimes import OperatorRegimes
from computemarket.agents.operators import Operator
from computemarket.agents.platform import Platform
from computemarket.agents.procurement import Procurement
from computemarket.agents.programmes import SiliconGenerations
from computemarket.agents.provider_choice import ProviderChoice
from computemarket.agents.revenue_mix import RevenueMix
from computemarket.agents.rivals import Rivals
from computemarket.agents.robots import Robots
from computemarket.agents.software_buyers import SoftwareBuyers
from computemarket.agents.startups import Startups
from computemarket.agents.suppliers import MemoryMakers, PackagingFoundry
from computemarket.agents.unit_standards import UnitStandards
from computemarket.agents.us_export_control import ExportControl
from computemarket.agents.vendors import Vendor, ask_prices
from computemarket.agents.vertical_operators import VerticalOperators
from computemarket.agents.workloads import Workloads
from computemarket.model import accelerator_market, china_market, orders, serving_market, settlement, trends
from computemarket.model.market import ComputeMarket
from computemarket.model.schedule import Step
from computemarket.scenarios.observers import record_quarter

SCHEDULE = (
    # begin: the books are opened, what stands is measured
    Step("begin", "open the books", ComputeMarket.open_books, law="double entry: every payment has two sides"),
    Step("begin", "follow trends", trends.follow_trends, law="investment.grown and rates of decay: each level moves by the rate in force in the quarter"),
    Step("begin", "earn outside AI", ComputeMarket.earn_elsewhere, law="identity: cash flow of 2022 times what other business has grown by"),
    Step("begin", "measure fleets and orders", ComputeMarket.measure, law="H100e of work: compute and bandwidth, geometric mean"),
    # regulate: rules in force follow from the calendar and from outcomes of earlier quarters
    Step("regulate", "put export rules in force", ExportControl.regulate, by="export_control", law="policy: days by licence status, odds of approval, reviews (M25)"),
    Step("regulate", "commit packaging to variants", ComplianceOffice.regulate, by="compliance", law="policy: compliant variants (M25)"),
    Step("regulate", "put Chinese rules in force", ChinaRegulators.regulate, by="china_regulators", law="policy: content bans, import quotas, power discounts (M25)"),
    Step("regulate", "clear last quarter's remedies", CaseClock.regulate, by="case_clock", law="policy.antitrust (M26)"),
    Step("regulate", "pursue competition cases", CompetitionAuthority.regulate, by="authorities", law="policy.antitrust: hazard of an inquiry, stages of a case (M26)"),
    # launch: products, programmes and technologies due this quarter come to market
    Step("launch", "learn unit costs", Vendor.launch, by="vendors", law="learning.wright_cost (Wright 1936)"),
    Step("launch", "withhold Chinese minerals", ChinaRegulators.launch, by="china_regulators", law="policy: pass-through of mineral costs (M25)"),
    Step("launch", "rank hours at the venue", ProviderChoice.launch, by="provider_choice", law="platform: self-preferencing, less under a case (M8, M26)"),
    Step("launch", "spread the leader's software", Platform.launch, by="platform", law="platform.next_attach, credits.next_stage (M15, M16)"),
    Step("launch", "draw architecture shocks", ArchitectureShocks.launch, by="architecture", law="options.shock_arrives, chip_value_after_shock (M14)"),
    Step("launch", "try joint LPU racks", LpuRacks.launch, by="lpu_racks", law="hardware.hybrid.integration_maturity (M2)"),
    Step("launch", "fit work to today's models", ComputeMarket.fit_work, law="work = nominal work x architecture share x joint share (M2, M14)"),
    Step("launch", "count the cost of leaving", LockIn.launch, by="lock_in", law="switching_cost: engineer-months, help, open software (M12)"),
    Step("launch", "launch units of compute", UnitStandards.launch, by="unit_standards", law="standards: entry of rival units, compatibility (M20; Katz and Shapiro 1985)"),
    Step("launch", "draw first adopters", FirstAdopters.launch, by="first_adopters", law="lottery by paid use; head start (M24, M8)"),
    Step("launch", "release open models", OpenModels.launch, by="open_models", law="demand.quality_gap, closed_price_ceiling (M29)"),
    Step("launch", "value entry to the fast segment", EntryBarriers.launch, by="entry_barriers", law="entry.contestable_usd, options.programme_value_usd (M9; Dixit 1980)"),
    Step("launch", "open and answer niches", Rivals.launch, by="rivals", law="entry.best_reply, blocking_chance (M9, M13)"),
    Step("launch", "start generations of own silicon", SiliconGenerations.launch, by="silicon_generations", law="options.starts_programme: real option with a hurdle (M13; Dixit and Pindyck 1994)"),
    Step("launch", "choose a foundry", FoundryChoice.launch, by="foundry_choice", law="supply.moves_foundry, learned_yield (M10)"),
    # expect: beliefs about demand and earnings are brought up to date
    Step("expect", "believe in AI revenue", Operator.expect, by="operators", law="investment.next_belief_ln: adaptive expectations with herding"),
    Step("expect", "set investors' mood", Investors.expect, by="investors", law="sentiment follows growth over its usual pace"),
    Step("expect", "learn how earnings swing", CloudOptions.expect, by="cloud_options", law="exponentially weighted variance (M13)"),
    # price: vendors post prices, clouds choose how to operate, models are priced
    Step("price", "post accelerator prices", Vendor.price, by="vendors", law="pricing.lerner_price below the break-even, posted_price"),
    Step("price", "ask prices", ask_prices, law="list price x (1 - cut): limit pricing (M9; Dixit 1980)"),
    Step("price", "set the share of own silicon", SiliconProgramme.price, by="silicon_programmes", law="logit of own against merchant cost (M13)"),
    Step("price", "choose how clouds operate", OperatorRegimes.price, by="operator_regimes", law="operator_regime.regime_shares: certainty equivalents of returns (M21)"),
    Step("price", "lend against hedged rent", FuturesMarket.price, by="futures", law="more is lent against rent that is hedged (M17)"),
    Step("price", "forecast and announce", Keynotes.price, by="keynotes", law="expectations.rule_shares (M28; Brock and Hommes 1997)"),
    Step("price", "cap closed-model markups", OpenModels.price, by="open_models", law="demand.closed_price_ceiling (M29)"),
    Step("price", "erode brand premiums", SoftwareBuyers.price, by="software_buyers", law="search: brands are worth less to who compares (M18)"),
    # demand: buyers form the use of tokens by kind of work and tier
    Step("demand", "buy tokens for startups", Startups.demand, by="startups", law="startups.next_revenue_usd: growth of firms with luck"),
    Step("demand", "choose enterprise procurement", Procurement.demand, by="procurement", law="procurement.option_shares: nested logit, yearly budgets (M23)"),
    Step("demand", "spread robots", Robots.demand, by="robots", law="demand.bass_step, physical_ai_load (M29)"),
    Step("demand", "grow classes of work", Workloads.demand, by="workloads", law="workloads.tier_preference, worth_while (M6, M8, M30)"),
    Step("demand", "set uptime and packing", FleetUse.demand, by="fleet_use", law="hardware.utilisation.availability, shared_load (M5)"),
    Step("demand", "let agents buy", SoftwareBuyers.demand, by="software_buyers", law="demand.bass_step; wallets bound by budgets (M18)"),
    Step("demand", "adopt and use", serving_market.grow_use, law="demand.bass_step (Bass 1969)"),
    # serve: fleets are put to work; the markets for hours and tokens clear
    Step("serve", "share paid use among labs", LabMarket.serve, by="lab_market", law="choice.weighted_logit_shares with habit"),
    Step("serve", "turn to open weights", OpenModels.serve, by="open_models", law="odds of open against closed (M29)"),
    Step("serve", "compare offers of labs", SoftwareBuyers.serve, by="software_buyers", law="search.search_shares (M18; Stigler 1961)"),
    Step("serve", "clear hours and tokens", serving_market.serve, law="rental.clear_hours, tiers.logit_menu_shares (M6, M17)"),
    # invest: operators plan capacity and order; futures and credits trade
    Step("invest", "wish for accelerators", Operator.invest, by="operators", law="investment.desired_stock, wanted_units: flexible accelerator"),
    Step("invest", "book who served tokens", LabMarket.invest, by="lab_market", law="paid tiers by share, the free tier by reach"),
    Step("invest", "earn and raise at labs", Lab.invest, by="labs", law="labs raise what is missing, as investors allow"),
    Step("invest", "move customers among clouds", ProviderChoice.invest, by="provider_choice", law="logit of offers; contracts end slowly (M8)"),
    Step("invest", "lose rivals' orders to the marketplace", Platform.invest, by="platform", law="platform.channel_orders (M15)"),
    Step("invest", "trade futures on hours", FuturesMarket.invest, by="futures", law="rental.forward_prices (Schwartz and Smith 2000), auction.hedged_share (M17)"),
    Step("invest", "trade compute credits", CreditMarket.invest, by="credit_market", law="auction.clear_double_auction, credits.defend_band (M16)"),
    Step("invest", "cut enterprises' own machines", Procurement.invest, by="procurement", law="share of own machines against 2026Q1 (M23)"),
    Step("invest", "choose units of compute", UnitStandards.invest, by="unit_standards", law="standards.adoption_shares, network_size (M20)"),
    Step("invest", "wait for better projects", CloudOptions.invest, by="cloud_options", law="options.investment_hurdle (M13)"),
    Step("invest", "count China's other sources", china_market.count_other_sources, law="what is rented or smuggled is not bought (M25)"),
    Step("invest", "place orders", orders.order, law="choice.weighted_logit_shares by cost per H100e; double orders"),
    Step("invest", "clear compute in China", china_market.clear, law="smuggling.clear_china (M25)"),
    # supply: suppliers make, vendors ration and deliver, sites are connected
    Step("supply", "cut parents into variants", ComplianceOffice.supply, by="compliance", law="policy: variants made of finished parents (M25)"),
    Step("supply", "expand packaging", PackagingFoundry.supply, by="packaging_foundry", law="supply.expansion_started"),
    Step("supply", "expand memory", MemoryMakers.supply, by="memory_makers", law="supply.expansion_started"),
    Step("supply", "grow Chinese wafers", ChineseFoundry.supply, by="chinese_foundry", law="learning, equipment, dies abroad, stacks of memory (M25)"),
    Step("supply", "share memory among makers", MemoryMarket.supply, by="memory", law="choice.weighted_logit_shares (M10)"),
    Step("supply", "make accelerators", accelerator_market.produce, law="rationing.ration: capacity by orders and value"),
    Step("supply", "connect power", accelerator_market.connect_power, law="sites are planned ahead and connected after a lag"),
    Step("supply", "deliver accelerators", accelerator_market.deliver, law="rationing.ration by order and priority; logistic retirement"),
    Step("supply", "receive smuggled accelerators", china_market.receive, law="smuggling: diverted through fronts, part is seized (M25)"),
    Step("supply", "write off what rules stop", ComplianceOffice.write_off, by="compliance", law="policy: rework, scrap, purchase commitments (M25)"),
    # settle: deliveries, rents, wages and debts are paid; who cannot pay is wound up
    Step("settle", "collect export charges", ExportControl.settle, by="export_control", law="policy: charge on licensed units, passed on in part (M25)"),
    Step("settle", "pay for write-offs", ComplianceOffice.settle, by="compliance", law="suppliers are paid for what is written off"),
    Step("settle", "book capital expenditure", Operator.settle, by="operators", law="investment.legacy_capex: AI crowds out other capex"),
    Step("settle", "count labs' power", LabMarket.settle, by="lab_market", law="power of the hours that labs use"),
    Step("settle", "settle labs' accounts", Lab.settle, by="labs", law="customers and investors pay labs, labs pay clouds and staff"),
    Step("settle", "fine and subsidise in China", ChinaRegulators.settle, by="china_regulators", law="policy: fines and subsidies (M25)"),
    Step("settle", "turn over startups", Startups.settle, by="startups", law="startups.raised_usd, leaves, enters"),
    Step("settle", "hear of clouds' contracts", Lenders.hear_of_contracts, by="lenders", law="news of customers won and lost, an autoregression (M24)"),
    Step("settle", "let clouds' hours", ProviderChoice.settle, by="provider_choice", law="hours follow customers; a venue moves spare ones (M8)"),
    Step("settle", "lend to clouds and wind up", Lenders.settle, by="lenders", law="vendor_finance.debt_cover, defaults, recovery_usd (M24)"),
    Step("settle", "fund labs", Investors.settle, by="investors", law="funding follows believed revenue and mood"),
    Step("settle", "book partnerships of clouds", OperatorRegimes.settle, by="operator_regimes", law="platform.partnership_cash_usd, allowed_backstop_usd (M21)"),
    Step("settle", "test the web of credit", CreditWeb.settle, by="credit_web", law="contagion.debt_rank (Battiston et al. 2012; M19, M26)"),
    Step("settle", "sell software and credits", Platform.settle, by="platform", law="credits.settle_credits, platform.trade_volume (M15, M16)"),
    Step("settle", "follow swings of revenue", RevenueMix.settle, by="revenue_mix", law="credits.next_variance (M15)"),
    Step("settle", "pay integrators", Integrators.settle, by="integrators", law="choice.weighted_logit_shares"),
    Step("settle", "pay software channels", SoftwareChannels.settle, by="software_channels", law="resale of tokens at a margin"),
    Step("settle", "pay for ports", LockIn.settle, by="lock_in", law="engineers' work of stacks that move (M12)"),
    Step("settle", "settle hedges", FuturesMarket.settle, by="futures", law="auction.settlement_usd (M17)"),
    Step("settle", "settle credit trades", CreditMarket.settle, by="credit_market", law="issuer's defence and fees (M16)"),
    Step("settle", "enter lines of business", VerticalOperators.settle, by="vertical_operators", law="vertical_entry.free_entry_number (M22; Salop 1979)"),
    Step("settle", "value the leader", Keynotes.settle, by="keynotes", law="expectations.valuation_multiple (M28)"),
    Step("settle", "pay for edge chips", Robots.settle, by="robots", law="sales, cost and payout of chips for robots (M29)"),
    Step("settle", "pay for deterring designs", EntryBarriers.settle, by="entry_barriers", law="design cost by quarter (M9)"),
    Step("settle", "pay for licences and purchases", Rivals.settle, by="rivals", law="options.licence_payment_usd (M13)"),
    Step("settle", "pay for own designs", SiliconGenerations.settle, by="silicon_generations", law="design cost by quarter (M13)"),
    Step("settle", "pay for moves of foundry", FoundryChoice.settle, by="foundry_choice", law="cost of porting a design (M10)"),
    Step("settle", "collect competition fines", CompetitionAuthority.settle, by="authorities", law="policy.antitrust.fine_usd (M26)"),
    Step("settle", "pay for accelerators", settlement.pay_for_accelerators, law="operators pay vendors and builders, vendors pay suppliers"),
    Step("settle", "pay smugglers and fronts", china_market.pay_smugglers, law="the premium goes to smugglers, who bear seizures (M25)"),
    Step("settle", "pay for running", settlement.pay_for_running, law="rents, power, interest, debt and owners; power is conserved"),
    Step("settle", "close the books", ComputeMarket.close_books, law="money is conserved"),
    # record: what the quarter leaves is kept
    Step("record", "keep the quarter", record_quarter, law="measures and units: computemarket variables"),
)
