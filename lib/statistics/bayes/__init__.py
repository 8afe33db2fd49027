"""Prior knowledge and data together, in closed form or on a grid."""

__all__ = ["grid", "knowledge", "normal", "profile", "shares"]
