"""The embedded PostgreSQL: made, started, killed and found again, touching nobody else's things."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from config.postgres import cluster, place, processes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")


@pytest.fixture
def var_dir():
    """A folder that every user may enter, as a project's usually is."""
    top = Path(tempfile.mkdtemp(prefix="fairplace-test-"))
    top.chmod(0o755)
    yield top / "var"
    remove(top / "var")
    shutil.rmtree(top)


def remove(var_dir: Path) -> None:
    cluster.stop(var_dir)
    if (var_dir / place.NOTE_NAME).exists():
        shutil.rmtree(place.home(var_dir).parent)
    shutil.rmtree(place.socket_folder(var_dir), ignore_errors=True)


def connect(var_dir: Path, role: str = cluster.OWNER, **changes) -> psycopg.Connection:
    return psycopg.connect(**cluster.address(var_dir, role) | changes, autocommit=True)


def data_of(var_dir: Path) -> Path:
    return place.home(var_dir) / "data"


def test_roles_passwords_and_settings(var_dir):
    cluster.start(var_dir)
    with connect(var_dir, cluster.APPLICATION) as application:
        shown = application.execute(
            "select current_user, current_setting('listen_addresses'),"
            " current_setting('fsync'), current_setting('data_checksums'),"
            " (select datcollate from pg_database where datname = current_database())"
        ).fetchone()
        assert shown == ("fairplace_app", "", "on", "on", "C.UTF-8")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("create table mine (id int)")
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(var_dir, cluster.OWNER, password=password)
    roles = "select rolname, rolcreatedb, rolsuper, rolbypassrls, rolcreaterole from pg_roles"
    with connect(var_dir) as owner:
        found = owner.execute(f"{roles} where rolname like 'fairplace%' order by 1").fetchall()
    assert found == [
        ("fairplace_app", False, False, False, False),
        ("fairplace_owner", True, False, False, False),
    ]
    secrets = var_dir / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o600}


def test_data_survives_kill_9_and_a_second_start(var_dir):
    server = cluster.start(var_dir)
    with connect(var_dir) as owner:
        owner.execute("create table kept (id int)")
        owner.execute("insert into kept values (7)")
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert (data_of(var_dir) / "postmaster.pid").exists()

    again = cluster.start(var_dir)
    with connect(var_dir) as owner:
        assert owner.execute("select id from kept").fetchall() == [(7,)]
    # A start finds the former server alive, whose supervisor was killed, and takes over.
    third = cluster.start(var_dir)
    assert again.wait() == 0
    with connect(var_dir) as owner:
        assert owner.execute("select id from kept").fetchall() == [(7,)]
    cluster.stop(var_dir)
    assert third.wait() == 0
    assert processes.of_folder(data_of(var_dir)) == []


def test_a_process_id_that_is_somebody_else_s_by_now(var_dir):
    server = cluster.start(var_dir, durable=False)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    user = pwd.getpwuid(data_of(var_dir).stat().st_uid)
    change = {"user": user.pw_uid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], cwd="/", **change) as stranger:
        pid_file = data_of(var_dir) / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(server.pid), str(stranger.pid), 1))
        assert processes.postmaster(data_of(var_dir)) is None
        cluster.start(var_dir, durable=False)
        assert stranger.poll() is None
        stranger.kill()
    with connect(var_dir) as owner:
        assert owner.execute("select 1").fetchone() == (1,)


def test_half_made_data_is_made_anew(var_dir):
    found = place.prepare(var_dir, in_memory=True)
    (found.home / "data.new").mkdir()
    (found.home / "data.new" / "PG_VERSION").write_text("18")
    cluster.start(var_dir, durable=False)
    assert cluster.answers(var_dir)


def test_anew_throws_the_database_away(var_dir):
    cluster.start(var_dir, durable=False)
    with connect(var_dir) as owner:
        owner.execute("create table half (id int)")
    cluster.start(var_dir, durable=False, anew=True)
    with connect(var_dir) as owner:
        assert owner.execute("select to_regclass('half')").fetchone() == (None,)


def test_a_long_path_still_gets_a_socket(var_dir):
    deep = var_dir / ("very-long-name-" * 8)
    try:
        cluster.start(deep, durable=False)
        assert len(str(place.socket_folder(deep))) < 100
        with connect(deep) as owner:
            assert owner.execute("select 1").fetchone() == (1,)
    finally:
        remove(deep)


def test_somebody_else_s_socket_folder_is_refused(var_dir):
    folder = place.new_socket_folder(var_dir)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(place.Unusable, match="private folder"):
        cluster.start(var_dir, durable=False)


def test_lost_passwords_are_named(var_dir):
    cluster.start(var_dir, durable=False)
    cluster.stop(var_dir)
    shutil.rmtree(var_dir / "secrets")
    with pytest.raises(place.Unusable, match="passwords"):
        cluster.start(var_dir, durable=False)


def test_memory_lost_in_a_restart_is_made_anew(var_dir):
    cluster.start(var_dir, durable=False)
    cluster.stop(var_dir)
    if not (var_dir / place.NOTE_NAME).exists():
        pytest.skip("there is no room in memory here")
    shutil.rmtree(place.home(var_dir).parent)
    with pytest.raises(place.Unusable, match="bring it back"):
        cluster.start(var_dir)
    cluster.start(var_dir, durable=False)
    assert cluster.answers(var_dir)


def test_where_the_data_goes_is_decided_once(var_dir):
    first = place.prepare(var_dir, in_memory=True)
    assert place.prepare(var_dir, in_memory=True) == first


@as_root
def test_root_changes_no_permission_outside_the_project(var_dir):
    closed = var_dir.parent / "home"
    closed.mkdir(mode=0o700)
    inside = closed / "project" / "var"
    inside.parent.mkdir(mode=0o755)
    before = [os.lstat(folder) for folder in (var_dir.parent, closed, inside.parent)]
    try:
        cluster.start(inside)
        note = (inside / place.NOTE_NAME).read_text().splitlines()[0]
        assert place.home(inside) == Path(note)
        assert not note.startswith(str(closed))
        with connect(inside) as owner:
            assert owner.execute("select 1").fetchone() == (1,)
        cluster.stop(inside)
        cluster.start(inside)
        assert place.home(inside) == Path(note)
    finally:
        remove(inside)
    after = [os.lstat(folder) for folder in (var_dir.parent, closed, inside.parent)]
    assert [(was.st_mode, was.st_uid) for was in before] == [
        (now.st_mode, now.st_uid) for now in after
    ]


@as_root
def test_root_is_told_when_the_data_is_out_of_reach(var_dir):
    cluster.start(var_dir)
    cluster.stop(var_dir)
    var_dir.chmod(0o700)
    with pytest.raises(place.Unusable, match="give that permission back"):
        cluster.start(var_dir)
