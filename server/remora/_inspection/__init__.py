"""Looking at values, tasks and bytecode without running any of the program's code."""
