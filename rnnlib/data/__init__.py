"""Data: prices, and windows and splits of series."""
