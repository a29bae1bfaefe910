// The page as a whole: the address, the keys, and what is set up when it opens.

/** @param {KeyboardEvent} event */
function onKey(event) {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  const help = /** @type {HTMLDialogElement} */ (byElementId("help"));
  if (event.key === "Escape") {
    if (help.open) return;
    if (typing && event.target instanceof HTMLInputElement && event.target.id === "search" && event.target.value)
      filterBy({});
    else if (panel.node) leaveNode();
    else return;
  } else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "/") byElementId("search").focus();
  else if (event.key === "t") byElementId("bars").focus();
  else if (event.key === "n") showFirstRow();
  else if (event.key === "f") {
    filterBy({});
    const failed = results.find((node) => node.outcome === "failed");
    if (failed) location.hash = hashOf(failed);
  } else if (event.key === "?") help.showModal();
  else return;
  event.preventDefault();
}

function showFirstRow() {
  byElementId("nodes").scrollIntoView();
  table.at = 0;
  byElementId("rows").scrollTop = 0;
  showRows();
  focusRow();
}

function setUpPage() {
  document.body.classList.add("ready");
  setUpTimeline();
  setUpTable();
  byElementId("close").addEventListener("click", leaveNode);
  byElementId("keys").addEventListener("click", () =>
    /** @type {HTMLDialogElement} */ (byElementId("help")).showModal(),
  );
  byElementId("help-close").addEventListener("click", () =>
    /** @type {HTMLDialogElement} */ (byElementId("help")).close(),
  );
  addEventListener("keydown", onKey);
  addEventListener("hashchange", followHash);
  addEventListener("popstate", followHash);
  followHash();
}

setUpPage();
