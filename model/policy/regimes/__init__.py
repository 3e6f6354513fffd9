"""Export regimes as data: metrics, conditions, files, and how regimes compose."""
