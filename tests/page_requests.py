"""The requests that a page shows, as somebody sends them who copies them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

_REQUEST = re.compile(r"```sh\n(curl .*?)```", re.DOTALL)


def answers_of(section: str, url: str) -> list[Any]:
    """What a node at this address answers to each, in their order; fails where one is refused."""
    answers = []
    for command in _REQUEST.findall(section):
        asked = command.replace("localhost:9200", url.removeprefix("http://"))
        asked = asked.replace("curl ", "curl -sSf ", 1)
        done = subprocess.run(["bash", "-c", asked], check=True, capture_output=True)
        answers.append(json.loads(done.stdout))
    return answers
