"""Buyers: who uses compute, from enterprises and startups to software and robots."""
