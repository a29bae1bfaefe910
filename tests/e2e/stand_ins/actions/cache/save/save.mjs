// What actions/cache/save does: hand its inputs to GitHub's own client, and only warn of what fails. GitHub refuses a
// key that is taken; act's server would save a second one, so that is looked up first.
const modules = process.env.E2E_NODE_MODULES;
const core = await import(`${modules}/@actions/core/lib/core.js`);
const cache = await import(`${modules}/@actions/cache/lib/cache.js`);

async function save() {
  const paths = core.getMultilineInput("path", { required: true });
  const key = core.getInput("key", { required: true });
  const found = await cache.restoreCache(paths, key, [], { lookupOnly: true });
  const taken = found?.toLowerCase() === key.toLowerCase();
  if (taken || (await cache.saveCache(paths, key)) === -1) return core.warning("Cache save failed.");
  core.info(`Cache saved with key: ${key}`);
}

await save().catch((error) => core.warning(error.message));
