"""The command line: a server, a painter without one, and the operator's commands.

run -> typer -> one file a command. Owns what is printed. Must never be slow to open: each command imports what it
needs when it is called.
"""

from gateway.cli.app import run

__all__ = ["run"]
