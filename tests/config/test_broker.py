"""Messages as files: whole or not there, each taken once, the oldest first.

Every test has a queue name of its own: kombu remembers per process which queues it declared.
"""

import threading

import pytest
from kombu import Connection

from config import broker


@pytest.fixture
def connection(tmp_path):
    options = broker.prepare(tmp_path / "broker")
    with Connection(f"{broker.SCHEME}://localhost", transport_options=options) as made:
        yield made


def test_the_oldest_comes_first_and_each_once(connection):
    queue = connection.SimpleBuffer("work")
    for number in range(20):
        queue.put(number)
    assert [queue.get(block=False).payload for _ in range(20)] == list(range(20))
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_queues_do_not_mix(connection):
    one, other = connection.SimpleBuffer("one"), connection.SimpleBuffer("another.one")
    other.put("for the other")
    with pytest.raises(one.Empty):
        one.get(block=False)
    assert other.get(block=False).payload == "for the other"


def test_readers_beside_a_writer_lose_and_break_nothing(tmp_path):
    options = broker.prepare(tmp_path / "broker")
    taken: list[int] = []
    writing = threading.Event()

    def read() -> None:
        with Connection(f"{broker.SCHEME}://localhost", transport_options=options) as mine:
            queue = mine.SimpleBuffer("shared")
            while True:
                finished = writing.is_set()
                try:
                    taken.append(queue.get(block=False).payload["number"])
                except queue.Empty:
                    if finished:
                        return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    with Connection(f"{broker.SCHEME}://localhost", transport_options=options) as mine:
        queue = mine.SimpleBuffer("shared")
        for number in range(300):
            queue.put({"number": number, "weight": "x" * 2_000})
    writing.set()
    for reader in readers:
        reader.join()
    assert sorted(taken) == list(range(300))
    assert list((tmp_path / "broker").glob("*/*.msg")) == []


def test_clear_forgets_every_message(connection, tmp_path):
    connection.SimpleBuffer("forgotten").put("old")
    broker.clear(tmp_path / "broker")
    queue = connection.SimpleBuffer("forgotten")
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_queues_bound_at_one_moment_are_all_bound(connection, tmp_path):
    """Workers that start together: none takes another's queue off the table."""
    folder = tmp_path / "broker"
    options = broker.prepare(folder)
    together = threading.Barrier(4)
    exchanges = [f"exchange{number}" for number in range(50)]

    def bind(queue: str) -> None:
        with Connection(f"{broker.SCHEME}://localhost", transport_options=options) as mine:
            channel = mine.channel()
            for exchange in exchanges:
                together.wait(timeout=20)
                channel._queue_bind(exchange, "key", "", queue)

    queues = [f"queue{number}" for number in range(4)]
    workers = [threading.Thread(target=bind, args=[queue]) for queue in queues]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    channel = connection.channel()
    for exchange in exchanges:
        assert sorted(row.queue for row in channel.get_table(exchange)) == queues
    channel._delete("queue1", "exchange0", "key", "")
    assert "queue1" not in [row.queue for row in channel.get_table("exchange0")]
    assert "queue1" in [row.queue for row in channel.get_table("exchange1")]
