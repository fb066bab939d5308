"""The fault sweep: a program run once for every fault at every call, and judged by what each run left behind.

In the order of a sweep: `plan` makes the cells, `runner` runs them, `trial` is one run, `verdict` judges it, `results`
keeps what was found, `explanation` writes a sentence about each cell, and `report` shows all of it.
"""
