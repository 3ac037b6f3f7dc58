"""Servers of the sample company on loopback that speak the protocols of vendors, with their limits and their faults.

One module per vendor, `serving` for what all have in common, `faults` for what goes wrong and when. The pipeline never
imports from here; the connectors cannot tell these servers from the vendors' own.
"""
