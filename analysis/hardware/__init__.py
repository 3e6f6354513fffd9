"""The performance core against measured points: fits, tables, figures, other predictors."""
