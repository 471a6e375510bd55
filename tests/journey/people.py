"""Step 1: a bank and its people, agencies that register and apply, and the bank's decisions."""

import html
import io
import re

from django.core.management import call_command

from tests.journey import api
from tests.journey.story import House, Journey

LICENCE = b"%PDF-1.7\nlicence to collect\n%%EOF\n"
INSURANCE = b"%PDF-1.7\nindemnity insurance\n%%EOF\n"
DOCUMENT = r"/panel/documents/[0-9a-f-]+/"
ROLES = (
    "vendor_manager",
    "compliance_officer",
    "finance_preparer",
    "finance_approver",
    "auditor",
)


def found_the_bank(journey: Journey) -> None:
    """The command makes the bank and its administrator, who invites everybody else."""
    said = io.StringIO()
    call_command(
        "create_institution",
        name="First Bank",
        slug="first-bank",
        time_zone="America/New_York",
        admin_email="administrator@bank.example",
        admin_name="Ada Minister",
        stdout=said,
    )
    administrator = journey.join("administrator@bank.example", said.getvalue().strip())
    journey.bank["administrator"] = administrator
    for role in ROLES:
        email = f"{role}@bank.example"
        invited = administrator.fill_in(
            "/people/invite/",
            {"name": role.replace("_", " ").title(), "email": email, "role": role},
        )
        invited.says("has been invited", email)
        journey.bank[role] = journey.join(email)
    journey.bank["vendor_manager"].open("/people/", status=403)


def register(journey: Journey, name: str) -> None:
    """An agency enters itself on the public page; its administrator comes by mail."""
    email = f"office@{name.split()[0].lower()}.example"
    sent = journey.stranger().fill_in(
        "/register/",
        {
            "name": name,
            "country": "US",
            "administrator_name": f"Head of {name}",
            "contact_email": email,
        },
    )
    assert sent.url == f"{journey.url}/register/sent/"
    journey.houses[name.split()[0]] = House(name, email, journey.join(email))


def apply(journey: Journey, house: House) -> None:
    """It applies to the bank, with documents."""
    page = house.browser.open("/institutions/").says("First Bank", "not applied yet")
    applied = house.browser.fill_in(
        page.link(r"/institutions/[0-9a-f-]+/apply/"),
        {
            "licence_number": f"NY-{house.name[:3].upper()}-1",
            "jurisdictions": "us, US-NY",
            "capacity_loans": 5000,
        },
        files=[
            ("documents", ("licence.pdf", LICENCE, "application/pdf")),
            ("documents", ("insurance.pdf", INSURANCE, "application/pdf")),
        ],
    )
    applied.says("First Bank has your application.", "licence.pdf", "insurance.pdf")
    house.membership = applied.key


def vet(journey: Journey, house: House, decision: str, reason: str) -> None:
    """A compliance officer reads the documents and decides; nobody else can."""
    address = f"/panel/{house.membership}/"
    officer = journey.bank["compliance_officer"]
    page = officer.open(address).says(house.name)
    if decision in ("approve", "reject"):
        documents = [link for link in page.links if re.fullmatch(DOCUMENT, link)]
        contents = {officer.open(link).answer.content for link in documents}
        assert contents == {LICENCE, INSURANCE}
    manager = journey.bank["vendor_manager"].open(address)
    assert not any(form.action.endswith(f"/{decision}/") for form in manager.forms)
    officer.send(page, {"reason": " "}, action=f"/{decision}/", status=422)
    officer.send(page, {"reason": reason}, action=f"/{decision}/").says(reason)
    house.browser.open(address).says(reason)


def connect(house: House) -> None:
    """The agency's administrator makes credentials for its own system, which asks for a token."""
    made = house.browser.fill_in("/clients/new/", {"name": "Dialler"})
    shown = re.findall(r"<samp[^>]*>([^<]+)</samp>", made.html)
    client_id, secret = map(html.unescape, shown)
    house.api = api.machine(house.browser.url, client_id, secret)
    viewer = house.api.ask("{ viewer { name role agency { name } institution { name } } }")
    assert viewer["viewer"] == {
        "name": "Dialler",
        "role": "machine_client",
        "agency": {"name": house.name},
        "institution": None,
    }
