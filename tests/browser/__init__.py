"""What people get, in a real Chromium: the pages of the public site and of the packs, from a folder and over http.

Belongs here: tests that need a browser, and the harness they share. Does not: tests of functions without one.
"""
