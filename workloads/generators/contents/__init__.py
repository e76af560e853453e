"""Contents: what the pages of a recipe hold. One more is a class and a line in this table."""

from __future__ import annotations

from workloads.generators.contents.base import Content
from workloads.generators.contents.corpus import Corpus
from workloads.generators.contents.entropy import Entropy
from workloads.generators.contents.filled import Same, Zero
from workloads.generators.contents.pointers import Pointers
from workloads.generators.contents.sizes import SizesOnly
from workloads.generators.contents.text import Text

CONTENTS: dict[str, type[Content]] = {cls.name: cls for cls in (Corpus, Text, Pointers, Entropy, Zero, Same, SizesOnly)}
