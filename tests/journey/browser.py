"""A person at the portal, over real HTTP: reads pages, fills in the forms that are on them.

What is not on the page cannot be sent: a field that no form has, or a choice that no list offers,
fails. No JavaScript runs, so everything here works without it.
"""

import dataclasses
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

UNSEEN = {"script", "style", "template"}
SECONDS = 60


@dataclasses.dataclass
class Form:
    """A form of a page: `values` is what it sends if nobody changes anything."""

    action: str
    method: str
    values: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    choices: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    names: set[str] = dataclasses.field(default_factory=set)


class _Reader(HTMLParser):
    """Text, links, labels and forms of a page."""

    def __init__(self):
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.labels: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.options: dict[str, str] = {}
        self._form: Form | None = None
        self._unseen = 0
        self._label = self._select = self._textarea = ""
        self._is_first_option = False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self._unseen += tag in UNSEEN
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "label":
            self._label = given.get("for") or ""
        elif tag == "form":
            self._form = Form(given.get("action") or "", (given.get("method") or "get").lower())
            self.forms.append(self._form)
        elif self._form:
            self._control(tag, given)

    def _control(self, tag, given):
        name = given.get("name") or ""
        if tag == "option" and self._select:
            self._option(given)
        if not name or "disabled" in given:
            return
        self.ids[given.get("id") or ""] = name
        if tag in ("input", "textarea", "select"):
            self._form.names.add(name)
        if tag == "input":
            self._input(given.get("type") or "text", name, given)
        elif tag == "textarea":
            self._textarea = name
            self._form.values[name] = [""]
        elif tag == "select":
            self._select, self._is_first_option = name, True
            self._form.choices[name] = []

    def _input(self, kind, name, given):
        value = given.get("value") or ""
        if kind in ("radio", "checkbox"):
            value = given.get("value", "on")
            self.options[given.get("id") or ""] = value
            self._form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                self._form.values.setdefault(name, []).append(value)
        elif kind not in ("submit", "button", "file"):
            self._form.values[name] = [value]

    def _option(self, given):
        value = given.get("value") or ""
        self._form.choices[self._select].append(value)
        if "selected" in given or self._is_first_option:
            self._form.values[self._select] = [value]
        self._is_first_option = False

    def handle_endtag(self, tag):
        self._unseen -= tag in UNSEEN
        if tag == "form":
            self._form = None
        elif tag == "label":
            self._label = ""
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data):
        if self._textarea:
            # The parser of HTML drops a line break that follows the tag.
            self._form.values[self._textarea][0] += data.removeprefix("\n")
        elif not self._unseen:
            self.words.append(data)
            if self._label:
                self.labels[self._label] = f"{self.labels.get(self._label, '')}{data}".strip()


def _labelled(labels: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    return {label: found[name] for name, label in labels.items() if name in found}


class Page:
    """What came back: `status`, `url`, `html`, and as people see it `text`."""

    def __init__(self, answer: requests.Response):
        self.answer, self.status, self.url = answer, answer.status_code, answer.url
        self.html = answer.text
        reader = _Reader()
        reader.feed(self.html)
        self.text = " ".join(" ".join(reader.words).split())
        self.forms, self.links = reader.forms, reader.links
        self._fields = _labelled(reader.labels, reader.ids)
        self._options = _labelled(reader.labels, reader.options)

    def says(self, *sentences: str) -> "Page":
        for sentence in sentences:
            assert sentence in self.text, f"{self.url} does not say {sentence!r}: {self.text}"
        return self

    def hides(self, *sentences: str) -> "Page":
        for sentence in sentences:
            assert sentence not in self.text, f"{self.url} says {sentence!r}: {self.text}"
        return self

    def field(self, beginning: str) -> str | None:
        """The name of the field whose label begins so, if there is one."""
        found = [name for label, name in self._fields.items() if label.startswith(beginning)]
        assert len(found) < 2, found
        return found[0] if found else None

    def choice(self, beginning: str) -> str:
        """What the one button or box sends whose label begins so."""
        (value,) = (value for label, value in self._options.items() if label.startswith(beginning))
        return value

    def link(self, pattern: str) -> str:
        """The one address among the links that matches a pattern as a whole."""
        found = {link for link in self.links if re.fullmatch(pattern, link)}
        assert len(found) == 1, f"{self.url}: {pattern} matches {found} of {self.links}"
        return found.pop()

    @property
    def key(self) -> str:
        """The last identifier in the page's address."""
        return re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", self.url)[-1]

    def form(self, names: set[str], action: str) -> Form:
        """The one form that has these fields and whose address ends so."""
        found = [
            form
            for form in self.forms
            if form.method == "post"
            and names <= form.names
            and urljoin(self.url, form.action).endswith(action)
        ]
        assert len(found) == 1, f"{self.url}: {len(found)} forms with {names} to {action!r}"
        return found[0]


class Browser:
    """One person's browser, with its cookies."""

    def __init__(self, url: str):
        self.url = url
        self.session = requests.Session()

    def open(self, path: str, status: int = 200) -> Page:
        page = Page(self.session.get(urljoin(self.url, path), timeout=SECONDS))
        assert page.status == status, f"{page.url}: {page.status}, {page.text}"
        return page

    def send(
        self, page: Page, values=None, *, action: str = "", files=None, status: int = 200
    ) -> Page:
        """Fill in a form of a page and send it; a list stands for several boxes ticked.

        `files` is a list of `(field, (name, content, type))`. Redirections are followed.
        """
        values, files = values or {}, files or []
        form = page.form(set(values) | {field for field, _file in files}, action)
        sent = form.values | {
            name: value if isinstance(value, list) else [str(value)]
            for name, value in values.items()
        }
        for name, choices in form.choices.items():
            assert set(sent.get(name, [])) <= set(choices), f"{name}: {choices} lack {sent[name]}"
        target = urljoin(page.url, form.action or page.url)
        answer = self.session.post(
            target,
            data=sent,
            files=files or None,
            headers={"Referer": page.url},
            timeout=SECONDS,
        )
        result = Page(answer)
        assert result.status == status, f"{target}: {result.status}, {result.text}"
        return result

    def fill_in(self, path: str, values=None, **how) -> Page:
        """Open a page and send its form."""
        return self.send(self.open(path), values, **how)

    def log_in(self, email: str, password: str) -> "Browser":
        home = self.fill_in("/accounts/login/", {"login": email, "password": password})
        assert home.url == f"{self.url}/", home.text
        return self
