"""Publish: the only gate, one new immutable version, the switch, rollback, and what readers and operators see of it.

`columns` registers what may leave a build, `release` is the gate and the way through it, `assemble`, `copying` and
`early` write a version, `integrity` says what is in it, `switch` decides which one is current, `state` and `history`
outlive versions, `status` and `reader` look.
Add here what concerns published versions. Nothing here computes a value: what is published is what was audited.
"""

from pipelines.publish.columns import register_columns
from pipelines.publish.copying import list_takable_parts
from pipelines.publish.early import begin_early_copies, drop_early_copies
from pipelines.publish.history import record_outcome
from pipelines.publish.integrity import verify_versions
from pipelines.publish.reader import open_files, open_reader, reader_command, run_reader, write_rows
from pipelines.publish.release import PublishReport, publish_version
from pipelines.publish.state import sync_state
from pipelines.publish.status import Status, VersionInfo, list_versions, read_status, read_watermarks
from pipelines.publish.switch import clean_up, roll_back

__all__ = [
    "PublishReport",
    "Status",
    "VersionInfo",
    "begin_early_copies",
    "clean_up",
    "drop_early_copies",
    "list_takable_parts",
    "list_versions",
    "open_files",
    "open_reader",
    "publish_version",
    "read_status",
    "read_watermarks",
    "reader_command",
    "record_outcome",
    "register_columns",
    "roll_back",
    "run_reader",
    "sync_state",
    "verify_versions",
    "write_rows",
]
