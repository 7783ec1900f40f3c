"""Calls without a telephone: the flows of a site, their own interpreter, and a time that passes as one likes."""
