"""Is what a record, its notebook and its page say what is found again?"""
