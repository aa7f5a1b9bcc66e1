"""Crowd books: the ideas and the open positions of all traders, aggregated by price.

A book is changed by `evolve_*` only, through `add` and `remove`; its levels are counted in
ticks, as wide as the instrument says (see levels). Every change touches the rows it may have
changed, so that a frame shows a row's newest values whatever happened in between.
"""
