"""Which of a model folder's named prompts stand before queries, and which before documents.

The names are those that sentence-transformers' encode_query and encode_document look for; what
``default_prompt_name`` names is put before every text that has no prompt of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..bundle.manifest import ROLES, Role
from ..errors import RecipeError

_NAMES: Mapping[Role, Sequence[str]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}


@dataclass(frozen=True)
class Prompts:
    """A folder's prompts, by role where it says so.

    Of the roles that it says nothing of, ``undecided`` are those that one of its other prompts may
    be meant for; only a recipe can tell. ``unplaced`` are the names that no role has.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    by_role: Mapping[Role, str] = field(default_factory=dict)
    undecided: Sequence[Role] = ()
    unplaced: Sequence[str] = ()

    def require_decided(self, said: Mapping[str, str]) -> None:
        """Raises RecipeError when a role is undecided that a recipe, too, does not speak of."""
        silent = [role for role in self.undecided if role not in said]
        if silent:
            raise RecipeError(
                f"the model folder has prompts named {_listed(self.named)}, and does not say which"
                f" of them, if any, goes before a {' or a '.join(silent)}; write it into the"
                f' recipe, "" for none: [prompts] {", ".join(f"{role} = ..." for role in silent)}'
            )


def place_prompts(named: Mapping[str, str], default: str | None) -> Prompts:
    """Gives each role the prompt of its own name, else the default one.

    sentence-transformers writes ``query`` and ``document`` without text into each folder it saves.
    One of them says that there is no prompt only where the other one has text. A default that is
    named after one role is not known to be meant for the other: encode() puts it there,
    encode_query and encode_document do not. Raises RecipeError for a default that is not there.
    """
    if default is not None and default not in named:
        raise RecipeError(
            f"the model folder's default_prompt_name is {default!r}, and its prompts have the names"
            f" {_listed(named) or '(none)'}; correct config_sentence_transformers.json"
        )
    names = {role: _own_name(named, role) for role in ROLES}
    roles_have_text = any(named[name] for name in names.values() if name is not None)
    of_other_role = {
        role: any(default in _NAMES[other] for other in ROLES if other != role) for role in ROLES
    }
    for role, name in names.items():
        if name is not None and (named[name] or roles_have_text):
            continue
        names[role] = None if of_other_role[role] else default
    unplaced = [name for name, text in named.items() if text and name not in names.values()]
    undecided = [
        role
        for role, name in names.items()
        if name is None and (unplaced or (of_other_role[role] and named[default or ""]))
    ]
    by_role = {role: named[name] for role, name in names.items() if name is not None}
    return Prompts(named, by_role, undecided, unplaced)


def _own_name(named: Mapping[str, str], role: Role) -> str | None:
    there = [name for name in _NAMES[role] if name in named]
    return next((name for name in there if named[name]), there[0] if there else None)


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(repr(name) for name in names)
