"""Activate: who is contacted for what, computed and exported, never sent.

Add here what decides who is in an audience. Exclusions are dbt models; what is sent out belongs to deliver.
"""

from pipelines.activate.audiences import AudienceCount, AudienceReport, build_audiences
from pipelines.activate.export import export_audiences

__all__ = ["AudienceCount", "AudienceReport", "build_audiences", "export_audiences"]
