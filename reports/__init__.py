"""Facts become documents: draft releases of open data, flags for the Programme Board, figures back to bodies.

Reads a verified warehouse file and writes finished folders. Nothing here decides what may be published: the
open data marts do, and the dbt exposures say which of them leave the house.
"""
