// Numbers as people say them, and elements of the page. Texts only ever become text: nothing here parses markup.

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 2 * 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.round(whole / 86400)} days`;
}

/** @param {number} count */
function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let left = count;
  for (; left >= 1024 && unit < units.length - 1; unit++) left /= 1024;
  return `${unit && left < 99.5 ? left.toFixed(1) : Math.round(left)} ${units[unit]}`;
}

/** @param {number} usd */
function money(usd) {
  return usd && usd < 0.01 ? "< $0.01" : `$${usd.toFixed(2)}`;
}

/** @param {number} count */
function grouped(count) {
  return count.toLocaleString("en");
}

/**
 * @param {number} count
 * @param {string} noun
 */
function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * A sentence, and as elements what is code in it, between backticks.
 * @param {string} sentence
 * @returns {(Node | string)[]}
 */
function withCode(sentence) {
  return sentence.split("`").map((piece, place) => (place % 2 ? element("code", {}, piece) : piece));
}

/**
 * An element with attributes, and texts or elements in it. Whatever is null or false is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * The same for pictures.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {...(Node | string)} children
 */
function picture(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/**
 * @param {Element} made
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 */
function setAttributes(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, value === true ? "" : `${value}`);
  }
}

/**
 * A link to an address that the project names: only one of the web is one.
 * @param {string} address
 * @param {string} text
 */
function webLink(address, text) {
  return /^https?:\/\//i.test(address) ? element("a", { href: address, rel: "noreferrer" }, text) : text;
}

/** @param {ProjectNode} node */
function nodeLink(node) {
  return element("a", { href: hashOf(node), class: `name ${node.outcome}` }, node.name);
}

/** @param {ProjectNode} node */
function hashOf(node) {
  return `#${encodeURIComponent(node.id)}`;
}

/** @param {ProjectNode} node */
function badge(node) {
  return element("span", { class: `badge ${node.outcome || "around"}` }, node.status || "not in this run");
}

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @returns {Kind}
 */
function byElementId(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}
