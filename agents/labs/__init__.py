"""Labs: who makes models, open and closed, and of which architecture."""
