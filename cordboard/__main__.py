"""`python -m cordboard` is `cordboard`."""

from cordboard.cli import main

main()
