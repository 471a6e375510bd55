"""`python -m payouts.simulator --port 12111 --data var/stripe.sqlite3 --balance usd=100000000`"""

import argparse
import signal
import threading

from payouts.simulator.server import Simulator
from payouts.simulator.store import Store
from payouts.simulator.webhooks import Deliverer


def main():
    """Serve until SIGTERM or Ctrl-C; balances and accounts stay in the data file."""
    options = _options()
    balances = dict(pair.lower().split("=", 1) for pair in options.balance)
    store = Store(options.data, balances, webhooks=bool(options.webhook_url))
    server = Simulator((options.host, options.port), store, options.api_key)
    if options.webhook_url:
        Deliverer(store, options.webhook_url, options.webhook_secret).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"Stripe simulator on {server.url}", flush=True)
    server.serve_forever()
    server.server_close()


def _options():
    parser = argparse.ArgumentParser(prog="python -m payouts.simulator")
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=12111, help="0 takes a free one")
    add("--data", required=True, help="SQLite file, made when missing")
    add("--api-key", default="sk_test_simulator")
    add("--webhook-url", default="", help="where events are sent")
    add("--webhook-secret", default="whsec_simulator")
    add("--balance", action="append", default=[], metavar="CURRENCY=MINOR", help="of a new file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
