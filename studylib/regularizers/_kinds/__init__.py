"""The kinds of regularization, by the place where they touch training; ``base`` offers all of them."""
