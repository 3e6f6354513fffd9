"""Results for other programs: IAMC and tidy tables, codelists, files."""
