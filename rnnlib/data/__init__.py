"""Data: prices, weather, traffic, a novel, synthetic tasks; windows, splits and datasets."""
