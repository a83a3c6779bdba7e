"""One picture from its spec to its file.

generation -> drawing: candidates -> starting (noise, or a picture) -> run (passes, beats) -> refining;
then the picture's pixels and the recipe. Owns the order of what happens to one picture, and its
progress. Must never know which other pictures share its passes.
"""
