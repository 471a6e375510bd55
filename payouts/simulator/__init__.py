"""A small Stripe on a real socket, for development, the demonstration and tests.

It speaks only what Fairplace uses and refuses the rest, as Stripe does, so that a wrong call fails
here first. Production code never imports it. Run it with `python -m payouts.simulator`.
"""
