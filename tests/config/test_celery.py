"""A message reaches a real worker through the broker that is configured: a folder, or RabbitMQ."""

import os
import secrets
import signal
import subprocess
import sys
import time

import pytest
from amqp.exceptions import PreconditionFailed
from django.conf import settings
from django.core.cache import cache
from kombu import Queue

from config.celery import app

SECONDS = 40


@pytest.fixture
def queue():
    name = f"test-{secrets.token_hex(4)}"
    yield name
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(name)


@pytest.fixture
def worker(transactional_db, database_environment, queue):
    """A worker of its own with two processes, started as in a deployment."""
    command = [sys.executable, "-m", "celery", "-q", "--app=config.celery", "worker"]
    command += [f"--queues={queue}", "--include=tests.config.roundtrip", "--concurrency=2"]
    command += ["--without-gossip", "--without-mingle", "--loglevel=ERROR"]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=dict(os.environ) | database_environment
    ) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def value_of(key: str):
    deadline = time.monotonic() + SECONDS
    while (value := cache.get(key)) is None:
        assert time.monotonic() < deadline, f"no worker finished {key} in {SECONDS} seconds"
        time.sleep(0.1)
    return value


@pytest.mark.slow
def test_a_message_is_worked_on_in_another_process(worker, queue):
    for number in range(5):
        app.send_task("tests.remember", [f"key-{number}"], queue=queue)
    found = {value_of(f"key-{number}") for number in range(5)}
    assert os.getpid() not in found
    assert worker.pid not in found


@pytest.mark.services
def test_a_task_whose_process_is_killed_is_done_by_another(worker, queue):
    app.send_task("tests.die_once", ["killed"], queue=queue)
    assert value_of("killed") == "finished"


@pytest.mark.services
def test_the_queue_is_a_quorum_queue(worker, queue):
    app.send_task("tests.remember", ["declared"], queue=queue)
    value_of("declared")
    with app.connection_for_write() as connection:
        classic = Queue(queue, queue_arguments={"x-queue-type": "classic"})
        with pytest.raises(PreconditionFailed, match="quorum"):
            classic.bind(connection.channel()).queue_declare()
