"""What final still lacks, each thing by its code and a detail that names item, point, finding or officer.

`conflict` {path}; `unanswered_point` {item, point}; `finding` `evidence` `attempts` `circumstance` `followup` `basis`
{item}; `order_deadline` {item, finding}; `result` {item}, or {} for the visit's; `result_mismatch` {item}, with {point}
or {finding} where that forbids the type, {} for the visit's, {op} for a proposal; `signature` `signature_stale`
`signature_weak` `signature_image` `interest_undeclared` {officer}; `subject_signature` {}; `digest_changed` {op};
`crew` {officer} who has an interest, {} for too few or no leader; `media` {sha256}.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any, Final

from server.domain.result import Item, Material, Medium, Missing, needs_subject, result_missing
from server.domain.visit import Crew
from server.sync.changes import Shown
from server.sync.ops import Op, canonical
from server.sync.signing import Signature
from server.sync.standing import has_declared

#: In the order in which they are listed; `media` alone is for publication, and named only once final stands.
CODES: Final = (
    "conflict", "unanswered_point", "finding", "evidence", "attempts", "order_deadline", "circumstance", "followup",
    "basis", "result", "result_mismatch", "signature", "signature_stale", "signature_weak", "signature_image",
    "subject_signature", "digest_changed", "interest_undeclared", "crew", "media",
)  # fmt: skip


def missing_for_final(
    shown: Shown,
    items: Sequence[Item],
    signatures: Sequence[Signature],
    proposals: Sequence[Op],
    ops: Mapping[str, Op],
    recused: Collection[str],
) -> list[Missing]:
    """All of it, without repeats, in the order of `CODES` and then of the details."""
    missing = [
        *(Missing("conflict", {"path": list(it.path)}) for it in shown.folded.conflicts),
        *result_missing(material_of(shown), items),
        *_unsigned(shown.crew, signatures),
        *_subject_missing(shown.content["content"], shown.crew, signatures, ops),
        *_proposals_missing(shown, proposals),
        *_crew_missing(shown, recused),
    ]
    found = {(CODES.index(it.code), canonical(it.detail).decode().encode("utf-16-be")): it for it in missing}
    return [found[key] for key in sorted(found)]


def missing_for_publication(shown: Shown, here: Container[str]) -> list[Missing]:
    """The media of a final record whose bytes aren't here yet."""
    media = [it["sha256"] for it in shown.content["media"]]
    return [Missing("media", {"sha256": sha256}) for sha256 in media if sha256 not in here]


def material_of(shown: Shown) -> Material:
    """What the rules of the results look at."""
    folded, content = shown.folded, shown.content["content"]
    media = []
    for sha256, fields in content["media"].items():
        op = folded.media[sha256].first
        val = op.val
        media.append(Medium(val["mime"], val["for"], val["taken"], op.geo is not None, fields.get("caption")))
    rows = sorted(row for row, thing in folded.rows.items() if thing.alive)
    return Material(content, {row: content["finding"].get(row, {}) for row in rows}, media)


#: An officer's best signature decides what is said of him.
_UNSIGNED: Final = {"weak": "signature_weak", "awaiting_image": "signature_image", "stale": "signature_stale"}


def _unsigned(crew: Crew, signatures: Sequence[Signature]) -> list[Missing]:
    """R23.2: every current member signs what stands today."""
    missing = []
    for officer in crew.members:
        states = {it.state for it in signatures if it.signer == officer}
        if "current" not in states:
            code = next((code for state, code in _UNSIGNED.items() if state in states), "signature")
            missing.append(Missing(code, {"officer": officer}))
    return missing


def _subject_missing(
    content: dict[str, Any], crew: Crew, signatures: Sequence[Signature], ops: Mapping[str, Op]
) -> list[Missing]:  # fmt: skip
    """R23.2: the subject's representative signs, or his refusal is witnessed, by a witness or by another member."""
    if not needs_subject(content):
        return []
    current = [it for it in signatures if it.state == "current"]
    for it in current:
        if it.signer == "subject":
            op = ops[it.op]
            others = {"witness", *crew.members} - {op.author}
            if op.val["image"] is not None or any(other.signer in others for other in current):
                return []
    return [Missing("subject_signature", {})]


def _crew_missing(shown: Shown, recused: Collection[str]) -> list[Missing]:
    """R18.2, R20.3: a leader, two members without an interest, and a word from each on whether he has one."""
    crew = shown.crew
    missing = [] if crew.stands(recused) else [Missing("crew", {})]
    for officer in crew.members:
        if officer in recused:
            missing.append(Missing("crew", {"officer": officer}))
        elif not has_declared(shown.folded, officer):
            missing.append(Missing("interest_undeclared", {"officer": officer}))
    return missing


def _proposals_missing(shown: Shown, proposals: Sequence[Op]) -> list[Missing]:
    """A proposal waits while the content is another than it was made over, and fails where its result is another."""
    today = [op for op in proposals if op.val["digest"] == shown.digest]
    if not today:
        return [Missing("digest_changed", {"op": op.id}) for op in proposals]
    result = shown.content["content"]["visit"].get("result")
    return [Missing("result_mismatch", {"op": op.id}) for op in today if op.val["result"] != result]
