"""Data: prices, weather, traffic, a novel, synthetic tasks; windows, splits, datasets. May import tools."""
