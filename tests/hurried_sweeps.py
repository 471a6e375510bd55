"""The deployment's own Celery application and sweeps; only, each runs every second or two.

For `celery --app=tests.hurried_sweeps worker --beat`, with the queue's name in the environment.
"""

import os

from config.celery import app, beat_schedule

SECONDS = 1.5
QUEUE = os.environ["FAIRPLACE_TEST_QUEUE"]

app.conf.task_default_queue = QUEUE
app.conf.beat_schedule = {
    name: entry | {"schedule": SECONDS, "options": {"expires": SECONDS, "queue": QUEUE}}
    for name, entry in beat_schedule().items()
}
