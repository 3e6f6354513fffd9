"""Commands that classify chips and compare policies."""
