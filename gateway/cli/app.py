"""Commands, their options, and how errors become one line and an exit code."""

import gc
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.cli.operators import operators
from models import DEFAULT_STRENGTH, MAX_SEED, DomainError, Family, GenerationRequest, Quality

EXIT_DIFFERENT = 1
EXIT_REFUSED = 2

app = typer.Typer(
    name="pinxit",
    help="A self-hosted text-to-image service: the same request gives the same pixels.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
models = typer.Typer(help="The models of this installation.", no_args_is_help=True)
loras = typer.Typer(help="The LoRAs of this installation.", no_args_is_help=True)
styles = typer.Typer(help="The looks on offer.", no_args_is_help=True)
for name, group in operators.items():
    app.add_typer(group, name=name)
app.add_typer(models, name="models")
app.add_typer(loras, name="loras")
app.add_typer(styles, name="styles")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def run(arguments: list[str]) -> NoReturn:
    """One call of the command line.

    Raises:
        SystemExit: always. What we refuse on purpose is one line on stderr and code 2; a defect is a traceback.
    """
    try:
        app(args=arguments, prog_name="pinxit")
    except DomainError as error:
        typer.echo(f"pinxit: {error.message}", err=True)
        raise SystemExit(EXIT_REFUSED) from None
    except OSError as error:
        if error.filename is None:  # no file that somebody chose: a defect
            raise
        typer.echo(f"pinxit: {error.filename}: {error.strerror}.", err=True)
        raise SystemExit(EXIT_REFUSED) from None
    raise SystemExit(0)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"pinxit {version('pinxit')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """What stands before the command."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (PINXIT_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PINXIT_PORT).")] = None,
) -> None:
    """Start the server. Settings come from configs/gateway.toml and PINXIT_* variables."""
    from gateway.cli.listening import listening
    from gateway.settings import load_settings

    settings = load_settings(host=host, port=port)
    with listening(settings) as listener:
        gc.disable()  # an eighth of the imports' time is spent looking for garbage that is not there yet
        from gateway.cli.serving import serve as start

        gc.freeze()
        gc.enable()
        start(settings, listener)


@app.command("paint", hidden=True)
@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What to paint.")],
    style: Annotated[str, typer.Option(help="A style's id; `pinxit styles list` shows them.")] = "auto",
    seed: Annotated[int | None, typer.Option(help=f"0 to {MAX_SEED}; the same seed paints the same picture.")] = None,
    width: Annotated[int | None, typer.Option(help="A multiple of 8 from 256 to 2048.")] = None,
    height: Annotated[int | None, typer.Option(help="A multiple of 8 from 256 to 2048.")] = None,
    quality: Annotated[Quality | None, typer.Option(help="How much work goes into it.")] = None,
    negative_prompt: Annotated[str, typer.Option(help="What must not be in the picture.")] = "",
    model: Annotated[str | None, typer.Option(help="A model's id; the style decides otherwise.")] = None,
    lora: Annotated[list[str] | None, typer.Option(help="A LoRA's id, or id:weight; may be said again.")] = None,
    upscale: Annotated[bool, typer.Option("--upscale", help="Four times the width and height.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .png, .jpg, .webp or .avif file.")] = Path(
        "pinxit.png"
    ),
    recipe: Annotated[Path | None, typer.Option(help="Write the recipe here, as JSON for `replay`.")] = None,
    init_image: Annotated[Path | None, typer.Option(help="Start from this picture.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Paint only where this picture is white, and opaque.")] = None,
    strength: Annotated[
        float, typer.Option(help="How far to leave the first picture, above 0 up to 1.")
    ] = DEFAULT_STRENGTH,
) -> None:
    """Paint one picture without a server."""
    from gateway.cli.loras import read_choice
    from gateway.cli.painting import paint
    from gateway.cli.source_images import ImageFiles
    from gateway.settings import load_settings

    request = GenerationRequest(
        prompt=prompt,
        style=style,
        seed=seed,
        width=width,
        height=height,
        quality=quality,
        negative_prompt=negative_prompt,
        model=model,
        upscale=upscale,
        loras=tuple(map(read_choice, lora or ())),
    )
    given_images = ImageFiles(image=init_image, mask=mask, strength=strength)
    paint(load_settings(), request, output, recipe_file=recipe, given_images=given_images)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recipe as JSON, or a picture of ours, which holds its own.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .png, .jpg, .webp or .avif file.")] = Path(
        "again.png"
    ),
    index: Annotated[int, typer.Option(min=0, help="Which of several recipes in the file, from 0.")] = 0,
    init_image: Annotated[Path | None, typer.Option(help="The file that the picture began from.")] = None,
    mask: Annotated[Path | None, typer.Option(help="The mask that bounded what was painted.")] = None,
) -> None:
    """Paint a picture again and say whether it is the same. Exit code 1: it is not."""
    from gateway.cli.replaying import replay_file
    from gateway.cli.source_images import ImageFiles
    from gateway.settings import load_settings

    given_images = ImageFiles(image=init_image, mask=mask)
    if not replay_file(load_settings(), file, output, index=index, given_images=given_images):
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document, as `/openapi.json` serves it."""
    from gateway.cli.printing import print_json
    from gateway.http import make_api

    print_json(make_api().openapi())


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """Show every model with its family and folder."""
    from gateway.cli.models import show_models

    show_models(as_json=as_json)


@models.command("add")
def add_model(
    path: Annotated[
        Path, typer.Argument(help="A diffusers folder, a .safetensors checkpoint (SD 1.x, 2.x, SDXL) or upscaler.")
    ],
    id: Annotated[str | None, typer.Option(help="Its name here; the path's otherwise.")] = None,
    is_default: Annotated[bool, typer.Option("--default", help="Paint or enlarge with it from now on.")] = False,
    prediction: Annotated[
        str | None, typer.Option(help="epsilon or v_prediction, where a checkpoint does not say it itself.")
    ] = None,
) -> None:
    """Put a model into the catalogue; a running server sees it at its next start."""
    from gateway.cli.models import add
    from models import RequestInvalid
    from models.single_file import Prediction

    if prediction not in {None, *Prediction}:
        raise RequestInvalid(f"--prediction is epsilon or v_prediction, not {prediction!r}.", field="prediction")
    add(path, id=id, is_default=is_default, prediction=Prediction(prediction) if prediction else None)


@models.command("default")
def choose_default_model(id: Annotated[str, typer.Argument(help="Its name, as `models list` shows it.")]) -> None:
    """Paint with this model where a request names none; a running server does so from its next start."""
    from gateway.cli.models import make_default

    make_default(id)


@models.command("remove")
def remove_model(id: Annotated[str, typer.Argument(help="Its name, as `models list` shows it.")]) -> None:
    """Take a model that was added, or an upscaler, out of the catalogue, with the files that were made of it."""
    from gateway.cli.models import remove

    remove(id)


@loras.command("list")
def list_loras(as_json: Json = False) -> None:
    """Show every LoRA with the family that it is made for."""
    from gateway.cli.loras import show_loras

    show_loras(as_json=as_json)


@loras.command("add")
def add_lora(
    file: Annotated[Path, typer.Argument(help="A .safetensors file, as diffusers, kohya's scripts or A1111 write it.")],
    id: Annotated[str | None, typer.Option(help="Its name here; the file's otherwise.")] = None,
    family: Annotated[
        Family | None, typer.Option(help="The models it is made for, where the file does not say.")
    ] = None,
    trigger: Annotated[str | None, typer.Option(help="The word that it listens to.")] = None,
    licence: Annotated[str, typer.Option(help="Under what terms it may be used.")] = "as its file says",
) -> None:
    """Put a LoRA into the catalogue; a running server sees it at its next start."""
    from gateway.cli.loras import add_lora as add

    add(file, id=id, family=family, trigger=trigger, licence=licence)


@loras.command("remove")
def remove_lora(id: Annotated[str, typer.Argument(help="Its name, as `loras list` shows it.")]) -> None:
    """Take a LoRA that was added out of the catalogue, with its copy."""
    from gateway.cli.loras import remove_lora as remove

    remove(id)


@styles.command("list")
def list_styles(as_json: Json = False) -> None:
    """Show every style and whether a model here can paint it."""
    from gateway.cli.models import show_styles

    show_styles(as_json=as_json)


@styles.command("paint-thumbnails")
def paint_style_thumbnails(
    prompt: Annotated[str, typer.Option(help="What all of them show.")] = "a red lighthouse by the sea at sunset",
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED)] = 8,
) -> None:
    """Paint one prompt in every style, small; a server shows them from its next start."""
    from gateway.cli.thumbnails import paint_thumbnails
    from gateway.settings import load_settings

    paint_thumbnails(load_settings(), prompt=prompt, seed=seed)
