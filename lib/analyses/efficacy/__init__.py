"""What the treatment does: endpoints in time, response, course of the tumour, markers, lesions."""

__all__ = ["course", "kinetics", "lesions", "marker_models", "markers", "other_events", "response", "survival"]
