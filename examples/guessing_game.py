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
