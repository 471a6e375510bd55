"""GraphQL over real HTTP: for an agency's own system with a token, for a person with a session."""

import requests

from tests.journey.browser import Browser

SECONDS = 60


class Bearer(requests.auth.AuthBase):
    """A token in the header of each request."""

    def __init__(self, token: str):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def machine(url: str, client_id: str, secret: str) -> "Api":
    """The API as an agency's machine client sees it, which has just asked for a token."""
    answer = requests.post(
        f"{url}/identity/o/api/token",
        {"grant_type": "client_credentials"},
        auth=(client_id, secret),
        timeout=SECONDS,
    )
    assert answer.status_code == 200, answer.text
    session = requests.Session()
    session.auth = Bearer(answer.json()["access_token"])
    return Api(url, session)


def person(browser: Browser) -> "Api":
    """The API as whoever has logged in sees it."""
    browser.session.headers["X-CSRFToken"] = browser.session.cookies["csrftoken"]
    return Api(browser.url, browser.session)


class Api:
    """`/graphql` in one session."""

    def __init__(self, url: str, session: requests.Session):
        self.url, self.session = url, session

    def post(self, document: str, **variables) -> requests.Response:
        """One request to the API, whatever comes of it."""
        body = {"query": document, "variables": variables}
        return self.session.post(f"{self.url}/graphql", json=body, timeout=SECONDS)

    def ask(self, document: str, **variables) -> dict:
        """The data of a document; an error of the request is a failure."""
        answer = self.post(document, **variables)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]

    def do(self, mutation: str, wanted: str, **given) -> dict:
        """The payload of a mutation: the fields of `wanted`, and `errors`."""
        name = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation($input: {name}Input!) {{ {mutation}(input: $input) "
            f"{{ {wanted} errors {{ code message field row }} }} }}"
        )
        return self.ask(document, input=given)[mutation]

    def refused(self, mutation: str, wanted: str, **given) -> str:
        """The one code with which a mutation is refused."""
        payload = self.do(mutation, wanted, **given)
        (error,) = payload["errors"]
        return error["code"]

    def rows(self, connection: str, wanted: str, filters: str = "") -> list[dict]:
        """Every row of a list, page by page."""
        document = (
            f"query($after: String) {{ {connection}(first: 100, after: $after {filters}) {{"
            " totalCount pageInfo { hasNextPage endCursor }"
            f" edges {{ node {{ {wanted} }} }} }} }}"
        )
        found, after = [], None
        while True:
            page = self.ask(document, after=after)[connection]
            found += [edge["node"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                assert len(found) == page["totalCount"]
                return found
