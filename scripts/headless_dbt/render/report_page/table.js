// The table of nodes: searched, filtered and sorted; only the rows that can be seen are in the page.

/** @typedef {{key: string, label: string, number: boolean, value: (node: ProjectNode) => number | string, shown: (node: ProjectNode) => Node | string, wide?: boolean}} Column */

const ROW_HEIGHT = 34;
const OUTCOME_RANK = ["failed", "warned", "skipped", "passed"];

/**
 * A column of numbers that not every node has.
 * @param {string} key
 * @param {string} label
 * @param {(node: ProjectNode) => number | undefined} value
 * @param {(value: number) => string} words
 * @returns {Column}
 */
function numbers(key, label, value, words) {
  return {
    key,
    label,
    number: true,
    wide: true,
    value: (node) => value(node) ?? -1,
    shown: (node) => {
      const found = value(node);
      return found === undefined ? "" : words(found);
    },
  };
}

/** @type {Column[]} */
const EVERY_COLUMN = [
  { key: "status", label: "Status", number: false, value: (node) => OUTCOME_RANK.indexOf(node.outcome), shown: badge },
  {
    key: "name",
    label: "Node",
    number: false,
    value: (node) => node.name.toLowerCase(),
    shown: (node) => nodeLink(node),
  },
  { key: "type", label: "Type", number: false, wide: true, value: (node) => node.type, shown: (node) => node.type },
  {
    key: "seconds",
    label: "Time",
    number: true,
    value: (node) => node.seconds,
    shown: (node) => (node.seconds ? duration(node.seconds) : ""),
  },
  numbers("waiting", "Waited", (node) => node.waiting || undefined, duration),
  numbers(
    "start",
    "Began after",
    (node) => node.start,
    (start) => duration(start / 1000),
  ),
  numbers("rows", "Rows", (node) => node.rows, grouped),
  numbers("billed", "Bytes", (node) => node.billed ?? node.processed, bytes),
  numbers("cost", "Cost", (node) => node.cost, money),
  numbers("blocks", "Blocks", (node) => node.blocks || undefined, grouped),
];
/** Columns in which no node has anything are left out. */
const COLUMNS = EVERY_COLUMN.filter(
  (column) => !column.wide || column.key === "type" || results.some((node) => column.value(node) !== -1),
);

const table = {
  /** @type {ProjectNode[]} */
  shown: results,
  /** The row that the arrow keys are at. */
  at: 0,
  sortedBy: "",
  descending: false,
};

/** The choices above the table: the nodes that have a value are those that stay. */
const CHOICES = /** @type {const} */ ({
  status: { label: "any status", of: (/** @type {ProjectNode} */ node) => [node.status] },
  type: { label: "any type", of: (/** @type {ProjectNode} */ node) => [node.type] },
  tag: { label: "any tag", of: (/** @type {ProjectNode} */ node) => node.tags },
  group: { label: "any group", of: (/** @type {ProjectNode} */ node) => (node.group ? [node.group] : []) },
  path: { label: "any path", of: (/** @type {ProjectNode} */ node) => foldersOf(node.folder) },
});

/**
 * A folder and those that it is in.
 * @param {string} folder
 */
function foldersOf(folder) {
  const parts = folder ? folder.split("/") : [];
  return parts.map((_, depth) => parts.slice(0, depth + 1).join("/"));
}

function setUpTable() {
  const filters = byElementId("filters");
  for (const [key, choice] of Object.entries(CHOICES)) {
    const counts = new Map();
    for (const node of results) for (const value of choice.of(node)) counts.set(value, (counts.get(value) ?? 0) + 1);
    if (!counts.size) continue;
    const options = [...counts]
      .sort()
      .map(([value, count]) => element("option", { value }, `${value} (${grouped(count)})`));
    const select = element(
      "select",
      { id: `filter-${key}`, "aria-label": key },
      element("option", { value: "" }, choice.label),
      ...options,
    );
    select.addEventListener("change", showTable);
    filters.append(select);
  }
  const reset = element("button", { type: "button", id: "reset" }, "Show all");
  reset.addEventListener("click", () => filterBy({}));
  filters.append(reset);
  byElementId("search").addEventListener("input", showTable);
  const heads = COLUMNS.map((column, place) => {
    const button = element("button", { type: "button" }, column.label);
    button.addEventListener("click", () => sortBy(column));
    return element(
      "th",
      { scope: "col", class: classOf(column), "data-key": column.key, "aria-colindex": place + 1 },
      button,
    );
  });
  byElementId("head").append(element("tr", { "aria-rowindex": 1 }, ...heads));
  byElementId("rows").addEventListener("scroll", () => requestAnimationFrame(showRows), { passive: true });
  byElementId("rows").addEventListener("keydown", moveInTable);
  new ResizeObserver(showRows).observe(byElementId("rows"));
  showTable();
}

/** @param {Column} column */
function classOf(column) {
  return `${column.key} ${column.number ? "number" : ""} ${column.wide ? "wide" : ""}`;
}

/**
 * Set every choice: those that are not named are taken back.
 * @param {Partial<Record<keyof typeof CHOICES | "search", string>>} wanted
 */
function filterBy(wanted) {
  /** @type {HTMLInputElement} */ (byElementId("search")).value = wanted.search ?? "";
  for (const key of /** @type {(keyof typeof CHOICES)[]} */ (Object.keys(CHOICES))) {
    const select = /** @type {HTMLSelectElement | null} */ (document.getElementById(`filter-${key}`));
    if (select) select.value = wanted[key] ?? "";
  }
  showTable();
}

/** @param {Column} column */
function sortBy(column) {
  // Numbers begin with the largest, and a third click brings the order of the page back.
  const first = column.number;
  if (table.sortedBy !== column.key) [table.sortedBy, table.descending] = [column.key, first];
  else if (table.descending === first) table.descending = !first;
  else table.sortedBy = "";
  showTable();
}

function showTable() {
  const words = /** @type {HTMLInputElement} */ (byElementId("search")).value
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const tests = Object.entries(CHOICES).flatMap(([key, choice]) => {
    const wanted = /** @type {HTMLSelectElement | null} */ (document.getElementById(`filter-${key}`))?.value;
    return wanted ? [(/** @type {ProjectNode} */ node) => choice.of(node).includes(wanted)] : [];
  });
  table.shown = results.filter(
    (node) => words.every((word) => node.found.includes(word)) && tests.every((test) => test(node)),
  );
  const column = COLUMNS.find((each) => each.key === table.sortedBy);
  if (column) {
    const sign = table.descending ? -1 : 1;
    const keyed = table.shown.map((node) => /** @type {const} */ ([column.value(node), node]));
    keyed.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
    table.shown = keyed.map(([, node]) => node);
  }
  for (const head of byElementId("head").querySelectorAll("th")) {
    const sorted = head.dataset.key === table.sortedBy;
    setAttributes(head, { "aria-sort": sorted ? (table.descending ? "descending" : "ascending") : "none" });
  }
  table.at = 0;
  byElementId("rows").scrollTop = 0;
  byElementId("count").textContent =
    table.shown.length === results.length
      ? counted(results.length, "node")
      : `${grouped(table.shown.length)} of ${counted(results.length, "node")}`;
  byElementId("table").setAttribute("aria-rowcount", `${table.shown.length + 1}`);
  showRows();
}

/** Put the rows that can be seen into the page, and room for the others above and below them. */
function showRows() {
  const view = byElementId("rows");
  const first = Math.max(0, Math.floor(view.scrollTop / ROW_HEIGHT) - 10);
  const last = Math.min(table.shown.length, Math.ceil((view.scrollTop + view.clientHeight) / ROW_HEIGHT) + 10);
  const focused = view.contains(document.activeElement) && document.activeElement !== view;
  const rows = table.shown.slice(first, last).map((node, index) => row(node, first + index));
  byElementId("body").replaceChildren(room(first), ...rows, room(table.shown.length - last));
  if (focused) focusRow();
}

/**
 * @param {ProjectNode} node
 * @param {number} index
 */
function row(node, index) {
  const cells = COLUMNS.map((column) => {
    const shown = column.shown(node);
    if (column.key === "name" && shown instanceof HTMLElement) shown.tabIndex = index === table.at ? 0 : -1;
    return element("td", { class: classOf(column) }, shown);
  });
  return element("tr", { "aria-rowindex": index + 2, class: node.outcome, "data-index": index }, ...cells);
}

/** @param {number} rows */
function room(rows) {
  const made = element("tr", { "aria-hidden": "true", class: "room" }, element("td", { colspan: COLUMNS.length }));
  made.style.height = `${rows * ROW_HEIGHT}px`;
  return made;
}

/** @param {KeyboardEvent} event */
function moveInTable(event) {
  const page = Math.max(1, Math.floor(byElementId("rows").clientHeight / ROW_HEIGHT) - 1);
  const end = table.shown.length - 1;
  const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page, Home: -end, End: end };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const inside = document.activeElement?.closest("tr[data-index]");
  table.at = Math.min(end, Math.max(0, inside ? table.at + step : table.at));
  const view = byElementId("rows");
  const top = table.at * ROW_HEIGHT;
  const head = byElementId("head").offsetHeight;
  if (top < view.scrollTop) view.scrollTop = top;
  else if (top + ROW_HEIGHT > view.scrollTop + view.clientHeight - head)
    view.scrollTop = top + ROW_HEIGHT + head - view.clientHeight;
  showRows();
  focusRow();
}

function focusRow() {
  const link = document.querySelector(`#body tr[data-index="${table.at}"] a`);
  if (link instanceof HTMLElement) link.focus({ preventScroll: true });
}
