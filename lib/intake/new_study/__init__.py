"""Any clinic's file -> a proposed study: what its columns are, what had to be guessed, tables tidied, study.yml written."""

__all__ = ["folder", "headers", "reading", "recognition", "template"]
