"""Which database role does what: the owner migrates, and the application refuses to be powerful.

Row-level security holds for a role that owns nothing and cannot become one that does. Every new
connection of the application is asked about that once, before its first query. Imported by the
entry points: `manage.py`, `config.wsgi`, `config.celery` and the tests.
"""

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import receiver

OWNER_ALIAS = "owner"

# Whatever the role is a member of, it can become.
POWERS = """
    select coalesce(bool_or(role.rolsuper), false),
           coalesce(bool_or(role.rolbypassrls), false),
           coalesce(bool_or(role.rolcreaterole), false),
           coalesce(bool_or(exists (
               select from pg_class
               where relowner = role.oid and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
                   and relpersistence <> 't'
           )), false)
    from pg_roles as role
    where pg_has_role(current_user, role.oid, 'member')
"""
WORDS = ("is a superuser", "bypasses row-level security", "makes roles", "owns tables")


class OwnerMigrates:
    """Database router: plain queries go to the application's connection, migrations to the owner's.

    Both lead to one database, so objects of the two may be related.
    """

    def db_for_read(self, model, **hints):
        return DEFAULT_DB_ALIAS

    def db_for_write(self, model, **hints):
        return DEFAULT_DB_ALIAS

    def allow_relation(self, obj1, obj2, **hints):
        return True

    def allow_migrate(self, db, app_label, **hints):
        return db == OWNER_ALIAS


def powers(connection) -> list[str]:
    """What the connection's role is or can do that the application's must not, in words."""
    with connection.cursor() as cursor:
        cursor.execute(POWERS)
        found = cursor.fetchone()
    return [word for word, is_so in zip(WORDS, found, strict=True) if is_so]


def refusal(found: list[str]) -> str:
    return (
        f"The application's database role {' and '.join(found)}, so row-level security would not "
        "hold: let DATABASE_URL name the role fairplace_app of config/roles.sql."
    )


@receiver(connection_created, dispatch_uid="refuse-powerful-role")
def refuse_powerful_role(sender, connection, **kwargs):
    """Close a connection of the application's whose role could see past row-level security."""
    if connection.alias != DEFAULT_DB_ALIAS:
        return
    found = powers(connection)
    if found:
        connection.close()
        raise ImproperlyConfigured(refusal(found))


@receiver(pre_migrate, dispatch_uid="refuse-to-migrate-as-application")
def refuse_to_migrate_as_application(sender, using, **kwargs):
    if using == DEFAULT_DB_ALIAS:
        raise CommandError("Migrate as the owner: manage.py migrate --database=owner")


@receiver(post_migrate, dispatch_uid="make-cache-table")
def make_cache_table(sender, using, **kwargs):
    """The table of settings.CACHES, which no model stands for; once per run of `migrate`."""
    if sender.name == "django.contrib.sessions":
        call_command("createcachetable", database=using, verbosity=0)


@checks.register(checks.Tags.database)
def application_role(app_configs, databases, **kwargs):
    """`manage.py check --database default` says what a start would refuse."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    try:
        connections[DEFAULT_DB_ALIAS].ensure_connection()
    except ImproperlyConfigured as error:
        return [checks.Critical(str(error), id="fairplace.E001")]
    return []


def start() -> None:
    """Before a web or worker process serves anybody: connect once, and be refused if need be."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    connection.close()
