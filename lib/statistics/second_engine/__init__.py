"""The same numbers once more, by another engine or a formula written out; shares no code with the first."""

__all__ = ["ancova", "clustered", "competing", "cox", "imputed", "mixed", "nested", "ranks", "regression", "shares", "survival"]
