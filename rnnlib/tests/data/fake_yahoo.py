"""A local server that plays Yahoo Finance: nothing here needs the internet.

Run as a script it is what ``yahoo.COMMAND`` runs, with every address changed to the server's.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd

NOW = pd.Timestamp("2026-11-22 15:00", tz="UTC")  # a Sunday


def chart(days="2026-11-16", *, symbol="AAPL", currency="USD", timezone="America/New_York", **columns):
    """Yahoo's answer for weekdays from one day to Friday 2026-11-20, or for the days given.

    Closes are 100, 101, ...; adj_close is half of each, so that all prices are halved.
    """
    days = pd.bdate_range(days, "2026-11-20") if isinstance(days, str) else pd.DatetimeIndex(days)
    n = len(days)
    opening = (days + pd.Timedelta(hours=9.5)).tz_localize(timezone).as_unit("s")
    close = [100.0 + i for i in range(n)]
    quote = {
        "open": [price - 0.5 for price in close],
        "high": [price + 2 for price in close],
        "low": [price - 3 for price in close],
        "close": close,
        "volume": [1000 + i for i in range(n)],
    }
    adjclose = {"adjclose": [price / 2 for price in close]}
    for name, values in columns.items():
        (adjclose if name == "adjclose" else quote)[name] = values
    meta = {"symbol": symbol, "currency": currency, "exchangeTimezoneName": timezone, "dataGranularity": "1d"}
    result = {
        "meta": meta,
        "timestamp": opening.astype("int64").tolist(),
        "indicators": {"quote": [quote], "adjclose": [adjclose]},
    }
    return {"chart": {"result": [result], "error": None}}


def failure(code, description):
    return {"chart": {"result": None, "error": {"code": code, "description": description}}}


class FakeYahoo(ThreadingHTTPServer):
    """``answer(path)`` gives status and body, or drives the connection itself; ``paths``: all requests."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.paths, self.closing = answer, [], threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __exit__(self, *error):
        self.closing.set()
        self.shutdown()
        super().__exit__(*error)

    def handle_error(self, request, client_address):
        """A client that was ended leaves broken connections."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        answer = self.server.answer
        if "/finance/chart/" not in self.path and not getattr(answer, "cookies", False):
            answer = (200, "crumb")
        if callable(answer):
            return answer(self)
        status, body = answer
        self.reply(status, body if isinstance(body, str) else json.dumps(body))

    def reply(self, status, text, length=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """No lines on stderr."""


def hang(handler):
    handler.server.closing.wait(600)


def drip(handler):
    """A byte each tenth of a second, for ever."""
    handler.reply(200, " ", length=10**6)
    while not handler.server.closing.wait(0.1):
        handler.wfile.write(b" ")


def cut(handler):
    """Half of an answer, and the connection ends."""
    handler.reply(200, json.dumps(chart()), length=10**6)


def cookies_hang(handler):
    """Prices, but no answer to whoever asks for a cookie first."""
    if "/finance/chart/" in handler.path:
        handler.reply(200, json.dumps(chart()))
    else:
        hang(handler)


cookies_hang.cookies = True


if __name__ == "__main__":
    from yfinance.data import YfData

    from rnnlib.data import yahoo

    base, symbol, folder, limit, server = sys.argv[1:]
    Session = type(YfData()._session)
    request = Session.request

    def redirected(session, method, url, **options):
        return request(session, method, url.replace("https:/", base), **options)

    Session.request = redirected
    yahoo._ask(symbol, folder, float(limit), server)
