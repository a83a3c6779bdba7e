"""A server's part that carries batches out, in a process of its own that somebody will kill.

Run as `python dying_expander.py FOLDER WEBHOOK_URL ITEMS CREDITS [cancel]`. It says what it has done, a line each:
`accepted ID`, then `piece` for each transaction of the expander, `canceling` after all of them where that is asked for.
"""

import asyncio
import sys
from pathlib import Path

from gateway.accounts import KeyOrder
from gateway.batches import BatchAsk, ItemAsk, Wish
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation, Server
from models import GenerationRequest


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def run(folder: Path, webhook_url: str, items: int, credits: int, *last: str) -> None:
    start_logging(form="console", level="warning")  # away from what is said here
    installation = Installation(settings=Settings(data_dir=folder))
    await installation.database.migrate()
    made = await installation.accounts.add_key(KeyOrder(account="anna", plan="studio", credits=credits))
    server = Server(installation=installation, engine=installation.engine(), base_url="http://127.0.0.1:8000")
    caller = await installation.access.gatekeeper.caller(made.token.text, now=installation.clock())
    asks = [
        ItemAsk(custom_id=str(i), wish=Wish(request=GenerationRequest(prompt=f"{i} boats", seed=i)))
        for i in range(items)
    ]
    accepted = await server.painting.batches.accept(caller, BatchAsk(items=asks, webhook_url=webhook_url))
    say(f"accepted {accepted.batch.id}")
    while await server.painting.batches.expander.advance():
        if not last:
            say("piece")
    if last:
        say("expanded")
        await server.painting.batches.cancel(caller, accepted.batch.id)
        say("canceling")
    await asyncio.Event().wait()


if __name__ == "__main__":
    folder, webhook_url, items, credits, *last = sys.argv[1:]
    asyncio.run(run(Path(folder), webhook_url, int(items), int(credits), *last))
