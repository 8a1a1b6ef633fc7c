"""The command data."""

from typing import Annotated

import typer

from rnnlib.commands.options import End, Start


def data_command(
    symbol: Annotated[str | None, typer.Argument(help="Stock symbol, such as MSFT.")] = None,
    start: Start = None,
    end: End = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch anew, whatever the cache holds.")] = False,
):
    """Fetch a stock's prices from Yahoo Finance.

    They are kept in a cache, from which train takes them with --source yahoo; the environment
    variable RNNLIB_CACHE names another folder for it. Without a symbol: show which data are at
    hand.
    """
    from importlib.resources import files

    from rnnlib.commands.tables import show_cache, show_prices
    from rnnlib.data import prices, yahoo

    if symbol is not None:
        show_prices(prices.load(symbol, start, end, source="yahoo", refresh=refresh, columns=["close"]))
        return
    print(
        f"Embedded: AAPL (2000 to 2013), weather, traffic, text. See {files('rnnlib.data') / 'SOURCES.md'}."
    )
    contents = yahoo.cached()
    print(f"The cache, {yahoo.cache_folder()}, holds {len(contents)} symbols.")
    if len(contents):
        show_cache(contents)
