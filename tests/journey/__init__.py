"""What the journey is made of: a browser, a machine, the steps, and figures of its own."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"tests.journey.{name}"
        for name in (
            "browser",
            "api",
            "story",
            "people",
            "market",
            "work",
            "receipts",
            "conduct",
            "money",
        )
    )
)
