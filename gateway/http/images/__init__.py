"""Files of pictures, addresses of their variants, and the question whether we made a file.

Owns delivery by public name. Must never show what no published row names.
"""
