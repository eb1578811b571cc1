"""One debugging session: attaching, breakpoints, run control, looking, coming back."""
