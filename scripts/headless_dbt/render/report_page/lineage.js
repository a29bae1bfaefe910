// The lineage of one node: what it is made of on its left, what is made of it on its right.

const BOX = { width: 190, height: 30, gapX: 46, gapY: 10 };
const MOST_BOXES = 120;

/**
 * Every node up (or down) from a node, with how many steps it is away; tests are no part of it.
 * @param {ProjectNode} start
 * @param {"parents" | "children"} direction
 * @param {number} most steps
 */
function stepsFrom(start, direction, most) {
  /** @type {Map<ProjectNode, number>} */
  const found = new Map([[start, 0]]);
  for (const [node, depth] of found) {
    if (depth >= most) continue;
    for (const place of node[direction]) {
      const next = nodes[place];
      if (!found.has(next) && !isTest(next)) found.set(next, depth + 1);
    }
  }
  found.delete(start);
  return found;
}

/**
 * The picture of a node's lineage, and how much of it found no room.
 * @param {ProjectNode} node
 * @param {number} depth
 * @returns {{figure: Element, left: number, total: number}}
 */
function drawLineage(node, depth) {
  // What a test is about lies before it.
  const up = stepsFrom(node, "parents", depth);
  const down = stepsFrom(node, "children", depth);
  for (const each of up.keys()) down.delete(each);
  const near = [...up].map(([each, steps]) => /** @type {const} */ ([each, -steps])).concat([...down]);
  near.sort(([, a], [, b]) => Math.abs(a) - Math.abs(b));
  const kept = near.slice(0, MOST_BOXES);
  const columns = new Map([[0, [node]]]);
  for (const [each, steps] of kept) columns.set(steps, [...(columns.get(steps) ?? []), each]);
  const order = [...columns.keys()].sort((a, b) => a - b);
  arrange(columns, order);
  const tallest = Math.max(...[...columns.values()].map((column) => column.length));
  const height = tallest * (BOX.height + BOX.gapY) + BOX.gapY;
  const width = order.length * (BOX.width + BOX.gapX) - BOX.gapX + 4;
  /** @type {Map<ProjectNode, {x: number, y: number}>} */
  const at = new Map();
  for (const [index, steps] of order.entries()) {
    const column = columns.get(steps) ?? [];
    const top = (height - column.length * (BOX.height + BOX.gapY) + BOX.gapY) / 2;
    for (const [place, each] of column.entries())
      at.set(each, { x: 2 + index * (BOX.width + BOX.gapX), y: top + place * (BOX.height + BOX.gapY) });
  }
  const figure = picture("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "group",
    "aria-label": `Lineage of ${node.name}`,
  });
  for (const [each, to] of at) {
    for (const place of each.parents) {
      const from = at.get(nodes[place]);
      if (from) figure.append(edge(from, to, nodes[place].critical && each.critical));
    }
  }
  for (const [each, place] of at) figure.append(box(each, place, each === node));
  return { figure, left: near.length - kept.length, total: near.length };
}

/**
 * Put each node near those that it is joined to: two sweeps by the mean of their places.
 * @param {Map<number, ProjectNode[]>} columns
 * @param {number[]} order
 */
function arrange(columns, order) {
  for (const sweep of [order, [...order].reverse(), order]) {
    const rank = new Map();
    for (const steps of sweep) {
      const column = columns.get(steps) ?? [];
      const mean = new Map(
        column.map((each, index) => {
          const joined = [...each.parents, ...each.children]
            .map((place) => rank.get(place))
            .filter((place) => place !== undefined);
          return [
            each,
            joined.length ? joined.reduce((sum, place) => sum + place, 0) / joined.length : index / column.length,
          ];
        }),
      );
      column.sort((a, b) => (mean.get(a) ?? 0) - (mean.get(b) ?? 0));
      for (const [index, each] of column.entries()) rank.set(each.place, (index + 0.5) / column.length);
    }
  }
}

/**
 * @param {{x: number, y: number}} from
 * @param {{x: number, y: number}} to
 * @param {boolean} critical
 */
function edge(from, to, critical) {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return picture("path", {
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
    class: critical ? "edge critical" : "edge",
  });
}

/**
 * @param {ProjectNode} node
 * @param {{x: number, y: number}} place
 * @param {boolean} chosen
 */
function box(node, place, chosen) {
  const name = node.name.length > 24 ? `${node.name.slice(0, 23)}…` : node.name;
  const outcome = node.outcome || (["exposure", "step"].includes(node.type) ? node.type : "around");
  const link = picture(
    "a",
    {
      href: hashOf(node),
      class: `box ${outcome}${chosen ? " chosen" : ""}`,
      "aria-label": `${node.name}, ${node.type}, ${node.status || "not in this run"}`,
    },
    picture("rect", {
      x: place.x,
      y: place.y,
      width: BOX.width,
      height: BOX.height,
      rx: ["exposure", "step"].includes(node.type) ? 15 : 4,
    }),
    picture("text", { x: place.x + 10, y: place.y + 20 }, name),
    picture("title", {}, `${node.id} ${node.status}`),
  );
  if (chosen) link.setAttribute("aria-current", "true");
  return link;
}
