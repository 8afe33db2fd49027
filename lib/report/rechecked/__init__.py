"""What the self-check of a page computes again, a file a subject; recheck asks them all."""

__all__ = ["fit", "imputed", "lesions", "parts", "regressions", "shares"]
