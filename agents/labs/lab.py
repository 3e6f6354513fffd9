"""Labs: who makes models, sells tokens, raises money and rents compute."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.calendar import HOURS_PER_QUARTER
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.choice import weighted_logit_shares


class LabMarket(Actor):
    """The contest of labs for paid use in both token markets; keeps each lab's pull on users."""

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "lab_market")
        labs = market.labs
        market.state.lab_quality[:] = np.log(labs.attraction)
        self.noise = market.streams.quarterly_normal("labs.quality", len(labs.ids))

    def serve(self) -> None:
        """Let quality follow training and luck; users follow quality slowly."""
        state, labs, now = self.state, self.market.labs, self.quarter
        entered = (labs.entry <= now).astype(np.float64)
        trained = np.log1p(state.lab_compute_hours_h100e)
        lead = trained - (trained * entered).sum(axis=1, keepdims=True) / max(entered.sum(), 1.0)
        gain = self.value("labs.quality_per_compute")[:, None] * lead * entered
        luck = self.value("labs.quality_noise_sd")[:, None] * self.noise[:, now]
        state.lab_quality += (labs.drift + gain + luck) * entered
        for m in range(state.token_revenue_usd.shape[1]):
            here = entered * (labs.token_market == m)
            target = weighted_logit_shares(state.lab_quality, np.broadcast_to(here, state.lab_quality.shape))
            habit = self.value("labs.habit")[:, None] * (state.lab_share.sum(axis=1, keepdims=True) > 0)
            mine = labs.token_market == m
            old = state.lab_share * mine
            known = old.sum(axis=1, keepdims=True) > 0
            share = np.where(known, habit * old + (1 - habit) * target, target) * mine
            state.lab_share[:] = np.where(mine, share, state.lab_share)
        state.lab_paid_share[:] = state.lab_share

    def invest(self) -> None:
        """Book who served which tokens: paid tiers by the share of paid use, the free tier by reach."""
        state, labs = self.state, self.market.labs
        speed = self.value("labs.free_speed")[:, None]
        reach = labs.free_reach / (1 + np.exp(-speed * (self.quarter - labs.free_middle)))
        for m in range(state.token_revenue_usd.shape[1]):
            here = labs.token_market == m
            free = reach * here / (reach * here).sum(axis=1, keepdims=True)
            shares = np.where(here, state.lab_paid_share, 0.0)
            paid = shares[:, :, None] * state.tokens[:, m, None, 1:]
            served = np.concatenate([(free * state.tokens[:, m, :1])[:, :, None], paid], axis=2)
            state.lab_tokens[:] = np.where(here[:, None], served, state.lab_tokens)

    def settle(self) -> None:
        """Count the power that the hours of each lab draw."""
        hours_kw = self.market.mean_kw_per_h100e() / HOURS_PER_QUARTER
        self.state.lab_power_mw[:] = self.state.lab_compute_hours_h100e * hours_kw[:, None] / 1000


class Lab(Actor):
    """One lab: revenue by its share, compute by its needs, funding by its prospects."""

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, f"{name}_lab")
        self.slot = market.labs.ids.index(name)
        self.place = int(market.labs.token_market[self.slot])
        self.entry = int(market.labs.entry[self.slot])

    def invest(self) -> None:
        """Earn the share of tokens sold, rent hours for serving and training, raise what is missing."""
        state, lab, m = self.state, self.slot, self.place
        share = state.lab_paid_share[:, lab]
        state.lab_revenue_usd[:, lab] = share * state.token_revenue_usd[:, m]
        serving = share * state.token_hours_h100e[:, m].sum(axis=1)
        training = share * self.value("labs.training_share_of_market") * state.training_hours_h100e[:, m]
        state.lab_compute_hours_h100e[:, lab] = serving + training
        rent = state.contract_rent_usd_per_h100e_hour[:, m]
        state.lab_training_usd[:, lab] = training * rent
        state.lab_compute_usd[:, lab] = (serving + training) * rent
        payroll = self.value("labs.payroll_per_compute") * state.lab_compute_usd[:, lab]
        short = np.maximum(state.lab_compute_usd[:, lab] + payroll - state.lab_revenue_usd[:, lab], 0.0)
        runway = self.value("labs.runway_quarters")
        cash = self.market.ledger.cash_usd[:, self.market.ledger.place[self.name]]
        wanted = np.maximum(short * (1 + runway) - np.maximum(cash, 0.0), 0.0)
        state.lab_funding_usd[:, lab] = wanted * state.funding_ratio
        surplus = np.maximum(state.lab_revenue_usd[:, lab] - state.lab_compute_usd[:, lab] - payroll, 0.0)
        share = self.value("capex.lab_own_sites_share")
        state.lab_site_money_usd[:, lab] = share * (state.lab_funding_usd[:, lab] + surplus)

    def settle(self) -> None:
        """Collect from customers and investors, pay payroll; compute is paid to the clouds in the rental market."""
        state, lab, ledger = self.state, self.slot, self.market.ledger
        ledger.pay("customers", self.name, state.lab_revenue_usd[:, lab], "tokens")
        ledger.pay("investors", self.name, state.lab_funding_usd[:, lab], "lab funding")
        ledger.pay(self.name, "clouds", state.lab_compute_usd[:, lab], "compute rented by labs")
        payroll = self.value("labs.payroll_per_compute") * state.lab_compute_usd[:, lab]
        ledger.pay(self.name, "public", payroll, "lab payroll")
