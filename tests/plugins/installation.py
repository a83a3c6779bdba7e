"""The product as a user has it: the installed command, its own data folder, a free port, the starter model."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

PINXIT = Path(sys.executable).with_name("pinxit")
ROOT = Path(__file__).resolve().parents[2]
FAULTY = (sys.executable, "-m", "plugins.fault_server")
"""A server that starts in a second: all of it is real but the network that paints."""
PATIENCE_S = 600  # two busy cores without AVX-512 take their time
FINAL = {"completed", "failed", "canceled"}


@dataclass
class RunningServer:
    """One `pinxit serve`; `output` is what it printed until it listened."""

    process: subprocess.Popen[str]
    url: str
    output: str
    key: str
    http: httpx2.Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def paint(self, **body: object) -> httpx2.Response:
        """At `standard` unless the test says otherwise: four times as fast as the product's default."""
        wish = {"prompt": "a red boat", "quality": "standard", **body}
        return self.http.post(f"{self.url}/v1/generate", json=wish, headers=self.headers)

    def get(self, path: str) -> httpx2.Response:
        return self.http.get(f"{self.url}{path}", headers=self.headers)

    def ended(self, generation_id: str) -> dict:
        """Poll until the generation has ended, as a client does."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            body = self.get(f"/v1/generations/{generation_id}").json()
            if body["status"] in FINAL:
                return body
            time.sleep(0.1)
        raise AssertionError(f"{generation_id} did not end")

    def children(self) -> list[int]:
        """The engine's processes; those that read pictures are none."""
        asked = ["pgrep", "-f", "-P", str(self.process.pid), r"python.* -m .*child"]
        listed = subprocess.run(asked, capture_output=True, text=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(PATIENCE_S)


@dataclass
class Home:
    """One installation on its own data folder; it remembers the key of its first start. `program` is what serves."""

    folder: Path
    key: str = ""
    program: tuple[str, ...] = (str(PINXIT), "serve")
    started: list[RunningServer] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    def command(self, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """One call of the command line to its end."""
        return subprocess.run(
            [str(PINXIT), *arguments],
            env=self._environment(settings),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self, **settings: object) -> RunningServer:
        """`pinxit serve` on a free port, up to its first answer."""
        port = settings.pop("PORT", None) or free_port()
        process = self.spawn(stdout=subprocess.PIPE, PORT=port, **settings)
        output = _greeting(process)
        found = re.search(r"^  (/\S+/first-key)$", output, re.MULTILINE)
        self.key = Path(found[1]).read_text().strip() if found else self.key
        server = RunningServer(
            process=process,
            url=f"http://127.0.0.1:{port}",
            output=output,
            key=self.key,
            http=httpx2.Client(timeout=PATIENCE_S, trust_env=False),
        )
        self.started.append(server)
        server.http.get(f"{server.url}/healthz")
        return server

    def spawn(self, *, stdout: int, **settings: object) -> subprocess.Popen[str]:
        """The program that serves, begun; `stdout` is where it prints."""
        with self.log.open("a") as log:
            environment = self._environment(settings)
            return subprocess.Popen(
                self.program, env=environment, cwd=self.folder, stdout=stdout, stderr=log, text=True
            )

    def running(self) -> RunningServer:
        """The server that was started last, or a new one where that has ended: tests of a module share it."""
        if self.started and self.started[-1].process.poll() is None:
            return self.started[-1]
        return self.start()

    def close(self) -> None:
        for server in self.started:
            server.process.kill()
            server.process.wait()
            server.process.stdout.close()
            server.http.close()

    def _environment(self, settings: dict[str, object]) -> dict[str, str]:
        """The tester's own environment, with our settings in place of the tester's."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PINXIT_")}
        ours = {"DATA_DIR": self.folder / "data", "SYNC_WAIT_S": PATIENCE_S, **settings}
        others["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
        return others | {f"PINXIT_{name}": str(value) for name, value in ours.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _greeting(process: subprocess.Popen[str]) -> str:
    """What is printed up to the curl line; the port is open by then."""
    output = ""
    for line in process.stdout:
        output += line
        if "curl" in line:
            return output
    raise AssertionError(f"the server ended with {process.wait()} after printing {output!r}")
