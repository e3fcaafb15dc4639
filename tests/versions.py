"""The Elasticsearch versions that tests run on; DENSEHOOK_ES_VERSIONS names others.

make plugin ES=9.2.8 && DENSEHOOK_ES_VERSIONS=9.2.8 python -m pytest tests/integration
"""

from __future__ import annotations

import os

from densehook.node import ELASTICSEARCH_VERSION, RELEASES
from densehook.node.releases import release_of

VERSIONS = os.environ.get("DENSEHOOK_ES_VERSIONS", ",".join(RELEASES)).split(",")

DISTRIBUTION = next(
    (v for v in VERSIONS if release_of(v).java_program == "java"), ELASTICSEARCH_VERSION
)
"""The one of them that is a whole distribution, with security and a start script."""
