"""The post's claims, one by one: each held against the runs of the studies that are there."""
