"""Who takes part: a bank with one person per role, and eight agencies of different skill."""

import dataclasses
import datetime

from agencies import actors
from agencies.models import Agency, Institution, User
from agencies.models.users import INSTITUTION_ROLES, Role
from agencies.scope import scope
from agencies.services import agencies, clients, institutions, invitations, panel, people
from config import ids
from payouts.services import accounts

PASSWORD = "harbour lights at dawn"  # noqa: S105 - printed for whoever tries the demonstration
DOMAIN = "harbor.example"
PEOPLE = {
    Role.ADMINISTRATOR: "Ada Whitfield",
    Role.VENDOR_MANAGER: "Victor Osei",
    Role.COMPLIANCE_OFFICER: "Carmen Liang",
    Role.FINANCE_PREPARER: "Felix Brandt",
    Role.FINANCE_APPROVER: "Priya Raman",
    Role.AUDITOR: "Aoife Doyle",
}


@dataclasses.dataclass(frozen=True)
class Character:
    """What an agency is like: `skill` scales how many borrowers pay, `care` how it treats them."""

    name: str
    slug: str
    skill: float
    care: float
    rate_ppm: int


CHARACTERS = (
    Character("Northgate Recovery", "northgate", 1.45, 0.95, 235_000),
    Character("Blue Heron Partners", "blueheron", 1.30, 0.99, 260_000),
    Character("Meridian Collections", "meridian", 1.15, 0.97, 215_000),
    Character("Fairhaven Receivables", "fairhaven", 1.05, 0.99, 225_000),
    Character("Summit & Vale", "summitvale", 0.95, 0.96, 205_000),
    Character("Ironbridge Services", "ironbridge", 0.90, 0.70, 170_000),
    Character("Lakeshore Credit Care", "lakeshore", 0.75, 0.98, 195_000),
    Character("Pinecrest Associates", "pinecrest", 0.60, 0.93, 180_000),
)


@dataclasses.dataclass
class Player:
    """An agency of the demonstration and whoever acts for it."""

    character: Character
    agency: Agency
    administrator: User
    collector: User
    membership_id: object = None

    @property
    def actor(self) -> actors.Actor:
        return actors.for_user(self.collector)

    @property
    def head(self) -> actors.Actor:
        return actors.for_user(self.administrator)


@dataclasses.dataclass
class Cast:
    """Everybody: `cast.bank(Role.AUDITOR)` is the actor that the bank's auditor is."""

    institution: Institution
    users: dict[str, User]
    players: list[Player]
    credentials: clients.Credentials | None = None

    def bank(self, role: str) -> actors.Actor:
        return actors.for_user(self.users[role])

    def logins(self) -> list[tuple[str, str]]:
        """`(role, e-mail)` of one person per role, the bank's first."""
        found = [(str(role.label), self.users[role].email) for role in INSTITUTION_ROLES]
        first = self.players[0]
        for user in (first.administrator, first.collector):
            found.append((str(Role(user.role).label), user.email))
        return found


def gather() -> Cast:
    """Make the bank, its people, and the eight agencies with theirs."""
    founder = actors.founder_of_institution(ids.uuid7())
    with scope(founder):
        first = institutions.create(
            actor=founder,
            name="Harbor National Bank",
            slug="harbor",
            time_zone="America/New_York",
            administrator_email=f"{Role.ADMINISTRATOR.value}@{DOMAIN}",
            administrator_name=PEOPLE[Role.ADMINISTRATOR],
        )
        institution = Institution.objects.get(pk=founder.institution_id)
    users = {Role.ADMINISTRATOR: _settle_in(first.link)}
    for role, name in PEOPLE.items():
        if role not in users:
            with scope(actors.for_user(users[Role.ADMINISTRATOR])) as actor:
                invited = people.invite(
                    actor=actor,
                    email=f"{role.value.replace('_', '.')}@{DOMAIN}",
                    name=name,
                    role=role.value,
                )
            users[role] = _settle_in(invited.link)
    cast = Cast(institution, users, [_enter(character) for character in CHARACTERS])
    with scope(cast.players[0].head) as actor:
        cast.credentials = clients.create(actor=actor, name="Dialler")
    return cast


def _settle_in(link: str) -> User:
    """Somebody follows their invitation and chooses the demonstration's password."""
    secret = link.rstrip("/").rsplit("/", 1)[-1]
    with scope(actors.LOGIN) as actor:
        return invitations.accept(actor=actor, secret=secret, password=PASSWORD)


def _enter(character: Character) -> Player:
    founder = actors.founder_of_agency(ids.uuid7())
    domain = f"{character.slug}.example"
    with scope(founder):
        agencies.register(
            actor=founder,
            name=character.name,
            country="US",
            contact_email=f"admin@{domain}",
            administrator_name=f"Head of {character.name}",
        )
        agency = Agency.objects.get(pk=founder.agency_id)
        link = invitations.issue(User.objects.get(agency=agency))
    administrator = _settle_in(link)
    with scope(actors.for_user(administrator)) as actor:
        invited = people.invite(
            actor=actor,
            email=f"collector@{domain}",
            name=f"Desk of {character.name}",
            role=Role.COLLECTOR.value,
        )
    return Player(character, agency, administrator, _settle_in(invited.link))


def join_panel(cast: Cast, at) -> None:
    """Every agency applies, is vetted and gets a payout account; `at(days=…)` lets time pass."""
    for player in cast.players:
        with scope(player.head) as actor:
            membership = panel.apply(
                actor=actor,
                institution_id=cast.institution.pk,
                licence_number=f"NMLS-{1_000_000 + 7 * len(player.character.name)}",
                jurisdictions=["US"],
                capacity_loans=6_000,
                documents=[
                    (
                        "licence.pdf",
                        "application/pdf",
                        one_page(f"Licence of {player.character.name}"),
                    )
                ],
            )
        player.membership_id = membership.pk
    at(datetime.timedelta(days=1))
    for player in cast.players:
        with scope(cast.bank(Role.COMPLIANCE_OFFICER)) as actor:
            panel.approve(
                actor=actor,
                membership_id=player.membership_id,
                reason="Licence, insurance and complaint procedure checked.",
            )
        with scope(cast.bank(Role.FINANCE_PREPARER)) as actor:
            accounts.request(actor=actor, membership_id=player.membership_id)
    accounts.open_requested(cast.institution.pk)


def one_page(title: str) -> bytes:
    """A PDF of one page that says what this would be."""
    text = f"BT /F1 18 Tf 60 760 Td ({title}: made up for the demonstration) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    body += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{body.rfind('endobj') + 7}\n%%EOF\n"
    )
    return body.encode()
