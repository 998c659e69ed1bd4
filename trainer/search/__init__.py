"""Values found on a narrow proxy, carried to a wide model, and its loss foretold.

`combination` is the seven hyper-parameters, `transfer` carries them, `trials` runs them, `judge` ranks them, `search` is the
whole of that; `fit` says what a wider model will reach, and `predict` is the whole of that.
"""
