"""Driving the portal as people do: in Chromium, with a mouse and a keyboard."""

import pytest

pytest.register_assert_rewrite("tests.browser.window")
