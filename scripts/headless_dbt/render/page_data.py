"""What report.html draws: a Run as compact JSON, and the compiled SQL packed beside it. Pure.

The page holds every node, so that each text that recurs (a status, a tag, a file's folder) stands once in ``texts`` and
is named by its place there; nodes name each other by their place in ``nodes``. What is empty is left out. Times are
whole milliseconds after ``origin``, the moment at which the first node began.
"""

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from headless_dbt.model import Neighbour, Node, Outcome, Run
from headless_dbt.render.markdown import plain, shorten
from headless_dbt.timeline import moment, spans_of

# Bounds of what the page shows of one node, and of all: it is to stay far below 10 MB.
MOST_MESSAGE, MOST_DESCRIPTION = 20_000, 2_000
MOST_TEXT = 2_000_000
# Of SQL as it is, of what it comes to when it is packed, and of all data together.
MOST_SQL, MOST_PACKED, MOST_DATA = 32_000_000, 4_500_000, 9_400_000
_RANK = (Outcome.FAILED, Outcome.WARNED, Outcome.SKIPPED, Outcome.PASSED)


class _Texts(dict[str, int]):
    """Texts by their place, as the project has them; one that is new gets the next."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


class _Room:
    """Room for so many characters in all: whoever asks first gets it."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, text: str, most: int) -> str:
        taken = shorten(plain(text).strip(), min(most, self._left)) if self._left > 0 else ""
        self._left -= len(taken)
        return taken


def page_data(run: Run) -> dict[str, Any]:
    """The data of the page. Nodes come by rank: what failed first, then what took long."""
    nodes = ranked(run)
    every: list[Node | Neighbour] = [*nodes, *_others(run, nodes)]
    places = {node.unique_id: place for place, node in enumerate(every)}
    spans = spans_of(nodes)
    # A run that was taken over whole, or that only checked freshness, has no node that ran.
    origin = min((began for began, _ in spans.values()), default=moment(run.started_at) or 0.0)
    texts, room = _Texts(), _Room(MOST_TEXT)
    rows = [
        _node(node, places, texts, room, _times(node, spans, origin))
        if isinstance(node, Node)
        else _neighbour(node, places, texts, room)
        for node in every
    ]
    context = run.request.context
    return {
        "nodes": rows,
        "texts": [plain(text) for text in texts],
        "outcomes": {texts[node.status]: node.outcome.value for node in nodes},
        "price": run.cost.usd_per_tib if run.cost else 0,
        "results": len(nodes),
        "critical": [places[name] for name in run.critical_path if name in places],
        "origin": round(origin * 1000),
        "code": f"{context.repository_url}/blob/{context.sha}" if context.sha and context.repository else "",
    }


def ranked(run: Run) -> list[Node]:
    """The nodes of a run, those first that people look for."""
    return sorted(run.nodes, key=lambda node: (_RANK.index(node.outcome), -node.blocks, -node.execution_time))


def as_json(data: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element: nothing of it can end the element, or begin a comment in it."""
    text = msgspec.json.encode(data).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028")


def packed_sql(nodes: Sequence[Node], taken: int) -> str:
    """The compiled SQL of the nodes, in their order and as many as there is room for, packed for the page.

    ``taken`` characters of the page are taken already. A JSON list of texts, deflated without a header, in base64.
    """
    most_packed = min(MOST_PACKED, MOST_DATA - taken)
    # SQL comes to a third of its size, or to less.
    most = min(MOST_SQL, 3 * most_packed)
    while True:
        room, found = most if most_packed > 0 else 0, []
        for node in nodes:
            text = plain(node.compiled_code).strip("\n") if room > 0 else ""
            room -= len(text)
            found.append(text if room >= 0 else "")
        while found and not found[-1]:
            found.pop()
        packer = zlib.compressobj(level=4, wbits=-zlib.MAX_WBITS)
        raw = msgspec.json.encode(found)
        packed = base64.b64encode(packer.compress(raw) + packer.flush()).decode()
        if not found or len(packed) <= most_packed:
            return packed if found else ""
        # As much as should fit, by what the first attempt came to.
        most = int(min(most, len(raw)) * 0.95 * max(0, most_packed) / len(packed))


def _others(run: Run, nodes: Iterable[Node]) -> list[Neighbour]:
    there = {node.unique_id for node in nodes}
    return [each for each in run.neighbours if each.unique_id not in there]


def _times(node: Node, spans: Mapping[str, tuple[float, float]], origin: float) -> tuple[int, int] | None:
    if node.unique_id not in spans:
        return None
    began, ended = spans[node.unique_id]
    return round((began - origin) * 1000), round((ended - origin) * 1000)


def _node(
    node: Node, places: Mapping[str, int], texts: _Texts, room: _Room, times: tuple[int, int] | None
) -> dict[str, Any]:
    passed = node.outcome is Outcome.PASSED
    return _filled(
        **_shared(node, places, texts, room),
        # Of what went well dbt only repeats the counts.
        message="" if passed else room.take(node.message, MOST_MESSAGE),
        advice=room.take(node.advice, MOST_DESCRIPTION),
        status=texts[node.status],
        line=node.line or None,
        seconds=round(node.execution_time, 3),
        start=times[0] if times else None,
        end=times[1] if times else None,
        compile=round(node.compile_time, 3) or None,
        execute=round(node.execute_time, 3) or None,
        waiting=round(node.waiting_time, 3) or None,
        thread=texts[node.thread] if node.thread else None,
        failures=node.failures,
        blocks=node.blocks or None,
        tries=node.tries if node.tries != 1 else None,
        rows=node.rows,
        processed=node.bytes_processed,
        billed=node.bytes_billed,
        slots=node.slot_ms,
        kind=texts[node.materialized] if node.materialized not in ("", node.resource_type) else None,
        relation=room.take(node.relation_name, 300),
        properties=texts[node.properties_file] if node.properties_file else None,
        tests=places.get(node.attached_to) if len(node.depends_on) > 1 else None,
        freshness=_filled(**msgspec.structs.asdict(node.freshness)) if node.freshness else None,
    )


def _neighbour(node: Neighbour, places: Mapping[str, int], texts: _Texts, room: _Room) -> dict[str, Any]:
    return _filled(
        **_shared(node, places, texts, room),
        kind=texts[node.kind] if node.kind else None,
        url=shorten(plain(node.url), 500),
    )


def _shared(node: Node | Neighbour, places: Mapping[str, int], texts: _Texts, room: _Room) -> dict[str, Any]:
    return {
        "id": plain(node.unique_id),
        # Most are called what their id says third.
        "name": plain(node.name) if [node.name] != node.unique_id.split(".")[2:3] else "",
        "type": texts[node.resource_type],
        "file": texts[node.file] if node.file else None,
        "description": room.take(node.description, MOST_DESCRIPTION),
        "group": texts[node.group] if node.group else None,
        "owners": [texts[owner] for owner in node.owners],
        "tags": [texts[tag] for tag in node.tags],
        "parents": [places[name] for name in node.depends_on if name in places],
    }


def _filled(**values: Any) -> dict[str, Any]:
    """Without what says nothing. A count of 0 says something, and so does the first place."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [])}
