"""Items of a batch share paintings with single calls, like any other request that names a seed."""


async def test_an_item_that_was_painted_before_is_answered_from_it_and_costs_nothing(gateway, batches_of):
    batches = batches_of(gateway, await gateway.new_key(account="anna", plan="pro", credits=5))
    first = (await gateway.paint(key=batches.key, prompt="a boat", seed=7)).json()
    painted = len(gateway.engine.painted)

    sent = await batches.send([{"prompt": "a boat", "seed": 7}])
    await batches.ended(sent.json()["batch_id"])

    (one,) = await batches.results(sent.json()["batch_id"])
    assert (one["generation"]["cached"], one["generation"]["credits_used"]) == (True, 0)
    assert one["generation"]["images"][0]["file_sha256"] == first["images"][0]["file_sha256"]
    assert len(gateway.engine.painted) == painted
