"""What a notebook says about itself: start, header, recorded results, methods, published claims, colophon."""

__all__ = ["published", "report", "results"]
