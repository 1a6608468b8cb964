"""A survey of the broker: what it really does, against what this program takes for true.

It only reads, and slowly. Each assumption has a name, a sentence and a look at the broker.
"""
