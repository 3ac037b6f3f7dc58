"""The sample company: a German group of two legal entities with ten systems, and the truth about who is who.

`generate_sample` writes it. One module per concern: the people and what they do (`persons`, `behaviour`), what goes
wrong (`noise`), one module per system, how files are written, and how a company of any size is made (`chunks`). The
pipeline itself never imports from here and never reads the truth.
"""

from pipelines.sample.breaking import break_sample, read_defects
from pipelines.sample.folder import SampleReport, generate_sample, is_sample_of

__all__ = ["SampleReport", "break_sample", "generate_sample", "is_sample_of", "read_defects"]
