"""What should paint this: a request with gaps becomes complete specs, and says why.

request -> style (asked for, or found by `auto`) -> model -> text -> size plan -> one spec a picture. Owns the styles
and everything a style decides. Must never draw chance, read a clock or touch a model's weights: the same request and
seed give the same route.
"""

from router.auto_style import StyleChoice, choose_style
from router.enhancement import enhance
from router.routing import Route, Router, price_of
from router.size_plan import plan_size
from router.styles import AUTO, THUMBNAILS, NegativeMerge, Style, StyleEntry, Styles, StyleUnknown, load_styles

__all__ = [
    "AUTO",
    "THUMBNAILS",
    "NegativeMerge",
    "Route",
    "Router",
    "Style",
    "StyleChoice",
    "StyleEntry",
    "StyleUnknown",
    "Styles",
    "choose_style",
    "enhance",
    "load_styles",
    "plan_size",
    "price_of",
]
