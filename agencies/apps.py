"""Start-up of the lowest chapter, and what every migration run needs before and after."""

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

BLOCK_BYTES = 64


def give_application_its_rights(using: str, **kwargs) -> None:
    """Let the application's role use the tables that the owner is about to make."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "alter default privileges in schema public"
            " grant select, insert, update, delete on tables to fairplace_app"
        )
        cursor.execute(
            "alter default privileges in schema public grant usage on sequences to fairplace_app"
        )


def install_context_key(using: str, **kwargs) -> None:
    """Give the database the key by which it recognises the context that the application signs."""
    key = settings.CONTEXT_KEY.ljust(BLOCK_BYTES, b"\0")
    inner = bytes(byte ^ 0x36 for byte in key)
    outer = bytes(byte ^ 0x5C for byte in key)
    with connections[using].cursor() as cursor:
        cursor.execute("select to_regclass('context_key')")
        if cursor.fetchone()[0] is None:
            return
        cursor.execute(
            "insert into context_key (inner_pad, outer_pad) values (%s, %s)"
            " on conflict (only_row) do update"
            " set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad",
            [inner, outer],
        )


class AgenciesConfig(AppConfig):
    name = "agencies"
    verbose_name = "Agencies"

    def ready(self):
        pre_migrate.connect(give_application_its_rights, sender=self)
        post_migrate.connect(install_context_key, sender=self)
