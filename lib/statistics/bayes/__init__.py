"""Prior knowledge and data together, in closed form or on a grid."""

__all__: list[str] = []
