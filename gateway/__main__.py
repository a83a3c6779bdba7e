"""`python -m gateway` and the `pinxit` command."""

import sys
from typing import NoReturn

from gateway.cli import run


def main() -> NoReturn:
    run(sys.argv[1:])


if __name__ == "__main__":
    main()
