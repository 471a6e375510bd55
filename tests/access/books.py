"""What the database holds, as one sum per table: to see that nothing has changed."""

import functools

import psycopg
from psycopg import sql

from tests import databases

CHANGES_BY_ITSELF = {
    "agencies_denial": "every refusal is logged",
    "django_session": "sessions know when they were last used",
    "cache_entry": "counters of attempts",
}


class Books:
    """The sums of a test's database, read by its owner; with `about` of rows that name it."""

    def __init__(self, database: str, about: object = "") -> None:
        self._about = str(about)
        where = databases.keywords("owner", database)
        self._owner = psycopg.connect(**where, autocommit=True)
        self._known = self._sums()
        self._is_asked = False

    def close(self) -> None:
        self._owner.close()

    @functools.cached_property
    def _query(self) -> sql.Composed:
        tables = self._owner.execute(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        )
        sums = [
            sql.SQL(
                "select {name}, count(*), sum(hashtextextended(t::text, 0))"
                " from {table} as t where {about}"
            ).format(
                name=sql.Literal(table),
                table=sql.Identifier(table),
                about=sql.SQL("strpos(t::text, %(about)s) > 0" if self._about else "true"),
            )
            for (table,) in tables
            if table not in CHANGES_BY_ITSELF
        ]
        return sql.SQL(" union all ").join(sums)

    def _sums(self) -> dict[str, tuple]:
        """(rows, sum of their hashes) by table."""
        given = {"about": self._about} if self._about else None
        rows = self._owner.execute(self._query, given, prepare=True)
        return {table: (count, digest) for table, count, digest in rows.fetchall()}

    def changed(self) -> list[str]:
        """The tables that are not as they were when last asked; prints the end of the trail."""
        before, self._known = self._known, self._sums()
        self._is_asked = True
        tables = [name for name, found in self._known.items() if before[name] != found]
        if tables:
            last = self._owner.execute(
                "select actor_label, action from agencies_auditentry order by id desc limit 5"
            )
            print(tables, last.fetchall())
        return tables

    def catch_up(self) -> None:
        """Take what there is now for known, unless somebody has asked just now."""
        if not self._is_asked:
            self._known = self._sums()
        self._is_asked = False
