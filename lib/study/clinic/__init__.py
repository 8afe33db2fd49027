"""The parts of a study that tell what was measured and given: tumours, markers, treatment, adverse events."""

__all__ = ["harms", "markers", "treatment", "tumour"]
