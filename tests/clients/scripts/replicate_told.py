"""replicate-python asks for webhooks, and believes what it is told, in its own words."""

import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import replicate
from replicate.prediction import Prediction
from replicate.webhook import Webhooks

arrived = queue.Queue()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


receiver = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
client = replicate.Client(api_token=os.environ["PINXIT_KEY"], base_url=os.environ["PINXIT_URL"])
made = client.predictions.create(
    version="starter",
    input={"prompt": "a red boat", "width": 256, "height": 256, "num_inference_steps": 4},
    webhook=f"http://127.0.0.1:{receiver.server_port}/hook",
    webhook_events_filter=["start", "completed"],
)
secret = client.webhooks.default.secret()
told = []
for _ in range(2):
    headers, body = arrived.get(timeout=60)
    Webhooks.validate(headers=headers, body=body, secret=secret)
    told.append(Prediction.parse_raw(body))
assert {prediction.status for prediction in told} == {"starting", "succeeded"}
assert {prediction.id for prediction in told} == {made.id}
made.reload()
assert made.output in [prediction.output for prediction in told]
