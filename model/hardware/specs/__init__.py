"""What chips and models are: peak rates, formats, kinds, ages of software."""
