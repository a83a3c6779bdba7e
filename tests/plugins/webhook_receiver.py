"""A receiver of webhooks, on a free port of this machine."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    """Keeps what arrives; answers 500 to the first `failures` calls."""

    def __init__(self, failures: int = 0) -> None:
        self.arrived: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.failures = failures
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # its sender was killed: nothing has arrived, and nothing is answered
            self.close_connection = True
            return
        self.server.arrived.put((dict(self.headers), body))
        status = 204
        if self.server.failures:
            self.server.failures -= 1
            status = 500
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The test's output is no place for an access log."""


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """It answers inside."""
    serving = threading.Thread(target=receiver.serve_forever)
    serving.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        serving.join()
        receiver.server_close()
