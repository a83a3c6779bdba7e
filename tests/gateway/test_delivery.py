"""Pictures as files: variants by signed addresses, thumbnails, private addresses that end."""

import asyncio
import io
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from storage.links import THUMBNAIL, Signer, Variant


def opened(answered):
    with Image.open(io.BytesIO(answered.content)) as image:
        image.load()
        return image


async def painted(gateway, **body):
    return (await gateway.paint(**body)).json()


async def link(gateway, body, *, index=0, key=None, **asked):
    return await gateway.get(f"/v1/generations/{body['generation_id']}/images/{index}/link", key=key, **asked)


def files(gateway):
    folder = gateway.installation.settings.data_dir / "pictures"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


async def test_every_picture_has_a_thumbnail(gateway):
    body = await painted(gateway, n=2, width=768, height=512)

    for picture in body["images"]:
        answered = await gateway.http.get(picture["thumbnail_url"])
        assert (answered.status_code, answered.headers["content-type"]) == (200, "image/webp")
        assert opened(answered).size == (256, 171)
        assert "immutable" in answered.headers["cache-control"]
        assert answered.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif"])
async def test_a_variant_is_what_its_address_says_and_has_a_tag_of_its_own(gateway, format):
    body = await painted(gateway, width=768, height=512)
    url = (await link(gateway, body, w=512, fm=format, q=80)).json()["url"]

    answered = await gateway.http.get(url)

    assert opened(answered).format == format.upper()
    assert opened(answered).size == (512, 341)
    original = await gateway.http.get(body["image_url"])
    assert answered.headers["etag"] != original.headers["etag"]
    again = await gateway.http.get(url, headers={"If-None-Match": answered.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = await gateway.http.get(url, headers={"Range": "bytes=3-9"})
    assert (part.status_code, part.content) == (206, answered.content[3:10])


async def test_no_variant_is_wider_than_its_picture_and_no_words_are_in_it(gateway):
    body = await painted(gateway, width=512, height=512)
    url = (await link(gateway, body, w=1024, fm="png")).json()["url"]
    image = opened(await gateway.http.get(url))
    assert image.size == (512, 512)
    assert "pinxit" not in image.info


async def test_a_variant_is_made_once_and_goes_with_its_generation(gateway):
    body = await painted(gateway)
    url = body["images"][0]["thumbnail_url"]
    first, second = await asyncio.gather(*(gateway.http.get(url) for _ in range(2)))
    kept = files(gateway)

    third = await gateway.http.get(url)

    assert first.content == second.content == third.content
    assert len(kept) == 2
    assert files(gateway) == kept
    await gateway.http.delete(
        f"/v1/generations/{body['generation_id']}", headers={"Authorization": f"Bearer {gateway.key}"}
    )
    assert files(gateway) == []
    assert (await gateway.http.get(url)).status_code == 404


async def test_pictures_in_an_object_store_are_delivered_in_the_same_way(open_gateway):
    gateway = await open_gateway(blob_url="memory://")
    body = await painted(gateway, width=768, height=512)
    for url in (body["image_url"], body["images"][0]["thumbnail_url"]):
        whole = await gateway.http.get(url)
        again = await gateway.http.get(url)
        part = await gateway.http.get(url, headers={"Range": "bytes=-5"})
        assert whole.status_code == 200
        assert again.content == whole.content
        assert (part.status_code, part.content) == (206, whole.content[-5:])
        assert (
            part.headers["content-range"]
            == f"bytes {len(whole.content) - 5}-{len(whole.content) - 1}/{len(whole.content)}"
        )


async def test_a_range_counts_only_for_the_bytes_it_was_begun_with(gateway):
    url = (await painted(gateway))["image_url"]
    whole = await gateway.http.get(url)
    for condition, status in [
        (whole.headers["etag"], 206),
        ('"another"', 200),
        (f"W/{whole.headers['etag']}", 200),
        ("Wed, 25 Nov 2026 04:00:00 GMT", 200),
    ]:
        answered = await gateway.http.get(url, headers={"Range": "bytes=5-9", "If-Range": condition})
        assert answered.status_code == status, condition
    beyond = {"Range": f"bytes={len(whole.content)}-", "If-Range": '"another"'}
    assert (await gateway.http.get(url, headers=beyond)).status_code == 200


async def test_what_was_not_signed_is_not_made(gateway):
    body = await painted(gateway)
    thumbnail = body["images"][0]["thumbnail_url"]
    image, query = thumbnail.split("?")
    for asked in ("w=256", "w=256&fm=webp&q=80&sig=nonsense", query.replace("w=256", "w=512"), "fm=png&sig=é"):
        answered = await gateway.http.get(f"{image}?{asked}")
        assert (answered.status_code, answered.json()["error"]["code"]) == (403, "invalid_signature"), asked
    for asked, field in (("w=x", "w"), ("q=-1", "q"), ("fm=gif", "fm"), ("exp=soon", "exp"), ("w=" + "9" * 400, "w")):
        answered = await gateway.http.get(f"{image}?{asked}")
        assert (answered.status_code, answered.json()["error"]["param"]) == (400, field), asked
    assert len(files(gateway)) == 1


async def test_only_variants_that_the_operator_allows_are_made(open_gateway):
    gateway = await open_gateway(variant_widths=(320,), variant_qualities=(70,))
    body = await painted(gateway)
    assert (await gateway.http.get((await link(gateway, body, w=320, q=70)).json()["url"])).status_code == 200
    for asked, field in (({"w": 321}, "w"), ({"q": 71}, "q"), ({"fm": "gif"}, "fm")):
        answered = await link(gateway, body, **asked)
        assert (answered.status_code, answered.json()["error"]["param"]) == (400, field)
    signed = Signer(gateway.installation.signing_keys).query(
        urlsplit(body["image_url"]).path.removeprefix("/img/"), Variant(width=512), expires_at=None
    )
    answered = await gateway.http.get(f"{body['image_url']}?{signed}")  # allowed when it was signed
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, "w")


async def test_links_are_for_those_who_may_read_the_generation(gateway):
    body = await painted(gateway)
    stranger = await gateway.new_key("stranger", plan="free")
    assert (await link(gateway, body, key=stranger)).status_code == 404
    assert (await link(gateway, body, index=1)).json()["error"]["code"] == "not_found"
    plain = (await link(gateway, body)).json()
    assert plain == {"object": "link", "url": body["image_url"], "expires_at": None}


async def test_private_addresses_end_and_fresh_ones_are_given(open_gateway):
    gateway = await open_gateway(private_images=True, image_url_life_s=600)
    body = await painted(gateway)
    url = body["image_url"]
    answered = await gateway.http.get(url)
    assert answered.status_code == 200
    assert answered.headers["cache-control"].startswith("private, max-age=")
    assert (await gateway.http.get(body["images"][0]["thumbnail_url"])).status_code == 200

    bare = await gateway.http.get(url.partition("?")[0])
    assert (bare.status_code, bare.json()["error"]["code"]) == (403, "invalid_signature")
    until = parse_qs(urlsplit(url).query)["exp"][0]
    longer = await gateway.http.get(url.replace(until, str(int(until) + 1)))
    assert (longer.status_code, longer.json()["error"]["code"]) == (403, "invalid_signature")
    assert (await gateway.http.head(url)).status_code == 200

    left_s = int(until) - int(gateway.clock().timestamp())
    assert 450 < left_s <= 600, "a quarter of the time is for rounding, and nothing is added"
    gateway.clock.move(seconds=left_s - 1)
    assert (await gateway.http.get(url)).status_code == 200
    gateway.clock.move(seconds=1)
    ended = await gateway.http.get(url)
    assert (ended.status_code, ended.json()["error"]["code"]) == (403, "url_expired")
    fresh = (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()["image_url"]
    assert fresh != url
    assert (await gateway.http.get(fresh)).status_code == 200
    assert (await link(gateway, body)).json()["expires_at"] > "2026-11-21T12:2"


async def test_a_private_address_is_the_same_for_who_looks_again_soon(open_gateway):
    gateway = await open_gateway(private_images=True)
    body = await painted(gateway)
    gateway.clock.move(seconds=60)
    assert (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()["image_url"] == body["image_url"]


async def test_addresses_outlive_a_change_of_the_key_as_long_as_the_old_one_is_kept(open_gateway):
    gateway = await open_gateway(url_signing_keys=("the new key, long", "the old key, longer"))
    body = await painted(gateway)
    name = urlsplit(body["image_url"]).path.removeprefix("/img/")
    for key, status in (("the new key, long", 200), ("the old key, longer", 200), ("a forgotten key", 403)):
        query = Signer((key.encode(),)).query(name, THUMBNAIL, expires_at=None)
        assert (await gateway.http.get(f"{body['image_url']}?{query}")).status_code == status


def file_of(gateway, body):
    (file,) = (gateway.installation.settings.data_dir / "pictures" / "gen" / body["generation_id"]).glob("a1/0.*")
    return file


def forget_read(gateway):
    """As after a restart: nothing that was read is in memory."""
    gateway.installation.blobs._recent.clear()


async def counted(gateway, code):
    lines = (await gateway.http.get("/metrics")).text.splitlines()
    return sum(
        float(line.split()[1]) for line in lines if line.startswith(f'pinxit_pictures_lost_total{{code="{code}"}}')
    )


async def test_a_picture_whose_file_is_gone_is_said_to_be_so_and_painted_anew(gateway):
    body = await painted(gateway, seed=7)
    shared = await painted(gateway, seed=7)
    assert (shared["cached"], body["cached"]) == (True, False)
    file_of(gateway, body).unlink()
    forget_read(gateway)
    for url in (body["image_url"], shared["image_url"], body["images"][0]["thumbnail_url"]):
        answered = await gateway.http.get(url)
        assert (answered.status_code, answered.json()["error"]["code"]) == (410, "image_gone")
        assert "retry-after" not in answered.headers
    assert await counted(gateway, "image_gone") == 3
    from_it = await gateway.paint(image=body["generation_id"])
    assert (from_it.status_code, from_it.json()["error"]["code"]) == (410, "image_gone")
    again = await painted(gateway, seed=7)
    assert (again["cached"], again["status"]) == (False, "completed")
    assert (await gateway.http.get(again["image_url"])).status_code == 200


async def test_a_cache_looks_for_the_files_before_it_hands_them_out(gateway):
    body = await painted(gateway, seed=7)
    file_of(gateway, body).unlink()
    again = await painted(gateway, seed=7)
    assert again["cached"] is False
    assert (await gateway.http.get(again["image_url"])).status_code == 200
    assert (await painted(gateway, seed=7))["cached"] is True


async def test_a_damaged_picture_is_not_handed_out_but_painted_anew(gateway):
    body = await painted(gateway, seed=7)
    file = file_of(gateway, body)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    forget_read(gateway)
    for url in (body["image_url"], body["images"][0]["thumbnail_url"]):
        answered = await gateway.http.get(url)
        assert (answered.status_code, answered.json()["error"]["code"]) == (410, "image_damaged")
    assert await counted(gateway, "image_damaged") == 2
    again = await painted(gateway, seed=7)
    assert again["cached"] is False
    assert (await gateway.http.get(again["image_url"])).status_code == 200
