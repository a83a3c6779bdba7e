from pathlib import Path

import pytest

from models import Catalogue, load_catalogue
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
