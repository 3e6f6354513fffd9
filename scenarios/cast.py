"""Who acts in the market: every actor by name and type, made from a scenario's rules and the given world."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

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
from computemarket.agents.operators.operator import KINDS, Operator
from computemarket.agents.operators.operator_regimes import OperatorRegimes
from computemarket.agents.operators.programmes import SiliconGenerations
from computemarket.agents.operators.provider_choice import ProviderChoice
from computemarket.agents.operators.vertical_operators import VerticalOperators
from computemarket.agents.platform.channels import Integrators, SoftwareChannels
from computemarket.agents.platform.unit_standards import UnitStandards
from computemarket.agents.states.china_regulators import ChinaRegulators
from computemarket.agents.states.competition import CaseClock, CompetitionAuthority
from computemarket.agents.states.us_export_control import ExportControl
from computemarket.agents.suppliers.china_supply import ChineseFoundry
from computemarket.agents.suppliers.foundry_choice import FoundryChoice
from computemarket.agents.suppliers.memory import MemoryMarket
from computemarket.agents.suppliers.supplier import MemoryMakers, PackagingFoundry
from computemarket.agents.vendors.compliance import ComplianceOffice
from computemarket.agents.vendors.leader import LeadingVendor
from computemarket.agents.vendors.rivals import Rivals
from computemarket.agents.vendors.vendor import DesignPartner, Vendor
from computemarket.model.actor import Actor
from computemarket.model.market import ComputeMarket
from computemarket.model.policy.trade.design_plan import DesignPlan
from computemarket.model.policy.trade.market_access import Rules
from computemarket.model.schedule import Step, bind
from computemarket.model.world.roles import Roles

AUTHORITIES = (  # name, countries governed, parameter of its vigour
    ("us_antitrust", ("us",), "authorities.us_vigour"),
    ("eu_competition", ("eu_uk",), "authorities.eu_vigour"),
    ("china_market_regulator", ("china",), "authorities.china_vigour"),
)


@dataclass(frozen=True)
class Cast:
    """Every actor of a market; the order is that in which what they keep of a quarter is written down."""

    export_control: ExportControl
    compliance: ComplianceOffice
    vendors: tuple[Vendor, ...]
    operators: tuple[Operator, ...]
    silicon_programmes: tuple[SiliconProgramme, ...]
    lab_market: LabMarket
    labs: tuple[Lab, ...]
    packaging_foundry: PackagingFoundry
    memory_makers: MemoryMakers
    chinese_foundry: ChineseFoundry
    china_regulators: ChinaRegulators
    memory: MemoryMarket
    investors: Investors
    integrators: Integrators
    authorities: tuple[CompetitionAuthority, ...]
    startups: Startups
    lenders: Lenders
    software_channels: SoftwareChannels
    case_clock: CaseClock
    architecture: ArchitectureShocks
    futures: FuturesMarket
    procurement: Procurement
    unit_standards: UnitStandards
    vertical_operators: VerticalOperators
    robots: Robots
    workloads: Workloads
    fleet_use: FleetUse
    first_adopters: FirstAdopters
    open_models: OpenModels
    software_buyers: SoftwareBuyers
    rivals: Rivals
    silicon_generations: SiliconGenerations
    foundry_choice: FoundryChoice
    cloud_options: CloudOptions
    provider_choice: ProviderChoice
    operator_regimes: OperatorRegimes
    credit_web: CreditWeb

    @property
    def leader(self) -> LeadingVendor:
        """The vendor that leads the market, one of the vendors."""
        return next(one for one in self.vendors if isinstance(one, LeadingVendor))

    def everybody(self) -> Iterator[Actor]:
        """Yield all actors, in the order of the cast; the parts of the leader come after the vendors."""
        for one in fields(self):
            found = getattr(self, one.name)
            yield from found if isinstance(found, tuple) else (found,)
            if one.name == "vendors":
                yield from self.leader.parts()


class StagedMarket(ComputeMarket):
    """A market with its actors."""

    cast: Cast

    def stage(self, cast: Cast, schedule: Sequence[Step]) -> None:
        """Give the actors their parts: the schedule is walked once a quarter."""
        self.cast = cast
        self.walk = bind(schedule, self, cast)


def cast_of(market: ComputeMarket, rules: Rules, plan: DesignPlan) -> Cast:
    """Return the actors of a market, each with what it starts from written into the state."""
    world, labs = market.world, market.labs
    control = ExportControl(market, "us_export_control", rules, plan.designs)
    vendors = tuple(_kind_of_vendor(name, world.roles)(market, name) for name in world.vendors.ids)
    named = zip(world.operators.ids, world.operators.kind, strict=True)
    operators = tuple(KINDS[kind](market, name) for name, kind in named)
    owners = sorted({name for name in world.operators.own_silicon if name})
    programmes = tuple(SiliconProgramme(market, owner) for owner in owners)
    startups, integrators = Startups(market), Integrators(market)
    authorities = tuple(CompetitionAuthority(market, *terms) for terms in AUTHORITIES)
    return Cast(
        export_control=control,
        compliance=ComplianceOffice(market, "compliance", world.leader, control),
        vendors=vendors,
        operators=operators,
        silicon_programmes=programmes,
        lab_market=LabMarket(market),
        labs=tuple(Lab(market, name) for name in labs.ids),
        packaging_foundry=PackagingFoundry(market, world.roles.one("packaging_foundry")),
        memory_makers=MemoryMakers(market, "memory_makers"),
        chinese_foundry=ChineseFoundry(market, world.roles.one("chinese_foundry"), rules),
        china_regulators=ChinaRegulators(market, "china_regulators"),
        memory=MemoryMarket(market),
        startups=startups,
        lenders=Lenders(market),
        investors=Investors(market),
        provider_choice=ProviderChoice(market),
        operator_regimes=OperatorRegimes(market),
        credit_web=CreditWeb(market),
        integrators=integrators,
        software_channels=SoftwareChannels(market, integrators),
        architecture=ArchitectureShocks(market),
        futures=FuturesMarket(market),
        procurement=Procurement(market),
        unit_standards=UnitStandards(market),
        vertical_operators=VerticalOperators(market),
        robots=Robots(market, rules),
        workloads=Workloads(market),
        fleet_use=FleetUse(market),
        first_adopters=FirstAdopters(market),
        open_models=OpenModels(market),
        software_buyers=SoftwareBuyers(market, startups),
        rivals=Rivals(market),
        silicon_generations=SiliconGenerations(market, programmes),
        foundry_choice=FoundryChoice(market),
        cloud_options=CloudOptions(market),
        case_clock=CaseClock(market, authorities),
        authorities=authorities,
    )


def _kind_of_vendor(name: str, roles: Roles) -> type[Vendor]:
    """Return the class of a vendor by the part it plays."""
    if name == roles.one("leader"):
        return LeadingVendor
    return DesignPartner if name in roles.all("design_partner") else Vendor
