"""The words of the site's frame in each language, from `labels.yml`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("labels.yml")

#: The language that all content is written in; pages in it stand at the root of the site.
MAIN_LANGUAGE = "en"


def labels(language: str = MAIN_LANGUAGE) -> Mapping[str, str]:
    """Label -> words in one language. Raises ValueError for a language that labels.yml does not have."""
    found = all_labels()
    if language not in found:
        raise ValueError(
            f"labels.yml has no language {language!r}; it has {', '.join(found)}. Write its labels first."
        )
    return found[language]


@functools.cache
def all_labels(path: Path = _FILE) -> Mapping[str, Mapping[str, str]]:
    """Language -> label -> words.

    Raises ValueError naming the labels that a language lacks, has besides the others, or leaves empty.
    """
    facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    main = facts[MAIN_LANGUAGE]
    for language, words in facts.items():
        missing, added = sorted(set(main) - set(words)), sorted(set(words) - set(main))
        empty = sorted(key for key, text in words.items() if not isinstance(text, str) or not text.strip())
        for what, keys in (("lacks", missing), ("alone has", added), ("leaves empty", empty)):
            if keys:
                raise ValueError(f"{path.name}: {language} {what} {', '.join(keys)}; all languages need all.")
    return {language: dict(words) for language, words in facts.items()}
