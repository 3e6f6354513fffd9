"""The rows of the shipped tables: which columns they have and what follows from them."""

from dataclasses import dataclass
from typing import ClassVar

from computemarket.model.catalogue.schema import (
    choice,
    date,
    key,
    month,
    number,
    period,
    text,
    whole,
    yes_no,
)

H100_DENSE_8BIT_TFLOPS = 1979.0  # H100 SXM data sheet, dense FP8
H100_TPP = 15832.0  # 1,979 x 8 bits
_CONFIDENCE = ("high", "medium", "low")


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """A chip: dense peak rates by format, memory, links, price and launch; None is unknown."""

    id: str = key()
    vendor: str = text(required=True)
    vendor_id: str = key()
    name: str = text(required=True)
    family: str = text(required=True)
    kind: str = choice("gpu", "asic", "lpu", "wafer")
    designer_type: str = choice("merchant", "hyperscaler_captive", "challenger", "china_domestic")
    launch_date: str | None = month()
    status: str = choice("shipping", "discontinued", "announced", "projected")
    data_center_use: bool = yes_no()
    process_node: str | None = text()
    foundry: str | None = text()
    die_area_mm2: float | None = number(1, 1e5)
    fp32_tflops: float | None = number(0, 1e7)
    tf32_tflops: float | None = number(0, 1e7)
    fp16_tflops: float | None = number(0, 1e7)
    fp8_tflops: float | None = number(0, 1e7)
    int8_tops: float | None = number(0, 1e7)
    fp6_tflops: float | None = number(0, 1e7)
    fp4_tflops: float | None = number(0, 1e7)
    int4_tops: float | None = number(0, 1e7)
    memory_type: str | None = text()
    memory_gb: float | None = number(0, 1e6)
    memory_bw_gbs: float | None = number(0, 1e8)
    sram_mb: float | None = number(0, 1e6)
    sram_bw_gbs: float | None = number(0, 1e9)
    tdp_w: float | None = number(1, 1e6)
    scaleup_bw_gbs: float | None = number(0, 1e7)
    scaleup_domain: int | None = whole(1, 10**6)
    scaleout_gbps: float | None = number(0, 1e6)
    pcie_bw_gbs: float | None = number(0, 1e5)
    transistors_bn: float | None = number(0, 1e6)
    list_or_asp_usd: float | None = number(0, 1e9)
    asp_note: str | None = text()
    tpp: float | None = number(0, 1e8)
    perf_density: float | None = number(0, 1e5)
    source: str = text(required=True)
    confidence: str = choice(*_CONFIDENCE)
    notes: str | None = text()

    BITS: ClassVar[dict[str, int]] = {
        "fp32_tflops": 32,
        "tf32_tflops": 19,
        "fp16_tflops": 16,
        "fp8_tflops": 8,
        "int8_tops": 8,
        "fp6_tflops": 6,
        "fp4_tflops": 4,
        "int4_tops": 4,
    }

    @property
    def launch_quarter(self) -> str | None:
        """Return the calendar quarter of launch, as ``2024Q1``."""
        if self.launch_date is None:
            return None
        year, month_number = self.launch_date.split("-")
        return f"{year}Q{(int(month_number) + 2) // 3}"

    @property
    def launch_years(self) -> float | None:
        """Return the launch month in years, 2024-07 as 2024.5."""
        if self.launch_date is None:
            return None
        year, month_number = self.launch_date.split("-")
        return int(year) + (int(month_number) - 1) / 12

    @property
    def tpp_from_rates(self) -> float | None:
        """Return the largest product of dense rate and bit length over the formats (88 FR 73458)."""
        rates = ((getattr(self, name), bits) for name, bits in self.BITS.items())
        return max((rate * bits for rate, bits in rates if rate is not None), default=None)

    @property
    def dense_8bit_tflops(self) -> float | None:
        """Return the peak dense rate for 8-bit work; without an 8-bit format that of 16 bits."""
        eight = [rate for rate in (self.fp8_tflops, self.int8_tops) if rate is not None]
        return max(eight) if eight else self.fp16_tflops

    @property
    def h100e(self) -> float | None:
        """Return H100-equivalents by peak dense 8-bit rate."""
        rate = self.dense_8bit_tflops
        return None if rate is None else rate / H100_DENSE_8BIT_TFLOPS

    @property
    def h100e_tpp(self) -> float | None:
        """Return H100-equivalents by total processing performance."""
        return None if self.tpp is None else self.tpp / H100_TPP


@dataclass(frozen=True, kw_only=True)
class System:
    """A server, rack or pod: its accelerators, power and price."""

    id: str = key()
    vendor: str = text(required=True)
    accelerator_id: str = text(required=True)
    n_accelerators: int | None = whole(1, 10**6)
    system_power_kw: float | None = number(0, 1e6)
    system_price_usd: float | None = number(0, 1e10)
    launch_date: str | None = month()
    scaleup_domain: int | None = whole(1, 10**6)
    notes: str | None = text()
    source: str = text(required=True)

    @property
    def accelerator_ids(self) -> tuple[str, ...]:
        """Return the ids of the accelerators in it (a hybrid rack holds two kinds)."""
        return tuple(self.accelerator_id.split(";"))


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """The architecture of a language model, as far as serving it needs."""

    id: str = key()
    name: str = text(required=True)
    total_params_bn: float | None = number(0, 1e6)
    active_params_bn: float | None = number(0, 1e6)
    n_layers: int | None = whole(1, 10**4)
    d_model: int | None = whole(1, 10**6)
    n_heads: int | None = whole(1, 10**4)
    n_kv_heads: int | None = whole(1, 10**4)
    head_dim: int | None = whole(1, 10**4)
    d_ff: int | None = whole(1, 10**7)
    n_experts: int | None = whole(0, 10**5)
    experts_per_token: int | None = whole(0, 10**4)
    vocab: int | None = whole(1, 10**8)
    attention: str = choice("mha", "gqa", "mla", "hybrid")
    kv_bytes_per_token_fp16: float | None = number(0, 1e9)
    max_context: int | None = whole(1, 10**9)
    release: str | None = month()
    source: str = text(required=True)
    notes: str | None = text()


@dataclass(frozen=True, kw_only=True)
class PerfChip:
    """A chip that occurs in measured points and is no product of the simulated market."""

    id: str = key()
    name: str = text(required=True)
    memory_gb: float | None = number(0, 1e6)
    memory_bw_gbs: float | None = number(0, 1e8)
    fp16_tflops: float | None = number(0, 1e7)
    fp8_tflops: float | None = number(0, 1e7)
    int8_tops: float | None = number(0, 1e7)
    fp4_tflops: float | None = number(0, 1e7)
    tdp_w: float | None = number(1, 1e6)
    scaleup_bw_gbs: float | None = number(0, 1e7)
    source: str = text(required=True)
    notes: str | None = text()


@dataclass(frozen=True, kw_only=True)
class SpecEstimate:
    """A guess at one blank cell, with the basis it rests on."""

    REPEATS_IDS: ClassVar[bool] = True

    id: str = text(required=True)
    field: str = text(required=True)
    value: float = number(0, 1e9, required=True)
    basis: str = text(required=True)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A recorded figure of the market; ``value`` is text where the unit is text, date or the like."""

    fact: str = text(required=True)
    value: str = text(required=True)
    unit: str = text(required=True)
    date: str | None = date()
    source: str = text(required=True)
    confidence: str = choice(*_CONFIDENCE)

    @property
    def id(self) -> str:
        """Return the short name before the colon."""
        return self.fact.partition(":")[0].strip()

    @property
    def meaning(self) -> str:
        """Return the sentence after the colon."""
        return self.fact.partition(":")[2].strip()

    @property
    def number(self) -> float | None:
        """Return the value as a number where it is one."""
        try:
            return float(self.value)
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """One recorded value of a series; ``period`` is a calendar year or quarter."""

    series: str = text(required=True)
    entity: str = text(required=True)
    period: str = period(required=True)
    value: float = number(-1e40, 1e40, required=True)
    unit: str = text(required=True)
    source: str = text(required=True)
    confidence: str = choice(*_CONFIDENCE)
    note: str | None = text()

    @property
    def quarter(self) -> str | None:
        """Return the quarter as ``2024Q1``, None for a yearly value."""
        return self.period.replace("-", "") if "Q" in self.period else None
