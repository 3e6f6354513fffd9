"""Parts that all chapters of a report use: figures, number texts, accounts, assumptions."""
