"""The program that `remora demo` debugs: the guessing game of the examples, as text."""

from __future__ import annotations

__all__ = ["GAME", "with_remora"]

GAME = """\
# A small game to try a debugger on: run it, attach to it, cheat.
import random

number = random.randint(1, 20)
guesses_taken = 0

print("Hello! What is your name?")
name = input("> ")
print(f"Well, {name}, I am thinking of a number between 1 and 20.")

while guesses_taken < 6:
    print("Take a guess.")
    guess = int(input("> "))
    guesses_taken += 1
    if guess < number:
        print("Your guess is too low.")
    elif guess > number:
        print("Your guess is too high.")
    else:
        break

if guess == number:
    print(f"Good job, {name}! You guessed my number in {guesses_taken} guesses.")
else:
    print(f"Nope. The number I was thinking of was {number}.")
"""

_ENABLE = """\
import os
import remora

address = remora.enable_attach(os.environ.pop("DEMO_SECRET"), ("127.0.0.1", 0), "demo.crt", "demo.key")
print("Listening on", *address)

"""


def with_remora() -> str:
    """The game with the lines put before it that let a debugger in."""
    _, _, rest = GAME.partition("\n")
    return _ENABLE + rest
