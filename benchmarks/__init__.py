"""This project beside its peers: the same work, in one run, on one machine."""
