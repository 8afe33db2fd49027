"""What the treatment does: endpoints in time, response, course of the tumour, markers, lesions."""

__all__ = ["course", "dose_response", "kinetics", "lesion_control", "lesions", "marker_models", "markers", "other_events", "response", "shifts", "survival"]
