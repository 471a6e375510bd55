"""Checks the signature of a deletion certificate; needs no database."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portfolios import certificates


class Command(BaseCommand):
    help = "Says whether a deletion certificate is as the portal signed it; exit status 1 if not."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key",
            help="64 hexadecimal digits; without it, the one that belongs to this portal's own key",
        )

    def handle(self, *args, file: Path, public_key: str | None, **options) -> None:
        try:
            key = bytes.fromhex(public_key) if public_key else None
            own = key or certificates.public_key(settings.CERTIFICATE_KEY)
            document = certificates.verify(file.read_text(encoding="utf-8"), own)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CommandError("This is not a deletion certificate.") from error
        except ValueError as error:
            raise CommandError("The public key is 64 hexadecimal digits.") from error
        except certificates.Invalid as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Valid: {document['agency']['name']} attested on {document['attested_at'][:10]} that"
            f" {document['row_count']} exported rows of “{document['placement']['title']}”"
            f" are destroyed."
        )
