"""`python -m computemarket` is the command line."""

from computemarket.cli import main

main()
