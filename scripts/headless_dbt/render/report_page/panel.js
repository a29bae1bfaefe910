// The panel of one node: what became of it, why, how long it took, and what it is part of.

const panel = {
  /** @type {ProjectNode | undefined} */
  node: undefined,
  /** Where the keyboard was before. */
  /** @type {Element | null} */
  cameFrom: null,
  depth: 2,
};

/** Show what the address names, or nothing. */
function followHash() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    // A hash that is no encoding is taken as it is.
  }
  const node = byId.get(id);
  if (node) openPanel(node);
  else closePanel();
}

/** @param {ProjectNode} node */
function openPanel(node) {
  const aside = byElementId("panel");
  if (aside.hidden) panel.cameFrom = document.activeElement;
  panel.node = node;
  aside.hidden = false;
  document.body.classList.add("with-panel");
  byElementId("panel-body").replaceChildren(...sectionsOf(node));
  aside.scrollTop = 0;
  byElementId("panel-title").focus({ preventScroll: true });
}

function closePanel() {
  const aside = byElementId("panel");
  if (aside.hidden) return;
  aside.hidden = true;
  document.body.classList.remove("with-panel");
  panel.node = undefined;
  if (panel.cameFrom instanceof HTMLElement && panel.cameFrom.isConnected) panel.cameFrom.focus();
  else focusRow();
}

/** Leave the node's address, which closes the panel. */
function leaveNode() {
  history.pushState(null, "", location.pathname + location.search);
  closePanel();
}

/**
 * @param {ProjectNode} node
 * @returns {Node[]}
 */
function sectionsOf(node) {
  const title = element("h2", { id: "panel-title", tabindex: -1 }, node.name);
  const sections = [
    element("p", { class: "kicker" }, badge(node), ` ${[node.kind, node.type].filter(Boolean).join(" ")}`),
    title,
    element("p", { class: "id" }, element("code", {}, node.id)),
    node.description && element("p", { class: "description" }, node.description),
    node.message &&
      element(
        "section",
        {},
        element("h3", {}, node.outcome === "failed" ? "Error" : "Message"),
        element("pre", { class: node.outcome, tabindex: 0 }, node.message),
        node.advice && element("p", { class: "advice" }, ...withCode(node.advice)),
      ),
    factsOf(node),
    timingOf(node),
    lineageOf(node),
    testsOf(node),
    sqlOf(node),
  ];
  return /** @type {Node[]} */ (sections.filter(Boolean));
}

/** @param {ProjectNode} node */
function factsOf(node) {
  const list = element("dl", { class: "facts" });
  /**
   * @param {string} name
   * @param {...(Node | string)} values
   */
  const fact = (name, ...values) => {
    if (values.some((value) => value !== "")) list.append(element("dt", {}, name), element("dd", {}, ...values));
  };
  const file = node.file && (node.line ? `${node.file}:${node.line}` : node.file);
  fact("File", file && webLink(codeAddress(node.file, node.line), file));
  if (node.properties !== node.file)
    fact("Described in", node.properties && webLink(codeAddress(node.properties, 0), node.properties));
  fact("Address", node.url && webLink(node.url, node.url));
  fact("Owner", node.owners.join(", "));
  fact("Group", node.group);
  fact("Tags", node.tags.join(", "));
  fact("Relation", node.relation && element("code", {}, node.relation));
  fact("Blocks", node.blocks ? counted(node.blocks, "node") : "");
  fact("Failing rows", node.failures ? grouped(node.failures) : "");
  fact("Rows", node.rows === undefined ? "" : grouped(node.rows));
  fact("Bytes processed", node.processed === undefined ? "" : bytes(node.processed));
  fact("Bytes billed", node.billed === undefined ? "" : bytes(node.billed));
  fact("Slot time", node.slots === undefined ? "" : duration(node.slots / 1000));
  fact("Cost", node.cost === undefined ? "" : `${money(node.cost)} on demand`);
  fact("Tries", node.tries === 0 ? "taken over from an earlier run" : node.tries > 1 ? `${node.tries}` : "");
  if (node.freshness) {
    const { loaded_at, age, warn_after, error_after } = node.freshness;
    fact("Last loaded", loaded_at ?? "", age === undefined ? "" : `, ${duration(age)} before the check`);
    fact(
      "Too old from",
      [warn_after && `${duration(warn_after)} (warns)`, error_after && `${duration(error_after)} (fails)`]
        .filter(Boolean)
        .join(", "),
    );
  }
  return list.childElementCount ? list : null;
}

/** @param {ProjectNode} node */
function timingOf(node) {
  if (!node.seconds && !node.waiting) return null;
  const rest = Math.max(0, node.seconds - node.compile - node.execute);
  const phases = [
    ["waiting", "Waited for a thread", node.waiting],
    ["compile", "Compile", node.compile],
    ["execute", "Execute", node.execute],
    ["rest", "Rest", rest >= 0.001 ? rest : 0],
  ];
  const all = node.seconds + node.waiting;
  const bar = element("div", { class: "phases", "aria-hidden": "true" });
  const list = element("dl", { class: "facts" });
  for (const [key, label, seconds] of /** @type {[string, string, number][]} */ (phases)) {
    if (!seconds) continue;
    const part = element("span", { class: key });
    part.style.flexGrow = `${seconds / all}`;
    bar.append(part);
    list.append(
      element("dt", {}, element("span", { class: `key ${key}`, "aria-hidden": "true" }), label),
      element("dd", {}, duration(seconds)),
    );
  }
  list.append(
    element("dt", {}, "In all"),
    element("dd", {}, duration(node.seconds), node.critical ? ", on the critical path" : ""),
  );
  if (node.thread) list.append(element("dt", {}, "Thread"), element("dd", {}, node.thread));
  return element("section", {}, element("h3", {}, "Time"), bar, list);
}

/** @param {ProjectNode} node */
function lineageOf(node) {
  if (!node.parents.length && !node.children.length) return null;
  const figure = element("div", { class: "lineage", tabindex: 0, role: "region", "aria-label": "Lineage" });
  const words = element("p", { class: "dim" });
  const show = () => {
    const { figure: drawn, left, total } = drawLineage(node, panel.depth);
    figure.replaceChildren(drawn);
    words.textContent = left ? `The nearest ${grouped(total - left)} of ${grouped(total)}.` : "";
    const chosen = figure.querySelector(".chosen rect");
    if (chosen) figure.scrollLeft = Number(chosen.getAttribute("x")) - (figure.clientWidth - BOX.width) / 2;
  };
  const depths = [1, 2, 4, 1000].map((depth) =>
    element(
      "option",
      { value: depth, selected: depth === panel.depth },
      depth === 1000 ? "all steps" : counted(depth, "step"),
    ),
  );
  const select = element("select", { "aria-label": "How far" }, ...depths);
  select.addEventListener("change", () => {
    panel.depth = Number(select.value);
    show();
  });
  requestAnimationFrame(show);
  return element("section", {}, element("h3", {}, "Lineage ", select), figure, words);
}

/** @param {ProjectNode} node */
function testsOf(node) {
  const section = element("section");
  if (node.testedBy.length)
    section.append(element("h3", {}, counted(node.testedBy.length, "test")), listOf(node.testedBy));
  if (isTest(node) && node.parents.length)
    section.append(element("h3", {}, "Tests"), listOf(node.tests === undefined ? node.parents : [node.tests]));
  return section.childElementCount ? section : null;
}

/** @param {number[]} places */
function listOf(places) {
  const sorted = places.map((place) => nodes[place]).sort((a, b) => a.place - b.place);
  return element(
    "ul",
    { class: "tests" },
    ...sorted.map((node) => element("li", {}, badge(node), " ", nodeLink(node))),
  );
}

/** @param {ProjectNode} node */
function sqlOf(node) {
  const section = element("section", { hidden: true });
  compiledSql(node)
    .then((sql) => {
      if (!sql) return;
      const copy = element("button", { type: "button" }, "Copy");
      copy.addEventListener("click", () => {
        navigator.clipboard?.writeText(sql).then(
          () => (copy.textContent = "Copied"),
          () => (copy.textContent = "Your browser does not allow it"),
        );
      });
      const title = node.type === "test" ? "Query that returns the failing rows " : "Compiled SQL ";
      section.append(element("h3", {}, title, copy), element("pre", { class: "sql", tabindex: 0 }, sql));
      section.hidden = false;
    })
    .catch(() => {
      section.append(
        element("p", { class: "dim" }, "This browser cannot unpack the compiled SQL; it is in the artifact."),
      );
      section.hidden = false;
    });
  return section;
}
