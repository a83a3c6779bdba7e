"""What the codes mean that say nothing about what was asked: how it was sent, and what broke here; see `explanations`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`means` and `remedy` are sentences for the caller; `example` is a request, or what leads to the error."""

    means: str
    remedy: str
    example: str


FAILURES: Mapping[str, Explanation] = {
    "invalid_http": Explanation(
        "The bytes on the connection are no request of HTTP/1.1: a broken request line, header or chunk.",
        "Let an HTTP library write the request, and do not speak TLS or HTTP/2 to a port of plain HTTP/1.1.",
        "GET / HTTP/9.9",
    ),
    "head_too_large": Explanation(
        "Request line and headers have more than 65536 bytes, or there are more than 256 headers.",
        "Send long values in the body, and no cookies of other sites.",
        "GET /?q=…70000 characters… HTTP/1.1",
    ),
    "request_timeout": Explanation(
        "The request did not come in time: its head within 30 seconds, its body with 500 bytes a second.",
        "Open the connection when there is something to send, and send the whole request again.",
        "POST /v1/generate with Content-Length: 100 and ten bytes of body",
    ),
    "internal_error": Explanation(
        "Something broke on our side.",
        "Give the operator the `request_id`: the log has the reason under it. Nothing was charged.",
        "A defect",
    ),
    "image_gone": Explanation(
        "This picture was stored here, and its file is not there any more. Asking again does not bring it back.",
        "Send the request again: it is painted again. The operator finds the file's name in the log.",
        "GET /img/… of a picture whose file was removed from the disk",
    ),
    "image_damaged": Explanation(
        "The stored file of this picture is not what was stored, so it is not handed out.",
        "Send the request again: it is painted again. The operator finds the file's name in the log.",
        "GET /img/… of a picture whose file was changed on the disk",
    ),
    "file_gone": Explanation(
        "This file was sent, and its bytes are not there any more, or not all of them.",
        "Delete the file and send it again.",
        "GET /v1/files/{id}/content of a file that was removed from the disk",
    ),
    "painting_crashed": Explanation(
        "The server itself stopped each time it painted this picture, and has given it up after three times.",
        "Ask for something else, or in another size; give the operator the id of the generation. Nothing was charged.",
        "A picture that takes more memory than the machine has",
    ),
    "invalid_setting": Explanation(
        "The configuration of this installation is wrong.",
        "The operator finds the setting and the reason in the log.",
        "A setting that was changed while the server runs",
    ),
    "overloaded": Explanation(
        "The server cannot do this now: memory, connections, database or store are short or away, or it is stopping.",
        "Wait as long as Retry-After says and send it again. Nothing was charged.",
        "A database that does not answer",
    ),
    "model_unavailable": Explanation(
        "The model is known, but it cannot paint now.",
        "GET /v1/styles says which styles are available now; the operator finds the reason in the log.",
        "A model whose folder was moved away",
    ),
    "model_unusable": Explanation(
        "The files of the model, LoRA, VAE or upscaler are missing, damaged or made for something else.",
        "Do not send it again: it fails until the operator replaces the files. Ask for another model, or leave the "
        "LoRA, VAE or upscaling out. The log says why. Nothing was charged.",
        "A LoRA whose names fit no layer of the model",
    ),
    "generation_timeout": Explanation(
        "The picture was not ready within the time that this surface waits; the painting goes on.",
        "Send the same request again to get it, or use /v1/generate with `async: true`.",
        "POST /v1/images/generations behind a long queue",
    ),
}
