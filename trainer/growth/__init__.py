"""Masked structural growth: a trained network becomes a wider, deeper one that begins with the same function.

`record` is what a grown checkpoint remembers, `masks` what the network does until the growth is over, `shape` what may grow,
`blocks` which blocks new ones copy, `tensors` what each new tensor holds, `files` how they are written, `grow` the work itself,
`path` its plan.
"""
