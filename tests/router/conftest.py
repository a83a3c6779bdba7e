from pathlib import Path

import msgspec
import pytest

from models import Catalogue, Family, load_catalogue
from router import Router, Styles, load_styles

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def styles() -> Styles:
    return load_styles(ROOT / "configs" / "styles")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "configs" / "models", root=ROOT, adapters=[ROOT / "configs" / "loras"])


@pytest.fixture(scope="session")
def router(styles: Styles, catalogue: Catalogue) -> Router:
    return Router(styles, catalogue)


@pytest.fixture(scope="session")
def no_anime(styles: Styles) -> Styles:
    """The styles, of which the model in the box cannot paint `anime`."""
    anime = styles.get("anime")
    families = {family: block for family, block in anime.families.items() if family is not Family.STARTER}
    cut = msgspec.structs.replace(anime, families=families)
    return Styles(cut if style is anime else style for style in styles.all())


@pytest.fixture(scope="session")
def router_without_anime(no_anime: Styles, catalogue: Catalogue) -> Router:
    return Router(no_anime, catalogue)
