"""What every part of the stack needs, once: typed config, storage by URI, a run's directory, the line of stages, progress."""

__version__ = "0.1.0"
