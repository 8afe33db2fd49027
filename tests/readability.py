"""How hard a text is to read: the grade of Flesch and Kincaid (Kincaid JP et al., 1975, Research Branch Report 8-75).

    grade(["The cat sat on the mat.", "It was warm."])

Syllables are counted by groups of vowels: over the page for patients the grade is that of textstat 0.7.4, which hyphenates by
a dictionary, or up to one and a half above.
"""

from __future__ import annotations

__all__ = ["grade", "syllables"]

import re
from collections.abc import Iterable


def syllables(word: str) -> int:
    """Groups of vowels; an e at the end, in -ed or in -es that is not spoken is none."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    stem = re.sub(r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouycghlsxz])es$", "", plain)
    return max(1, len(re.findall(r"[aeiouy]+", stem)))


def grade(sentences: Iterable[str]) -> float:
    """0.39 words per sentence + 11.8 syllables per word - 15.59; a number is a word of one syllable."""
    texts = [words for sentence in sentences if (words := re.findall(r"[\w’'-]+", sentence))]
    words = [word for text in texts for word in text]
    return 0.39 * len(words) / len(texts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
