"""Remora: attach a debugger to this running program, over the network, and let nobody else in."""
