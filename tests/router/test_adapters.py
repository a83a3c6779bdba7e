"""LoRAs by style and by request."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import (
    Adapter,
    AdapterCard,
    AdapterUnknown,
    Catalogue,
    Family,
    GenerationRequest,
    GenerationSpec,
    ModelCard,
    ModelUnavailable,
    RequestInvalid,
    SettingInvalid,
    load_catalogue,
)
from router import Router, Styles, load_styles
from router.adapters import with_triggers

STYLES = load_styles(Path(__file__).parents[2] / "configs" / "styles")
XL = ModelCard(id="xl", family=Family.SDXL, path=Path("x"), licence="x", native_pixels=1024**2, is_default=True)
OLD = replace(XL, id="old", family=Family.SD1, native_pixels=512**2, is_default=False)
WASH = AdapterCard(id="wash", family=Family.SDXL, path=Path("x"), licence="x", trigger="wtrclr")
INK = AdapterCard(id="ink", family=Family.SDXL, path=Path("x"), licence="x")
NIB = AdapterCard(id="nib", family=Family.SD1, path=Path("x"), licence="x", trigger="nib pen")
PLAIN = """
schema = 1
id = "plain"
revision = 1
name = "Plain"
description = "Nothing."
thumbnail = {{ prompt = "a boat", seed = 1 }}
prompt = {{ template = "a picture of {{prompt}}" }}

[families.sdxl]
sampler = "ddim"
steps = {{ standard = 10, hd = 20, ultra = 30 }}
guidance = {{ standard = 5.0, hd = 6.0, ultra = 7.0 }}
adapters = [{adapters}]
"""


def styles_with(folder: Path, adapters: str) -> Styles:
    (folder / "plain.toml").write_text(PLAIN.format(adapters=adapters))
    return load_styles(folder)


def catalogue_of(*adapters: AdapterCard, models: tuple[ModelCard, ...] = (XL, OLD)) -> Catalogue:
    return Catalogue({card.id: card for card in models}, {card.id: card for card in adapters})


def spec_of(styles: Styles, catalogue: Catalogue, **asked: object) -> GenerationSpec:
    request = GenerationRequest(**({"prompt": "a boat", "style": "plain"} | asked))  # type: ignore[arg-type]
    return Router(styles, catalogue).route(request, seed=1).specs[0]


def test_a_style_paints_with_its_loras_and_says_their_words(tmp_path: Path) -> None:
    styles = styles_with(tmp_path, '{ id = "wash", weight = 0.8 }, { id = "ink", trigger = "in ink" }')

    spec = spec_of(styles, catalogue_of(WASH, INK))

    assert spec.adapters == (Adapter(id="wash", weight=0.8), Adapter(id="ink", weight=1.0))
    assert spec.prompt == "a picture of a boat, wtrclr, in ink"


def test_a_style_may_silence_a_loras_word(tmp_path: Path) -> None:
    styles = styles_with(tmp_path, '{ id = "wash", trigger = "" }')

    assert spec_of(styles, catalogue_of(WASH)).prompt == "a picture of a boat"


def test_a_requests_loras_come_after_the_styles_and_overrule_its_weight(tmp_path: Path) -> None:
    styles = styles_with(tmp_path, '{ id = "wash", weight = 0.8 }')

    spec = spec_of(
        styles, catalogue_of(WASH, INK), loras=(Adapter(id="ink", weight=0.5), Adapter(id="wash", weight=0.1))
    )

    assert spec.adapters == (Adapter(id="wash", weight=0.1), Adapter(id="ink", weight=0.5))


def test_what_weighs_nothing_neither_acts_nor_says_its_word(tmp_path: Path) -> None:
    styles = styles_with(tmp_path, '{ id = "wash", weight = 0.8 }')

    spec = spec_of(
        styles, catalogue_of(WASH, INK), loras=(Adapter(id="ink", weight=0.5), Adapter(id="wash", weight=0.0))
    )

    assert spec.adapters == (Adapter(id="ink", weight=0.5),)
    assert spec.prompt == "a picture of a boat"


@pytest.mark.parametrize("catalogue", [catalogue_of(), catalogue_of(replace(WASH, family=Family.SD1))])
@pytest.mark.parametrize("model", [None, "xl"])
def test_a_style_without_its_lora_is_unavailable(tmp_path: Path, catalogue: Catalogue, model: str | None) -> None:
    styles = styles_with(tmp_path, '{ id = "wash" }')

    assert not next(entry for entry in styles.entries(catalogue) if entry.id == "plain").available
    with pytest.raises(ModelUnavailable, match="plain"):
        spec_of(styles, catalogue, model=model)


def test_a_style_without_its_lora_falls_back_on_a_family_that_needs_none(tmp_path: Path) -> None:
    text = PLAIN.format(adapters='{ id = "wash" }')
    (tmp_path / "plain.toml").write_text(
        text + text[text.index("[families") :].replace("sdxl", "sd1").split("adapters")[0]
    )

    spec = spec_of(load_styles(tmp_path), catalogue_of())

    assert (spec.model, spec.adapters) == ("old", ())


def test_auto_passes_over_a_style_whose_lora_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "plain.toml"
    file.write_text(PLAIN.format(adapters='{ id = "wash" }') + '\n[auto]\nphrases = ["gouache"]\n')
    styles = Styles([*STYLES.all(), *load_styles(tmp_path).all()])
    request = GenerationRequest(prompt="a gouache boat")

    assert Router(styles, catalogue_of(WASH)).route(request, seed=1).style_resolved == "plain"
    assert Router(styles, catalogue_of()).route(request, seed=1).style_resolved != "plain"


def test_an_unknown_lora_is_refused() -> None:
    with pytest.raises(AdapterUnknown, match="chalk") as refused:
        spec_of(STYLES, catalogue_of(), style="none", loras=(Adapter(id="chalk", weight=1.0),))
    assert refused.value.field == "loras"


def test_a_lora_of_another_family_than_the_model_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="sd1") as refused:
        spec_of(STYLES, catalogue_of(NIB), style="none", loras=(Adapter(id="nib", weight=1.0),))
    assert (refused.value.code, refused.value.field) == ("invalid_parameter", "loras")

    spec = spec_of(STYLES, catalogue_of(NIB), style="none", model="old", loras=(Adapter(id="nib", weight=1.0),))
    assert spec.prompt == "a boat, nib pen"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a boat", "a boat, ink wash"),
        ("an INK WASH boat", "an INK WASH boat"),
        ("a boat, (ink wash:1.2)", "a boat, (ink wash:1.2)"),
        ("pink washing", "pink washing, ink wash"),
    ],
)
def test_a_word_that_the_prompt_says_is_not_said_again(prompt: str, expected: str) -> None:
    assert with_triggers(prompt, ("ink wash",)) == expected
    assert with_triggers(expected, ("ink wash", "ink wash")) == expected


@pytest.mark.parametrize(
    "loras",
    [
        tuple(Adapter(id=f"l{number}", weight=1.0) for number in range(6)),
        (Adapter(id="ink", weight=2.1),),
        (Adapter(id="ink", weight=float("nan")),),
        (Adapter(id="ink", weight=1.0), Adapter(id="ink", weight=0.5)),
    ],
)
def test_a_request_keeps_within_bounds(loras: tuple[Adapter, ...]) -> None:
    with pytest.raises(RequestInvalid) as refused:
        GenerationRequest(prompt="a boat", loras=loras)
    assert refused.value.field == "loras"


@pytest.mark.parametrize(
    "adapters", ['{ id = "" }', '{ id = "a", weight = 3 }', '{ id = "a", scale = 1 }', "{ weight = 1 }"]
)
def test_a_style_names_no_nonsense(tmp_path: Path, adapters: str) -> None:
    with pytest.raises(SettingInvalid, match="adapters"):
        styles_with(tmp_path, adapters)


def test_cards_of_loras_are_read_from_their_folders(tmp_path: Path) -> None:
    models = Path(__file__).parents[2] / "configs" / "models"
    (tmp_path / "ink.toml").write_text('id = "ink"\nfamily = "sdxl"\npath = "ink.safetensors"\nlicence = "MIT"\n')

    catalogue = load_catalogue(models, root=Path("/installation"), adapters=[tmp_path / "none", tmp_path])

    assert catalogue.adapters() == (replace(INK, path=Path("/installation/ink.safetensors"), licence="MIT"),)


@pytest.mark.parametrize(
    "text",
    [
        'id = "Bad.Id"\nfamily = "sdxl"\npath = "x"\nlicence = "x"',
        'id = "ink"\nfamily = "flux"\npath = "x"\nlicence = "x"',
        'id = "ink"',
    ],
)
def test_a_wrong_card_stops_the_start_and_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "ink.toml").write_text(text)

    with pytest.raises(SettingInvalid, match=r"ink\.toml"):
        load_catalogue(Path(__file__).parents[2] / "configs" / "models", root=tmp_path, adapters=[tmp_path])
