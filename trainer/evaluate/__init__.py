"""How good a model is: validation loss and bits per byte, by domain and language."""
