"""What Remora needs of the interpreter itself: frames, threads, forks, C calls; each with its fallback."""
