"""What the main job shows: the market-share figure and the headline numbers."""
