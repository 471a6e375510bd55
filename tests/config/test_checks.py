"""The application's database role: what it may not be, and what it may not do."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.utils import ProgrammingError

from tests import databases


def test_default_is_the_application_and_owns_nothing(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_user, (select count(*) from pg_class"
            " where relowner = (select oid from pg_roles where rolname = current_user))"
        )
        assert cursor.fetchone() == ("fairplace_app", 0)


def test_the_application_can_neither_make_nor_own_a_table(db):
    with connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute("create table mine (id int)")


def test_a_temporary_table_never_stands_in_front_of_a_real_one(db):
    with connection.cursor() as cursor:
        cursor.execute("create temporary table agencies_user on commit drop as select 1 as mine")
        cursor.execute("select count(*) from agencies_user")
        assert cursor.fetchone() == (0,)
        cursor.execute("select mine from pg_temp.agencies_user")
        assert cursor.fetchone() == (1,)


def test_the_application_waits_for_nothing_for_ever(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('statement_timeout'), current_setting('lock_timeout'),"
            " current_setting('idle_in_transaction_session_timeout')"
        )
        assert cursor.fetchone() == ("30s", "5s", "1min")


def test_a_role_that_owns_tables_is_refused(transactional_db, clone):
    default = connections["default"]
    default.close()
    owner = databases.keywords("owner", clone.name)
    present = default.settings_dict
    default.settings_dict = present | {"USER": owner["user"], "PASSWORD": owner["password"]}
    try:
        with pytest.raises(ImproperlyConfigured, match="owns tables"):
            default.ensure_connection()
        assert default.connection is None
    finally:
        default.settings_dict = present


def test_migrations_run_as_owner_only(transactional_db):
    with pytest.raises(CommandError, match="--database=owner"):
        call_command("migrate", database="default", verbosity=0)


def test_the_clone_is_made_anew_after_a_commit(transactional_db, owner):
    owner.execute("create table left_behind (id int)")


def test_nothing_of_the_former_test_is_left(db):
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('left_behind')")
        assert cursor.fetchone() == (None,)


def test_the_clock_stands_where_it_is_set(db, clock):
    before = clock.now()
    later = clock.advance(days=30)
    assert later - before >= timedelta(days=30)
    with connection.cursor() as cursor:
        cursor.execute("select fairplace_now()")
        assert cursor.fetchone() == (later,)
    clock.release()
    assert clock.now() - before < timedelta(days=1)
