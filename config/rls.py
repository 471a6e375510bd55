"""Building blocks for migrations: row-level security, append-only tables, composite keys.

Every table with an institution, an agency or a placement in it is *protected*: row-level
security is enabled and forced, the owner role passes (it migrates and runs the functions that
decide), and the application passes only where the signed context says so.
"""

from django.db import migrations

APPLICATION_ROLE = "fairplace_app"

# Names of the conditions used by policies; the functions are made in agencies/migrations.
# The sub-selects let PostgreSQL evaluate a function once per statement, not once per row.
OWN_INSTITUTION = "institution_id = (select actor_institution())"
OWN_AGENCY = "agency_id = (select actor_agency())"
LIVE_PLACEMENT = "placement_id = any ((select live_placements())::uuid[])"
OWN_LIVE_PLACEMENT = f"({OWN_AGENCY} and {LIVE_PLACEMENT})"


def kind(*names: str) -> str:
    """The condition that the actor is of one of these kinds."""
    listed = ", ".join(f"'{name}'" for name in names)
    return f"(select actor_kind()) in ({listed})"


def protect(
    table: str,
    *,
    read: str,
    insert: str | None = None,
    update: str | tuple[str, str] | None = None,
    delete: str | None = None,
) -> migrations.RunSQL:
    """Row-level security for `table`; each argument is a condition on its rows.

    `update` may be a pair: the condition on the row before and the one on the row after.
    Without `insert`, `update` or `delete` the application cannot do that at all: the privilege
    is revoked, so an append-only table is one with `read` and `insert` alone.
    """
    forward = [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy owner on {table} to current_user using (true) with check (true)",
        f"create policy reads on {table} for select to {APPLICATION_ROLE} using ({read})",
        f"revoke truncate, references, trigger on {table} from {APPLICATION_ROLE}",
    ]
    if insert:
        forward.append(
            f"create policy inserts on {table} for insert to {APPLICATION_ROLE} "
            f"with check ({insert})"
        )
    else:
        forward.append(f"revoke insert on {table} from {APPLICATION_ROLE}")
    if update:
        before, after = (update, update) if isinstance(update, str) else update
        forward.append(
            f"create policy updates on {table} for update to {APPLICATION_ROLE} "
            f"using ({before}) with check ({after})"
        )
    else:
        forward.append(f"revoke update on {table} from {APPLICATION_ROLE}")
    if delete:
        forward.append(
            f"create policy deletes on {table} for delete to {APPLICATION_ROLE} using ({delete})"
        )
    else:
        forward.append(f"revoke delete on {table} from {APPLICATION_ROLE}")
    return migrations.RunSQL(forward, migrations.RunSQL.noop)


def same_row(table: str, column: str, target: str, *shared: str) -> migrations.RunSQL:
    """A composite foreign key: `table` agrees with the `target` row it points at on `shared`.

    A child that copies its parent's agency or placement cannot then claim another one.
    """
    name = f"{table}_{column}_agrees"
    columns = ", ".join((f"{column}_id", *shared))
    targets = ", ".join(("id", *shared))
    return migrations.RunSQL(
        f"alter table {table} add constraint {name} foreign key ({columns}) "
        f"references {target} ({targets})",
        f"alter table {table} drop constraint {name}",
    )


def identity(table: str, *shared: str) -> migrations.RunSQL:
    """The unique key on `id` and `shared` that `same_row` needs on the table pointed at."""
    columns = ", ".join(("id", *shared))
    return migrations.RunSQL(
        f"alter table {table} add constraint {table}_identity unique ({columns})",
        f"alter table {table} drop constraint {table}_identity",
    )
