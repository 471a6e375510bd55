"""A window of Chromium in which nothing may go wrong unnoticed."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Playwright, expect

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
SECONDS = 20
REDRAWN_SECONDS = 5
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
HAS_VISIBLE_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" || style.boxShadow !== "none";
}"""
TABS_MOST = 40
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
REFUSED = re.compile(r"status of 422 ")


def launch(playwright: Playwright, chromium_path: str) -> Browser:
    """Chromium that can reach this machine and nothing else."""
    arguments = [
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    expect.set_options(timeout=SECONDS * 1000)
    return playwright.chromium.launch(executable_path=chromium_path, args=arguments)


class Window:
    """One person's window. Each page that it comes to is looked at, and has to be sound."""

    def __init__(self, browser: Browser, url: str):
        self.host = urlsplit(url).netloc
        self.problems: list[str] = []
        self._expects_refusal = False
        self.context = browser.new_context(
            base_url=url, viewport=DESK, reduced_motion="reduce", color_scheme="light"
        )
        self.context.set_default_timeout(SECONDS * 1000)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda failure: self.problems.append(str(failure.error)))
        self.context.on("request", self._watch)
        self.page = self.context.new_page()
        self.main = self.page.locator("main")

    def _hear(self, message) -> None:
        if message.type in ("error", "warning"):
            if self._expects_refusal and REFUSED.search(message.text):
                return
            self.problems.append(f"{self.page.url}: {message.text} {message.location}")

    def _watch(self, request) -> None:
        if urlsplit(request.url).netloc not in ("", self.host):
            self.problems.append(f"{self.page.url} asks {request.url}")

    # --- going somewhere

    def log_in(self, email: str, password: str) -> "Window":
        self.open("/accounts/login/")
        self.fill({"Email": email, "Password": password})
        self.press("Log in")
        assert urlsplit(self.page.url).path == "/", self.main.inner_text()
        return self

    def open(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        self.look()

    def menu(self, name: str) -> None:
        """Follow an entry of the navigation."""
        link = self.page.locator(".sidebar").get_by_role("link", name=name, exact=True)
        self._go(link)

    def follow(self, name: str | re.Pattern, *, within: str = "main") -> None:
        """Follow a link by its words."""
        self._go(self.page.locator(within).get_by_role("link", name=name).first)

    def press(self, name: str, *, within: str = "main") -> None:
        """Press the one button that is called so; it leads to a page."""
        self._go(self.page.locator(within).get_by_role("button", name=name, exact=True))

    def _go(self, where: Locator) -> None:
        with self.page.expect_navigation():
            where.click()
        self.look()

    @contextlib.contextmanager
    def refusal(self) -> Iterator[None]:
        """What is sent in here is refused: 422, which Chromium notes in its console."""
        self._expects_refusal = True
        yield
        self._expects_refusal = False
        expect(self.main.locator("[data-error-summary]")).to_be_focused()

    # --- being there

    def fill(self, values: dict[str, str | bool], *, within: str = "main") -> None:
        """Fill in fields by the beginning of their labels; True ticks."""
        for label, value in values.items():
            words = re.compile(rf"^\s*{re.escape(label)}")
            field = self.page.locator(within).get_by_label(words)
            if value is True:
                field.check()
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)

    def says(self, *sentences: str | re.Pattern) -> "Window":
        for sentence in sentences:
            expect(self.main).to_contain_text(sentence)
        return self

    def hides(self, *sentences: str) -> "Window":
        for sentence in sentences:
            expect(self.main).not_to_contain_text(sentence)
        return self

    def look(self) -> None:
        """Nothing was wrong until now, and at the width of a phone nothing sticks out."""
        self.page.wait_for_load_state()
        self.page.set_viewport_size(PHONE)
        deadline = time.monotonic() + REDRAWN_SECONDS
        while not self.page.evaluate(FITS):
            assert time.monotonic() < deadline, f"{self.page.url} is wider than a phone"
            # Charts are drawn anew for the width a moment later.
            self.page.wait_for_timeout(50)
        self.page.set_viewport_size(DESK)
        assert not self.problems, self.problems

    def tab_to(self, words: str = "") -> None:
        """Press the tabulator until a link or button of these words has the focus, or a field."""
        focused = self.page.locator(":focus")
        for _ in range(TABS_MOST):
            self.page.keyboard.press("Tab")
            assert self.page.evaluate(HAS_VISIBLE_FOCUS), focused.evaluate("e => e.outerHTML")
            if words and focused.inner_text().strip() == words:
                return
            if not words and focused.evaluate("e => e.matches('input:not([type=checkbox])')"):
                return
        raise AssertionError(
            f"{self.page.url}: the tabulator does not come to {words or 'a field'}"
        )

    def close(self) -> None:
        self.context.close()
        assert not self.problems, self.problems

    def check_access(self) -> None:
        """Whoever reads with other means can: WCAG 2.2 A and AA, in light and dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
            found = Axe().run(self.page, options=options).response["violations"]
            told = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
            assert not told, f"{self.page.url}, {scheme}: {told}"
        self.page.emulate_media(color_scheme="light")
