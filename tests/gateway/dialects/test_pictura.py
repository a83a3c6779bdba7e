"""`POST /v1/images/generate`, as Pictura's quick start calls it."""


async def test_the_quick_start_gets_a_picture_by_its_address(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    asked = {"prompt": "A serene mountain lake at golden hour", "size": "1024x1024", "style": "watercolor", "seed": 7}
    answered = await gateway.http.post("/v1/images/generate", json=asked, headers=headers)
    assert answered.status_code == 200, answered.text
    body = answered.json()
    assert (body["width"], body["height"], body["image"]["seed"]) == (1024, 1024, 7)
    assert body["image"]["url"] == body["url"] == body["image_url"]
    assert (await gateway.http.get(body["image"]["url"])).headers["content-type"] == "image/png"
    native = (await gateway.paint(**asked)).json()
    assert set(body) - set(native) == {"image", "url"}
    assert body["image"]["pixel_sha256"] == native["images"][0]["pixel_sha256"]
