"""What an owner decides: typed models of the files in `config/`, and one loader that reports every problem at once.

Add a module here for a new file of `config/`. What depends on the machine belongs into `pipelines.settings`.
"""

from pipelines.configuration.company import CompanyConfig
from pipelines.configuration.load import Configuration, load_company, load_configuration
from pipelines.configuration.sources import EntityConfig, FormatConfig, SourceConfig

__all__ = [
    "CompanyConfig",
    "Configuration",
    "EntityConfig",
    "FormatConfig",
    "SourceConfig",
    "load_company",
    "load_configuration",
]
