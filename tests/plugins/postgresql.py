"""A throw-away PostgreSQL server for tests: its own folder, a free port of loopback, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

SUPERUSER = "pinxit"
# Nothing here needs to outlive a power cut; C collation spares the look-up of locales.
SPEEDY = "-c fsync=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB"


class NotInstalled(Exception):
    """There is no PostgreSQL here, or nobody who may run one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running server. Its databases are made by name and go away with it."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://{SUPERUSER}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str) -> str:
        """Make a database without tables and return its URL."""
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, name)
        return self.url(name)

    def execute(self, name: str, statement: str) -> None:
        """Run SQL in a database that nobody uses any more: what a failed test left open is closed, locks and all.

        Else each test after it would wait for its locks, and fail too.
        """
        alone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        alone += " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        careful = f"{alone}; SET lock_timeout = '60s'; {statement}"
        server = ("-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, "-d", name)
        self.run("psql", *server, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", careful)

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k '' {SPEEDY}"
        self.run(
            "pg_ctl", "-D", f"{self.folder}/data", "-w", "-t", "120", "-l", f"{self.folder}/log", "-o", options, "start"
        )

    def stop(self) -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Raises NotInstalled, with the reason."""
    programs, user = newest_programs(), server_user()
    folder = Path(tempfile.mkdtemp(prefix="pinxit-postgresql-"))
    if user is not None:
        shutil.chown(folder, user)
    cluster = Cluster(programs=programs, folder=folder, port=free_port(), user=user)
    with undertaker(cluster):
        cluster.run("initdb", "-D", f"{folder}/data", "-U", SUPERUSER, "-A", "trust", "--locale=C", "-E", "UTF8", "-N")
        yield started(cluster)


def started(cluster: Cluster, attempts: int = 5) -> Cluster:
    """Started on its port, or on another one: between looking for a free port and taking it others may be quicker."""
    for _ in range(attempts - 1):
        try:
            cluster.start()
        except subprocess.CalledProcessError:
            cluster = replace(cluster, port=free_port())
        else:
            return cluster
    cluster.start()
    return cluster


@contextmanager
def undertaker(cluster: Cluster) -> Iterator[None]:
    """Stop the server and remove its folder at the end of the block, or of this process, however it ends."""
    script = 'cat > /dev/null; "$0/pg_ctl" -D "$1/data" -w -m immediate stop; rm -rf "$1"'
    waiting = subprocess.Popen(
        ["/bin/sh", "-c", script, cluster.programs, cluster.folder],
        user=cluster.user,
        cwd="/",
        env={"PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with waiting:  # leaving it closes the pipe that `cat` reads, and waits
        yield


def newest_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NotInstalled("PostgreSQL is not installed (no initdb)")
    return Path(on_path).resolve().parent


def server_user() -> str | None:
    """PostgreSQL refuses to run as root; None means as whoever we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NotInstalled("PostgreSQL does not run as root, and there is no user postgres or nobody")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
