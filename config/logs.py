"""How log lines look: one per event, in UTC, without the data of the people in the database."""

import logging
import re
import time

# PostgreSQL repeats the offending row: "DETAIL:  Key (email)=(ann@example.org) already exists."
ROW_DATA = re.compile(
    r"^(DETAIL|CONTEXT|HINT):.*?(?=^(?:The above exception|During handling)|\Z)",
    re.MULTILINE | re.DOTALL,
)


class Formatter(logging.Formatter):
    """Time, level, logger and message; what an exception tells of a row's content is left out."""

    converter = time.gmtime

    def __init__(self):
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatException(self, ei):
        return ROW_DATA.sub(r"\1: (left out)\n", super().formatException(ei))

    def formatMessage(self, record):
        # A line break in a user's input would otherwise forge a log line.
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
