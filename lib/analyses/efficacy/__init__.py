"""What the treatment does: endpoints in time, response, course of the tumour, markers, lesions."""

__all__ = ["course", "lesions", "marker_models", "markers", "other_events", "response", "shifts", "survival"]
