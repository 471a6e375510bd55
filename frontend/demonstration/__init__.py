"""The demonstration: one bank, eight agencies and a year of their work, made through the services.

It stands in the highest chapter because it uses every other. `story.tell` is the whole of it.
"""
