"""Two administrators who deactivate each other at the same moment: one of them stays."""

import threading

import pytest
from django.db import connection

from agencies import actors
from agencies.models import User
from agencies.scope import scope
from agencies.services import people
from config import errors
from tests import world

ROUNDS = 3


@pytest.fixture
def two(transactional_db):
    bank = world.make_bank()
    with scope(bank.actor("administrator")):
        other = User(
            email="second@bank.example",
            name="Second",
            role="administrator",
            institution=bank.institution,
        )
        other.set_password(world.PASSWORD)
        other.save()
    return bank, bank.users["administrator"], other


def deactivate(start, by, user, outcomes):
    try:
        with scope(actors.for_user(by)) as actor:
            start.wait()
            people.deactivate(actor=actor, user_id=user.pk, reason="It is me or you")
        outcomes.append("done")
    except errors.DomainError as error:
        outcomes.append(error.code)
    finally:
        connection.close()


def test_one_administrator_stays(two):
    bank, first, second = two
    for _ in range(ROUNDS):
        start, outcomes = threading.Barrier(2), []
        threads = [
            threading.Thread(target=deactivate, args=(start, by, user, outcomes))
            for by, user in ((first, second), (second, first))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert sorted(outcomes) == ["LAST_ADMINISTRATOR", "done"]
        with scope(bank.actor("auditor")):
            left = User.objects.filter(role="administrator", is_active=True)
            assert left.count() == 1
            User.objects.filter(pk__in=[first.pk, second.pk]).update(is_active=True)
