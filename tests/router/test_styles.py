from pathlib import Path

import pytest

from models import Catalogue, Family, GenerationRequest, ImageSize, ModelCard, Quality, SettingInvalid
from router import Router, Styles, StyleUnknown, load_styles

SIXTEEN = [
    "auto",
    "none",
    "photographic",
    "cinematic",
    "analog-film",
    "product",
    "anime",
    "comic-book",
    "digital-art",
    "fantasy-art",
    "3d-render",
    "isometric",
    "line-art",
    "pixel-art",
    "watercolor",
    "neon-punk",
]
MINIMAL = """
schema = 1
id = "plain"
revision = 1
name = "Plain"
description = "Nothing."
thumbnail = { prompt = "a boat", seed = 1 }
prompt = { template = "a picture of {prompt}" }

[families.sd1]
sampler = "ddim"
steps = { standard = 10, hd = 20, ultra = 30 }
guidance = { standard = 5.0, hd = 6.0, ultra = 7.0 }
"""


def written(folder: Path, text: str, *, name: str = "plain.toml") -> Path:
    (folder / name).write_text(text)
    return folder


def catalogue_of(family: Family) -> Catalogue:
    size = ImageSize(width=512, height=512)
    card = ModelCard(
        id="only",
        family=family,
        path=Path("x"),
        licence="x",
        native_pixels=512 * 512,
        default_size=size,
        is_default=True,
    )
    return Catalogue({card.id: card})


def test_the_sixteen_ids_are_listed_with_auto_first(styles: Styles, catalogue: Catalogue) -> None:
    ids = [entry.id for entry in styles.entries(catalogue)]
    assert ids[0] == "auto"
    assert set(SIXTEEN) <= set(ids)


@pytest.mark.parametrize(
    ("alias", "style"),
    [
        ("3d-model", "3d-render"),
        ("enhance", "digital-art"),
        ("vivid", "cinematic"),
        ("natural", "photographic"),
        ("watercolour", "watercolor"),
        ("none", "none"),
    ],
)
def test_a_style_answers_to_its_alias(styles: Styles, alias: str, style: str) -> None:
    assert styles.get(alias).id == style


def test_an_unknown_style_is_refused_and_names_the_field(styles: Styles) -> None:
    with pytest.raises(StyleUnknown) as refused:
        styles.get("baroque-disco")
    assert (refused.value.code, refused.value.field) == ("unknown_style", "style")


def test_every_style_has_settings_for_sd1_and_sdxl(styles: Styles) -> None:
    for style in styles.all():
        assert {Family.SD1, Family.SDXL} <= set(style.families), style.id


def test_more_quality_never_means_fewer_steps_or_credits(styles: Styles) -> None:
    for style in styles.all():
        for settings in style.families.values():
            steps = [settings.steps.of(quality) for quality in Quality]
            assert steps == sorted(steps), style.id
        prices = [style.credits.of(quality) for quality in Quality]
        assert prices == sorted(prices), style.id


def test_no_two_styles_listen_to_the_same_phrase(styles: Styles) -> None:
    phrases = [phrase for style in styles.all() for phrase in style.auto.phrases]
    assert len(phrases) == len(set(phrases))


def test_the_model_in_the_box_paints_every_style(styles: Styles, catalogue: Catalogue) -> None:
    assert all(entry.available for entry in styles.entries(catalogue))


def test_only_what_an_installed_model_can_paint_is_available(
    styles: Styles, no_anime: Styles, catalogue: Catalogue
) -> None:
    available = {entry.id: entry.available for entry in no_anime.entries(catalogue)}
    assert available["watercolor"]
    assert not available["anime"]
    assert all(entry.available for entry in styles.entries(catalogue_of(Family.SDXL)))


def test_the_default_models_family_comes_before_the_files_order(styles: Styles) -> None:
    card = styles.get("watercolor").card_in(catalogue_of(Family.SD1))
    assert card is not None
    assert card.family is Family.SD1


def test_sd2_is_painted_with_the_settings_of_sd1_unless_a_style_has_its_own(tmp_path: Path) -> None:
    own = """
[families.sd2]
sampler = "euler"
steps = { standard = 10, hd = 20, ultra = 30 }
guidance = { standard = 5.0, hd = 6.0, ultra = 7.0 }
"""
    (tmp_path / "own").mkdir()
    plain = load_styles(written(tmp_path, MINIMAL)).get("plain")
    special = load_styles(written(tmp_path / "own", MINIMAL + own)).get("plain")

    sd1, sd2, sdxl = (catalogue_of(family).default for family in (Family.SD1, Family.SD2, Family.SDXL))
    assert plain.settings_for(sd2) == plain.settings_for(sd1)
    assert special.settings_for(sd2).sampler == "euler"
    assert not plain.serves(sdxl)


def test_every_style_is_available_with_an_sd2_alone(styles: Styles) -> None:
    catalogue = catalogue_of(Family.SD2)

    assert all(entry.available for entry in styles.entries(catalogue))
    assert all(style.card_in(catalogue) == catalogue.default for style in styles.all())


def test_the_revision_hash_changes_with_any_style(tmp_path: Path) -> None:
    before = load_styles(written(tmp_path, MINIMAL)).revision_hash
    assert load_styles(written(tmp_path, MINIMAL)).revision_hash == before
    assert load_styles(written(tmp_path, MINIMAL.replace("revision = 1", "revision = 2"))).revision_hash != before


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("{prompt}", "everything", "$.prompt"),
        ("a picture of {prompt}", "{prompt} and {prompt}", "$.prompt"),
        ('name = "Plain"', 'name = "Plain"\nsparkle = 3', "sparkle"),
        ("steps = { standard = 10", "steps = { standard = 0", "$.families"),
        ('sampler = "ddim"', 'sampler = "magic"', "$.families"),
        ("[families.sd1]", "[families.sd9]", "$.families"),
        ("schema = 1", "schema = 2", "$.schema"),
        ('id = "plain"', 'id = "Plain!"', "$.id"),
        ('id = "plain"', 'id = "other"', "`id`"),
        ("guidance = {", "guidance = {{", "plain.toml"),
        ('description = "Nothing."', "", "description"),
    ],
)
def test_a_wrong_style_file_stops_the_start_and_names_file_and_member(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    assert old in MINIMAL
    with pytest.raises(SettingInvalid) as wrong:
        load_styles(written(tmp_path, MINIMAL.replace(old, new, 1)))
    assert "plain.toml" in wrong.value.message
    assert named in wrong.value.message


@pytest.mark.parametrize("alias", ["auto", "plain"])
def test_two_styles_cannot_share_a_name(tmp_path: Path, alias: str) -> None:
    written(tmp_path, MINIMAL)
    second = MINIMAL.replace('id = "plain"', f'id = "second"\naliases = ["{alias}"]')
    with pytest.raises(SettingInvalid, match="already taken"):
        load_styles(written(tmp_path, second, name="second.toml"))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid):
        load_styles(tmp_path)


def test_a_family_may_leave_out_layers_of_the_text_encoder(tmp_path: Path) -> None:
    plain, skipping = (
        load_styles(written(tmp_path, text)).get("plain") for text in (MINIMAL, MINIMAL + "clip_skip = 1\n")
    )
    catalogue = catalogue_of(Family.SD1)
    specs = [
        Router(Styles([style]), catalogue).route(GenerationRequest(prompt="a boat", style="plain"), seed=1).specs[0]
        for style in (plain, skipping)
    ]

    assert [spec.clip_skip for spec in specs] == [0, 1]


@pytest.mark.parametrize("skip", ["-1", "12", "1.5"])
def test_a_style_skips_no_nonsense(tmp_path: Path, skip: str) -> None:
    with pytest.raises(SettingInvalid, match="clip_skip"):
        load_styles(written(tmp_path, MINIMAL + f"clip_skip = {skip}\n"))


def test_a_thumbnail_that_lies_beside_the_styles_is_found_and_changes_no_revision(tmp_path: Path) -> None:
    before = load_styles(written(tmp_path, MINIMAL))
    (tmp_path / "thumbs").mkdir()
    (tmp_path / "thumbs" / "plain.webp").write_bytes(b"a picture")

    after = load_styles(tmp_path)

    shown = [[entry.thumbnail for entry in styles.entries(catalogue_of(Family.SD1))] for styles in (before, after)]
    assert shown == [[None, None], [None, "thumbs/plain.webp"]]
    assert after.revision_hash == before.revision_hash


def test_every_style_that_the_model_in_the_box_paints_has_its_thumbnail(styles: Styles, catalogue: Catalogue) -> None:
    painted = {entry.id for entry in styles.entries(catalogue) if entry.thumbnail}
    assert painted == {style.id for style in styles.all() if style.card_in(catalogue) is not None}
    assert len(painted) >= 12
