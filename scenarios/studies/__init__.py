"""Studies: which cases, points and runs are asked, and the unit of work they are computed in."""
