"""What is learnt: measures, figures and comparisons with the record."""
