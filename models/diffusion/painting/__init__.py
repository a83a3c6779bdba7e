"""One picture from its spec to its file.

spec -> starting (files, noise) -> candidates -> run -> refining -> enlarging -> picture and recipe.
Owns the order of what happens to one picture, and its progress. Must never know which other
pictures share its passes.
"""
