"""What each public error code means, what to do about it, and a request that gets it: the pages at `/errors/{code}`."""

from collections.abc import Mapping

from gateway.http.edge.failure_explanations import FAILURES, Explanation

_GENERATE = "POST /v1/generate "

EXPLANATIONS: Mapping[str, Explanation] = {
    "invalid_json": Explanation(
        "The body is not valid JSON, or it is JSON but not an object.",
        "Let a JSON library write the body. The message says at which place reading stopped.",
        _GENERATE + "{'prompt': 'a boat'}   (single quotes are not JSON)",
    ),
    "invalid_form": Explanation(
        "The body is declared as multipart/form-data, but it cannot be read as a form, or has too many parts.",
        "Let the HTTP library write the form and its Content-Type with the boundary.",
        "curl -H 'Content-Type: multipart/form-data' -d 'prompt=a boat' …   (use -F)",
    ),
    "missing_parameter": Explanation(
        "A member that is needed was not sent, or is empty.",
        "Send the member that `param` names.",
        _GENERATE + '{"style": "watercolor"}   (`prompt` is missing)',
    ),
    "invalid_parameter": Explanation(
        "A member has the wrong type, or a value outside its bounds.",
        "Correct the member that `param` names. The bounds of every member are at /docs.",
        _GENERATE + '{"prompt": "a boat", "n": 11}   (`n` is at most 10)',
    ),
    "unknown_parameter": Explanation(
        "A member of the body, or a word of the query, is not known here. Nothing is ignored silently.",
        "Correct the spelling or leave it out. The message names the member that may have been meant.",
        _GENERATE + '{"prompt": "a boat", "steps": 20}   (here it is `num_inference_steps`)',
    ),
    "unsupported_parameter": Explanation(
        "A member, or a word of the prompt's grammar, that another program knows would change the picture in a way that"
        " this server cannot follow. It is refused instead of painting something else.",
        "Leave out or switch off what `param` names. The message says what there is instead.",
        'POST /sdapi/v1/txt2img {"prompt": "a boat", "enable_hr": true}',
    ),
    "prompt_too_long": Explanation(
        "The prompt has more than 1500 characters.",
        "Shorten it. Unicode code points are counted, not bytes.",
        _GENERATE + '{"prompt": "…1501 characters…"}',
    ),
    "negative_prompt_too_long": Explanation(
        "The negative prompt has more than 500 characters.",
        "Shorten it. Unicode code points are counted, not bytes.",
        _GENERATE + '{"prompt": "a boat", "negative_prompt": "…501 characters…"}',
    ),
    "unknown_style": Explanation(
        "No style has this id or alias.",
        "Choose one from GET /v1/styles, or send `auto`. Upper and lower case are the same.",
        _GENERATE + '{"prompt": "a boat", "style": "watercolr"}',
    ),
    "invalid_size": Explanation(
        "The size is not one that this path offers.",
        "On /v1/generate each side is 512, 768, 1024, 1280 or 1920; other paths say their rule in the message.",
        _GENERATE + '{"prompt": "a boat", "width": 500}',
    ),
    "lora_not_found": Explanation(
        "No LoRA of this installation has this id, or it was not made for the model.",
        "Choose one from GET /v1/loras; each says for which models it was made.",
        _GENERATE + '{"prompt": "a boat", "loras": [{"id": "no-such-lora"}]}',
    ),
    "vae_not_found": Explanation(
        "No VAE of this installation has this id, or it does not fit the model.",
        "Choose one from GET /v1/vaes, or leave `vae` out.",
        _GENERATE + '{"prompt": "a boat", "vae": "no-such-vae"}',
    ),
    "invalid_image": Explanation(
        "A picture that was sent cannot be used: an unknown format, damaged, animated, too large, or with data"
        " behind its end.",
        "Send PNG, JPEG, WebP or AVIF with one frame. Saving it again in an image program often helps.",
        _GENERATE + '{"prompt": "a boat", "image": "data:image/gif;base64,…"}',
    ),
    "invalid_webhook_url": Explanation(
        "A webhook may not be sent to this address: not https, a private network, a port that is not allowed, or"
        " no valid URL.",
        "Use a public https address. On a server bound to loopback, http to this machine is allowed too.",
        _GENERATE + '{"prompt": "a boat", "webhook_url": "http://10.0.0.5/hook"}',
    ),
    "invalid_cursor": Explanation(
        "The cursor was not given out by this list.",
        "Send `next_cursor` of the page before, unchanged; leave it out for the first page.",
        "GET /v1/generations?cursor=2",
    ),
    "invalid_file": Explanation(
        "A file that was sent cannot be read as what it is declared to be.",
        "The message says at which byte or line reading stopped. Tables are UTF-8 with a header row.",
        "POST /v1/batches with Content-Type: text/csv and an empty body",
    ),
    "content_policy_violation": Explanation(
        "The policy of this installation refuses what was asked. `category` names the part of the policy; `ncii` is"
        " also every request for a person without clothes where the painting begins from a picture.",
        "Ask for something else. Sending the same again gets the same answer; nothing was charged.",
        "A prompt that names a prohibited subject",
    ),
    "moderation_blocked": Explanation(
        "The policy refuses what was asked; this is the code that clients of OpenAI's image endpoints know.",
        "Ask for something else. Sending the same again gets the same answer; nothing was charged.",
        "POST /v1/images/generations with a prompt that names a prohibited subject",
    ),
    "missing_api_key": Explanation(
        "The request carries no API key.",
        "Send `Authorization: Bearer px_live_…`. The first start of the server printed a key.",
        "curl $PINXIT_BASE_URL/v1/account   (without -H 'Authorization: …')",
    ),
    "invalid_api_key": Explanation(
        "The key is malformed, unknown, revoked or expired.",
        "Check that the whole key was copied. An operator makes a new one with `pinxit keys create`.",
        "Authorization: Bearer px_live_wrong",
    ),
    "insufficient_credits": Explanation(
        "The account has fewer credits than the request costs.",
        "Ask POST /v1/quote for the price and GET /v1/account for the balance; an operator grants credits.",
        _GENERATE + '{"prompt": "a boat", "n": 10}   with 3 credits left',
    ),
    "account_suspended": Explanation(
        "The key is good, but the operator has suspended its account.",
        "Ask the operator of this installation.",
        "Any request after `pinxit accounts suspend`",
    ),
    "insufficient_scope": Explanation(
        "The key is good but may not do this.",
        "Use a key with the scope that the message names, or ask an operator for one.",
        "POST /v1/webhooks with a key that has only the scope `generate`",
    ),
    "plan_upgrade_required": Explanation(
        "What was asked belongs to a larger plan: a side, a number of pictures, steps, or upscaling.",
        "Ask for less, or move to a plan that has it. `param` names the member.",
        _GENERATE + '{"prompt": "a boat", "upscale": true}   on the plan `free`',
    ),
    "invalid_signature": Explanation(
        "This address of a picture was not made by this server, or was changed.",
        "Take the address from the API as it is; ask …/images/{index}/link for another width or format.",
        "GET /img/….png?w=256   (without the signature that belongs to it)",
    ),
    "url_expired": Explanation(
        "This address of a picture was good for a time that has passed.",
        "Read the generation again: it then has fresh addresses.",
        "GET /img/….png?exp=1767225600&sig=…   a day later",
    ),
    "https_required": Explanation(
        "The public address of this installation is https, and the request came over plain http.",
        "Use the https address. A key that was sent over plain http should be rotated.",
        "curl http://images.example.com/v1/account",
    ),
    "too_many_endpoints": Explanation(
        "The account has as many webhook endpoints as the operator allows.",
        "Remove one with DELETE /v1/webhooks/{id}.",
        "The 21st POST /v1/webhooks",
    ),
    "too_many_files": Explanation(
        "The account keeps as many files for batches as it may.",
        "Delete one with DELETE /v1/files/{id}.",
        "The 101st POST /v1/files",
    ),
    "not_found": Explanation(
        "Nothing is at this path, or this account has nothing with this id.",
        "Check the path at /docs, and that the key belongs to the account that made it.",
        "GET /v1/generations/gen_unknown",
    ),
    "model_not_found": Explanation(
        "No model of this installation has this name.",
        "Choose one from GET /v1/models, or leave `model` out.",
        _GENERATE + '{"prompt": "a boat", "model": "sdxl"}   where only `starter` is installed',
    ),
    "method_not_allowed": Explanation(
        "The path exists, but not with this method.",
        "Use one of the methods that the header `Allow` names.",
        "GET /v1/generate",
    ),
    "idempotency_in_progress": Explanation(
        "The first request with this Idempotency-Key has not ended yet.",
        "Wait as long as Retry-After says and send the same again: the answer will be that of the first.",
        "Two requests at the same time with Idempotency-Key: order-4711",
    ),
    "not_completed": Explanation(
        "The generation has no pictures that could be painted again or compared.",
        "Wait until its status is `completed`; one that failed or was canceled cannot be replayed.",
        "POST /v1/generations/{id}/replay while it is queued",
    ),
    "already_finished": Explanation(
        "The generation has ended already, so it cannot be canceled.",
        "Nothing needs to be done. DELETE removes it with its pictures.",
        "POST /v1/generations/{id}/cancel after it has completed",
    ),
    "generation_canceled": Explanation(
        "Somebody canceled the generation while this call waited for it.",
        "Send the request again if the picture is still wanted.",
        "POST …/cancel from another connection",
    ),
    "endpoint_disabled": Explanation(
        "Nothing is sent to this webhook endpoint before it is enabled again.",
        'Repair the receiver, then PATCH /v1/webhooks/{id} {"enabled": true}.',
        "POST /v1/webhooks/{id}/resend after it failed for five days",
    ),
    "payload_too_large": Explanation(
        "The body, or a file in it, is larger than this path reads.",
        "JSON may have 1 MB, a form 60 MB and a file in it 20 MB. Send pictures as files, not as base64.",
        _GENERATE + '{"prompt": "a boat", "image": "…2 MB of base64…"}',
    ),
    "unsupported_media_type": Explanation(
        "The body is not declared as something that this path reads, or is compressed.",
        "Send `Content-Type: application/json`, or multipart/form-data where there are files.",
        "curl -d '{\"prompt\": \"a boat\"}' …/v1/generate   (curl declares a form; add -H 'Content-Type: …')",
    ),
    "range_not_satisfiable": Explanation(
        "The byte range lies outside the file.",
        "`Content-Range` says how large the file is.",
        "GET /img/….png with Range: bytes=99999999-",
    ),
    "idempotency_key_reused": Explanation(
        "This Idempotency-Key was used before with another body.",
        "Use a new key for every new request, and the same only to send the same again.",
        "Idempotency-Key: order-4711 with a prompt that was changed",
    ),
    "rate_limit_exceeded": Explanation(
        "Too many requests in this minute.",
        "Wait as long as Retry-After says. X-RateLimit-Reset says when the window ends.",
        "The sixth request of a minute on the plan `free`",
    ),
    "daily_quota_exceeded": Explanation(
        "The requests of this day, or of this month, are used up.",
        "Wait until X-RateLimit-Reset, or move to a larger plan. Retrying earlier does not help.",
        "The 101st request of a day on the plan `free`",
    ),
    "concurrency_limit_exceeded": Explanation(
        "The account, or the key, has as many open generations as it may have.",
        "Wait until one has ended, or cancel one.",
        "Many requests with `async: true` at once",
    ),
    "queue_full": Explanation(
        "Too much work is waiting on this server.",
        "Wait as long as Retry-After says and send it again. Nothing was charged.",
        "More open generations than PINXIT_MAX_QUEUED",
    ),
    **FAILURES,
}
