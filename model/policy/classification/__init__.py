"""Classification of chips and memory stacks under the regimes of a day."""
