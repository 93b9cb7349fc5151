"""Trainers: how weights are found, what may be asked of them, what is measured of them."""
