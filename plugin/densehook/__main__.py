"""`python -m densehook` is the command `densehook`."""

from .cli import main

main()
