"""How generations stop or go: cancelled, abandoned by their callers, deleted, expired; files that nobody needs.

Owns what is removed and when. Must never remove what a published row shows.
"""
