// The data of the page: nodes with their texts, who depends on whom, and the compiled SQL, unpacked when asked for.

/**
 * @typedef {object} Freshness
 * @property {string} [loaded_at]
 * @property {number} [age]
 * @property {number} [warn_after]
 * @property {number} [error_after]
 */
/**
 * A node of the run (it has a status), or one that lies around it. Seconds, and milliseconds since the first node began.
 * @typedef {object} ProjectNode
 * @property {number} place
 * @property {string} id
 * @property {string} name
 * @property {string} type
 * @property {string} status
 * @property {string} outcome
 * @property {string} message
 * @property {string} advice
 * @property {string} file
 * @property {string} folder
 * @property {string} properties
 * @property {string} description
 * @property {string} group
 * @property {string} kind
 * @property {string} relation
 * @property {string} thread
 * @property {string} url
 * @property {string[]} owners
 * @property {string[]} tags
 * @property {number[]} parents
 * @property {number[]} children
 * @property {number[]} testedBy
 * @property {number} line
 * @property {number} seconds
 * @property {number} compile
 * @property {number} execute
 * @property {number} waiting
 * @property {number} blocks
 * @property {number} tries
 * @property {number | undefined} start
 * @property {number | undefined} end
 * @property {number | undefined} failures
 * @property {number | undefined} rows
 * @property {number | undefined} processed
 * @property {number | undefined} billed
 * @property {number | undefined} slots
 * @property {number | undefined} cost
 * @property {number | undefined} tests
 * @property {Freshness | undefined} freshness
 * @property {boolean} critical
 * @property {string} found what the search looks into
 */
/** @typedef {{nodes: any[], texts: string[], results: number, outcomes: Record<string, string>, price: number, critical: number[], origin: number, code: string}} Data */

const data = /** @type {Data} */ (JSON.parse(document.getElementById("data")?.textContent ?? "{}"));

/** @type {ProjectNode[]} */
const nodes = data.nodes.map((raw, place) => {
  /** @param {number | undefined} at */
  const text = (at) => (at === undefined ? "" : data.texts[at]);
  const file = text(raw.file);
  const node = {
    ...raw,
    place,
    name: raw.name ?? raw.id.split(".")[2] ?? raw.id,
    type: text(raw.type),
    status: text(raw.status),
    outcome: data.outcomes[raw.status] ?? "",
    message: raw.message ?? "",
    advice: raw.advice ?? "",
    file,
    folder: file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : "",
    properties: text(raw.properties),
    description: raw.description ?? "",
    group: text(raw.group),
    kind: text(raw.kind),
    relation: raw.relation ?? "",
    thread: text(raw.thread),
    url: raw.url ?? "",
    owners: (raw.owners ?? []).map(text),
    tags: (raw.tags ?? []).map(text),
    parents: raw.parents ?? [],
    children: [],
    testedBy: [],
    line: raw.line ?? 0,
    seconds: raw.seconds ?? 0,
    compile: raw.compile ?? 0,
    execute: raw.execute ?? 0,
    waiting: raw.waiting ?? 0,
    blocks: raw.blocks ?? 0,
    tries: raw.tries ?? 1,
    cost: data.price && raw.billed !== undefined ? (raw.billed / 2 ** 40) * data.price : undefined,
    critical: false,
  };
  node.found = `${node.id} ${node.name} ${node.file} ${node.tags.join(" ")} ${node.owners.join(" ")}`.toLowerCase();
  return node;
});
for (const node of nodes) {
  for (const parent of node.parents) nodes[parent].children.push(node.place);
  for (const tested of isTest(node) ? (node.tests === undefined ? node.parents : [node.tests]) : []) {
    nodes[tested].testedBy.push(node.place);
  }
}
for (const place of data.critical) nodes[place].critical = true;

/** The nodes that have a result, in the order in which people look for them. */
const results = nodes.slice(0, data.results);
const byId = new Map(nodes.map((node) => [node.id, node]));

/** @param {ProjectNode} node */
function isTest(node) {
  return node.type === "test" || node.type === "unit_test";
}

/**
 * The address of a file in the repository, at the commit of the run.
 * @param {string} file
 * @param {number} line
 */
function codeAddress(file, line) {
  if (!data.code || !file) return "";
  return `${data.code}/${file.split("/").map(encodeURIComponent).join("/")}${line ? `#L${line}` : ""}`;
}

/** @type {Promise<string[]> | undefined} */
let unpacked;

/**
 * The compiled SQL of a node; empty where it has none, or the page had no room for it.
 * @param {ProjectNode} node
 * @returns {Promise<string>}
 */
async function compiledSql(node) {
  unpacked ??= unpack(document.getElementById("sql")?.textContent?.trim() ?? "");
  return (await unpacked)[node.place] ?? "";
}

/**
 * @param {string} packed
 * @returns {Promise<string[]>}
 */
async function unpack(packed) {
  if (!packed) return [];
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}
