"""Pages for people: the web page, the reference, one page for each error code. All work offline.

Owns the texts of error codes and the policy of content that pages are served with. Must never ask for a key: what a page
needs, it asks the API for.
"""
