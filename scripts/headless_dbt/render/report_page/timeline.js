// The timeline: a bar for every node on its thread, the critical path in it, and beneath it how many ran at once.

const LANE = { height: 20, gap: 4, label: 46, axis: 22, concurrency: 54 };

/** @typedef {{node: ProjectNode, lane: number, start: number, end: number}} Bar */

const timeline = {
  /** @type {Bar[]} */
  bars: [],
  lanes: 0,
  end: 1,
  zoom: 1,
  /** How many ran at once, as steps: [milliseconds, number]. */
  /** @type {[number, number][]} */
  atOnce: [],
  most: 1,
  /** @type {Bar | undefined} */
  chosen: undefined,
  onlyCritical: false,
};

function setUpTimeline() {
  const ran = results.filter((node) => node.start !== undefined && node.end !== undefined);
  if (!ran.length) {
    byElementId("timeline").hidden = true;
    return;
  }
  layOut(ran);
  const scroller = byElementId("bars");
  const canvas = /** @type {HTMLCanvasElement} */ (byElementId("canvas"));
  const redraw = () => requestAnimationFrame(drawTimeline);
  scroller.addEventListener("scroll", redraw, { passive: true });
  new ResizeObserver(redraw).observe(scroller);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  canvas.addEventListener("mousemove", (event) => choose(barAt(event)));
  canvas.addEventListener("mouseleave", () => choose(undefined));
  canvas.addEventListener("click", (event) => {
    const bar = barAt(event);
    if (bar) location.hash = hashOf(bar.node);
  });
  scroller.addEventListener("keydown", moveInTimeline);
  scroller.addEventListener("wheel", zoomByWheel, { passive: false });
  byElementId("zoom-in").addEventListener("click", () => zoomTo(timeline.zoom * 2));
  byElementId("zoom-out").addEventListener("click", () => zoomTo(timeline.zoom / 2));
  const only = /** @type {HTMLInputElement} */ (byElementId("only-critical"));
  only.addEventListener("change", () => {
    timeline.onlyCritical = only.checked;
    redraw();
  });
  drawTimeline();
}

/**
 * Give each node its lane: its thread's. dbt counts its threads anew in every command, so that a lane goes on with another
 * thread once its own has ended for good.
 * @param {ProjectNode[]} ran
 */
function layOut(ran) {
  const ends = new Map();
  for (const node of ran) ends.set(node.thread, Math.max(ends.get(node.thread) ?? 0, node.end ?? 0));
  const threads = new Map();
  /** Up to when each lane is drawn, and until when it is its thread's. */
  /** @type {number[]} */
  const free = [];
  /** @type {number[]} */
  const kept = [];
  const sorted = [...ran].sort((a, b) => (a.start ?? 0) - (b.start ?? 0) || (a.end ?? 0) - (b.end ?? 0));
  timeline.bars = sorted.map((node) => {
    const [start, end] = [node.start ?? 0, node.end ?? 0];
    let lane = threads.get(node.thread);
    if (lane === undefined || free[lane] > start + 1) {
      lane = free.findIndex((until, at) => Math.max(until, kept[at]) <= start + 1);
      if (lane < 0) lane = free.length;
      threads.set(node.thread, lane);
    }
    free[lane] = end;
    // An engine that names no threads has them all in one.
    kept[lane] = node.thread ? ends.get(node.thread) : end;
    return { node, lane, start, end };
  });
  timeline.lanes = free.length;
  timeline.end = Math.max(1, ...free);
  const edges = timeline.bars.flatMap(
    (bar) =>
      /** @type {[number, number][]} */ ([
        [bar.start, 1],
        [bar.end, -1],
      ]),
  );
  edges.sort(([a, up], [b, also]) => a - b || up - also);
  let number = 0;
  timeline.atOnce = edges.map(([at, change]) => {
    number += change;
    timeline.most = Math.max(timeline.most, number);
    return [at, number];
  });
}

function drawTimeline() {
  const scroller = byElementId("bars");
  const canvas = /** @type {HTMLCanvasElement} */ (byElementId("canvas"));
  const context = canvas.getContext("2d");
  if (!context || !timeline.bars.length) return;
  const width = scroller.clientWidth;
  const height = LANE.axis + timeline.lanes * (LANE.height + LANE.gap) + LANE.concurrency + 14;
  // The canvas is as wide as can be seen, and stays where it is; the element behind it is as wide as the whole.
  widen();
  byElementId("width").style.height = `${height}px`;
  const sharp = devicePixelRatio || 1;
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  const style = getComputedStyle(document.documentElement);
  /** @type {Map<string, string>} */
  const colors = new Map();
  /** @param {string} name */
  const color = (name) => {
    // To ask the style for each of 15,000 bars takes longer than to draw them.
    const found = colors.get(name) ?? style.getPropertyValue(`--${name}`).trim();
    colors.set(name, found);
    return found;
  };
  const x = xAt(scroller);
  drawAxis(context, x, width, height, color);
  context.save();
  context.beginPath();
  context.rect(LANE.label, 0, width - LANE.label, height);
  context.clip();
  /** Up to where each lane is drawn: of the bars that fall into one pixel only those that stand out are drawn too. */
  const drawn = new Float64Array(timeline.lanes);
  for (const bar of timeline.bars) {
    const { node } = bar;
    const standsOut = node.critical || node.outcome !== "passed" || bar === timeline.chosen;
    if (!standsOut && x(bar.end) < drawn[bar.lane]) continue;
    drawn[bar.lane] = Math.floor(Math.max(x(bar.end), x(bar.start) + 1)) + 0.5;
    drawBar(context, bar, x, width, color);
  }
  drawConcurrency(context, x, width, height, color);
  context.restore();
  context.fillStyle = color("dim");
  context.font = "11px system-ui, sans-serif";
  for (let lane = 0; lane < timeline.lanes; lane++) context.fillText(`${lane + 1}`, 8, yOf(lane) + 14);
  context.fillText("at once", 2, height - LANE.concurrency / 2);
}

/** Make room for the whole timeline, of which a part is seen. */
function widen() {
  const width = byElementId("bars").clientWidth;
  byElementId("width").style.width = `${Math.round(LANE.label + (width - LANE.label) * timeline.zoom)}px`;
}

/** @param {HTMLElement} scroller */
function xAt(scroller) {
  const scale = ((scroller.clientWidth - LANE.label - 8) * timeline.zoom) / timeline.end;
  // Asked for once: the browser would lay the page out anew for each bar.
  const shift = LANE.label - scroller.scrollLeft;
  return (/** @type {number} */ at) => shift + at * scale;
}

/** @param {number} lane */
function yOf(lane) {
  return LANE.axis + lane * (LANE.height + LANE.gap);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {(at: number) => number} x
 * @param {number} width
 * @param {number} height
 * @param {(name: string) => string} color
 */
function drawAxis(context, x, width, height, color) {
  const perPixel = timeline.end / Math.max(1, x(timeline.end) - x(0));
  const steps = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3,
    21600e3,
  ];
  const step = steps.find((each) => each / perPixel > 80) ?? 86400e3;
  context.font = "11px system-ui, sans-serif";
  for (let at = 0; at <= timeline.end; at += step) {
    if (x(at) < LANE.label || x(at) > width) continue;
    context.fillStyle = color("line");
    context.fillRect(Math.round(x(at)), LANE.axis - 6, 1, height);
    context.fillStyle = color("dim");
    context.fillText(duration(at / 1000), x(at) + 3, 12);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Bar} bar
 * @param {(at: number) => number} x
 * @param {number} width
 * @param {(name: string) => string} color
 */
function drawBar(context, bar, x, width, color) {
  const left = x(bar.start);
  const size = Math.max(1, x(bar.end) - left - 0.5);
  if (left > width || left + size < LANE.label) return;
  const top = yOf(bar.lane);
  const { node } = bar;
  context.globalAlpha = timeline.onlyCritical && !node.critical ? 0.15 : 1;
  context.fillStyle = color(`${node.outcome}-bar`) || color("line");
  if (isTest(node) && node.outcome === "passed") context.fillStyle = color("test-bar");
  context.fillRect(left, top, size, LANE.height);
  // What was compiled before it was executed.
  if (size > 2 && node.compile && node.seconds) {
    context.fillStyle = color("compile");
    context.fillRect(left, top, Math.min(size, (size * node.compile) / node.seconds), 4);
  }
  if (node.critical) {
    context.fillStyle = color("critical");
    context.fillRect(left, top + LANE.height - 4, size, 4);
  }
  if (bar === timeline.chosen) {
    context.strokeStyle = color("text");
    context.lineWidth = 2;
    context.strokeRect(left + 1, top + 1, Math.max(1, size - 2), LANE.height - 2);
  }
  if (size > 40) {
    context.fillStyle = color("on-bar");
    context.font = "11px system-ui, sans-serif";
    const from = Math.max(left, LANE.label) + 4;
    const letters = Math.floor((left + size - from - 4) / 6);
    if (letters > 3)
      context.fillText(node.name.length > letters ? `${node.name.slice(0, letters - 1)}…` : node.name, from, top + 14);
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {(at: number) => number} x
 * @param {number} width
 * @param {number} height
 * @param {(name: string) => string} color
 */
function drawConcurrency(context, x, width, height, color) {
  const bottom = height - 6;
  context.fillStyle = color("concurrency");
  /** The most at once in each pixel, which may hold thousands of steps. */
  const columns = new Float64Array(Math.max(0, Math.ceil(width)));
  for (const [index, [at, number]] of timeline.atOnce.entries()) {
    const until = timeline.atOnce[index + 1]?.[0] ?? at;
    const last = Math.min(columns.length - 1, Math.ceil(x(until)) - 1);
    for (let column = Math.max(LANE.label, Math.floor(x(at))); column <= last; column++) {
      columns[column] = Math.max(columns[column], number);
    }
  }
  for (const [column, number] of columns.entries()) {
    const tall = (number / timeline.most) * (LANE.concurrency - 12);
    if (number) context.fillRect(column, bottom - tall, 1, tall);
  }
}

/** @param {MouseEvent} event */
function barAt(event) {
  const scroller = byElementId("bars");
  const box = scroller.getBoundingClientRect();
  const x = xAt(scroller);
  const [left, top] = [event.clientX - box.left, event.clientY - box.top];
  const lane = Math.floor((top - LANE.axis) / (LANE.height + LANE.gap));
  return timeline.bars.find(
    (bar) => bar.lane === lane && x(bar.start) - 1 <= left && left <= Math.max(x(bar.end), x(bar.start) + 2) + 1,
  );
}

/** @param {Bar | undefined} bar */
function choose(bar) {
  if (bar === timeline.chosen) return;
  timeline.chosen = bar;
  byElementId("bars").classList.toggle("pointing", Boolean(bar));
  byElementId("bar").textContent = bar ? barWords(bar.node) : "";
  drawTimeline();
}

/** @param {ProjectNode} node */
function barWords(node) {
  const parts = [
    `${node.name}: ${node.status}`,
    `${duration(node.seconds)}, began after ${duration((node.start ?? 0) / 1000)}`,
  ];
  if (node.waiting >= 0.05) parts.push(`waited ${duration(node.waiting)} for a thread`);
  if (node.critical) parts.push("on the critical path");
  return parts.join(" · ");
}

/** @param {KeyboardEvent} event */
function moveInTimeline(event) {
  const at = timeline.chosen ? timeline.bars.indexOf(timeline.chosen) : -1;
  const shown = timeline.onlyCritical ? timeline.bars.filter((bar) => bar.node.critical) : timeline.bars;
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const now = timeline.chosen ? shown.indexOf(timeline.chosen) : -1;
    const next = shown[Math.min(shown.length - 1, Math.max(0, now + (event.key === "ArrowRight" ? 1 : -1)))];
    choose(next);
    bringIntoView(next);
  } else if (event.key === "Enter" && at >= 0) location.hash = hashOf(timeline.bars[at].node);
  else if (event.key === "+") zoomTo(timeline.zoom * 2);
  else if (event.key === "-") zoomTo(timeline.zoom / 2);
  else return;
  event.preventDefault();
}

/** @param {Bar} bar */
function bringIntoView(bar) {
  const scroller = byElementId("bars");
  const left = xAt(scroller)(bar.start);
  if (left < LANE.label || left > scroller.clientWidth - 40) scroller.scrollLeft += left - scroller.clientWidth / 2;
}

/** @param {WheelEvent} event */
function zoomByWheel(event) {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoomTo(
    timeline.zoom * (event.deltaY < 0 ? 1.25 : 0.8),
    event.clientX - byElementId("bars").getBoundingClientRect().left,
  );
}

/**
 * Zoom, and keep what stands at a place where it is.
 * @param {number} zoom
 * @param {number} [at] pixels from the left
 */
function zoomTo(zoom, at) {
  const scroller = byElementId("bars");
  const place = at ?? scroller.clientWidth / 2;
  const share = (place + scroller.scrollLeft - LANE.label) / timeline.zoom;
  timeline.zoom = Math.min(2000, Math.max(1, zoom));
  widen();
  scroller.scrollLeft = share * timeline.zoom + LANE.label - place;
  drawTimeline();
}
