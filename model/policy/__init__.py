"""Rules of states as data: regimes, classification, licences."""
