"""`python -m remora [options] script.py …`: runs a program that nobody wants to edit, to be attached to."""

from remora._commands._launch import main

if __name__ == "__main__":
    main()
