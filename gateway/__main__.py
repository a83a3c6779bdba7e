"""`python -m gateway` and the `pinxit` command."""

import sys

from gateway.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
