"""What a page may show of a query: charts, tables, big values. Each says the same in words, table and CSV.

Belongs here: rows in, `Figure` or HTML out. Does not: reading data, or where a file
is put (the engine does both).
"""
