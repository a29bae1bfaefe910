// What actions/cache/restore does: hand its inputs to GitHub's own client, which only warns if the service fails.
const modules = process.env.E2E_NODE_MODULES;
const core = await import(`${modules}/@actions/core/lib/core.js`);
const cache = await import(`${modules}/@actions/cache/lib/cache.js`);

async function restore() {
  const paths = core.getMultilineInput("path", { required: true });
  const key = core.getInput("key", { required: true });
  const others = core.getMultilineInput("restore-keys");
  core.setOutput("cache-primary-key", key);
  const found = await cache.restoreCache(paths, key, others, { lookupOnly: core.getBooleanInput("lookup-only") });
  if (!found) {
    if (core.getBooleanInput("fail-on-cache-miss")) throw new Error(`Failed to restore cache entry. Input key: ${key}`);
    return core.info(`Cache not found for input keys: ${[key, ...others].join(", ")}`);
  }
  core.setOutput("cache-matched-key", found);
  core.setOutput("cache-hit", found.toLowerCase() === key.toLowerCase());
  core.info(`Cache restored from key: ${found}`);
}

await restore().catch((error) => core.setFailed(error.message));
