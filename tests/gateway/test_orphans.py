"""Pictures to begin from that were kept for a generation which was never accepted."""

import base64
import os
from datetime import timedelta

from plugins.hostile_pictures import two_colours, written

from gateway.generations.ending.orphans import LEFT_FOR

PNG = base64.b64encode(written(two_colours(), "PNG")).decode()


def folder_of(gateway, id):
    return gateway.installation.settings.data_dir / "pictures" / "gen" / id / "from"


def age(gateway, id, by):
    """As if it had been written so long ago by the server's clock."""
    moment = (gateway.clock() - by).timestamp()
    for file in folder_of(gateway, id).iterdir():
        os.utime(file, (moment, moment))


async def test_only_what_is_old_and_belongs_to_no_row_goes(gateway):
    sweeper, longer = gateway.server.painting.sweeper.orphans, LEFT_FOR + timedelta(minutes=1)
    used = (await gateway.paint(image=PNG)).json()["generation_id"]
    for id in ("gen_old", "gen_young"):
        await gateway.server.painting.source_images.keep(id, {"a" * 64: b"left by a crash"})
    age(gateway, used, longer)
    age(gateway, "gen_old", longer)
    age(gateway, "gen_young", LEFT_FOR - timedelta(minutes=1))

    assert await sweeper.sweep() == 1
    assert not folder_of(gateway, "gen_old").exists()
    assert folder_of(gateway, "gen_young").exists()
    assert len(list(folder_of(gateway, used).iterdir())) == 1
    assert await sweeper.sweep() == 0
