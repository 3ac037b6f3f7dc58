"""The sample company: a German retailer with a CRM, a shop and a support desk, and the truth about who is who.

`generate_sample` writes it. One module per concern: the people and what they do, what goes wrong (`noise`), one module
per system, and how files are written. The pipeline itself never imports from here and never reads the truth.
"""

from pipelines.sample.breaking import break_sample
from pipelines.sample.folder import SampleReport, generate_sample, is_sample_of

__all__ = ["SampleReport", "break_sample", "generate_sample", "is_sample_of"]
