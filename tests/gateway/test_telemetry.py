"""What a process writes to stderr, whoever writes it."""

import json
import subprocess
import sys

WRITES = """
import logging, threading, warnings
import structlog
from gateway.telemetry import start_logging

start_logging(form="json", level="info")
structlog.get_logger().info("ours", key="px_live_abcdefghijkl", url="postgresql://me:secret@host/db")
logging.getLogger("theirs").warning("whsec_%s", "abcdefgh")
logging.getLogger("theirs").info("too little")
warnings.warn("old", DeprecationWarning)
thread = threading.Thread(target=lambda: 1 / 0, name="one")
thread.start()
thread.join()
raise ValueError("px_test_abcdefghijkl")
"""


def test_in_json_every_line_is_an_object_and_no_secret_passes():
    ended = subprocess.run(
        [sys.executable, "-W", "default", "-c", WRITES], capture_output=True, text=True, check=False, timeout=60
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["level"], line["event"].splitlines()[0]) for line in lines][:2] == [
        ("info", "ours"),
        ("warning", "whsec_…"),
    ]
    assert lines[0]["url"] == "postgresql://me:…@host/db"
    old, thread, process = lines[2:]
    assert "DeprecationWarning: old" in old["event"]
    assert (thread["thread"], "ZeroDivisionError" in thread["exception"]) == ("one", True)
    assert (process["event"], "ValueError: px_test_abcd…" in process["exception"]) == ("crashed", True)
    assert "efghijkl" not in ended.stderr
    assert ended.returncode == 1
