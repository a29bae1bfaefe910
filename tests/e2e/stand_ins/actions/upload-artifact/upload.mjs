// What actions/upload-artifact does, without its patterns: collect files, hand them to GitHub's own client.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";

const modules = process.env.E2E_NODE_MODULES;
const core = await import(`${modules}/@actions/core/lib/core.js`);
const { DefaultArtifactClient } = await import(`${modules}/@actions/artifact/lib/artifact.js`);

const hidden = core.getBooleanInput("include-hidden-files");

function filesIn(path) {
  if (!existsSync(path) || (!hidden && basename(path).startsWith("."))) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

function commonFolder(paths) {
  const [first, ...others] = paths.map((path) => path.split(sep));
  const length = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  return first.slice(0, length < 0 ? first.length : length).join(sep);
}

async function upload() {
  const lines = core.getMultilineInput("path", { required: true });
  if (lines.some((line) => /[*?[\]!]/.test(line))) throw new Error(`No patterns in the stand-in: ${lines}`);
  const paths = lines.map((line) => resolve(line));
  const name = core.getInput("name");
  const files = paths.flatMap(filesIn);
  if (files.length === 0) {
    const say = { warn: core.warning, error: core.setFailed, ignore: core.info }[core.getInput("if-no-files-found")];
    return say(`No files were found with the provided path: ${lines}. No artifacts will be uploaded.`);
  }

  const common = commonFolder(paths);
  const root = statSync(common).isDirectory() ? common : dirname(common);
  const client = new DefaultArtifactClient();
  if (core.getBooleanInput("overwrite")) await client.deleteArtifact(name).catch(() => {});
  const { id, digest } = await client.uploadArtifact(name, files, root, {
    retentionDays: Number(core.getInput("retention-days")) || undefined,
    compressionLevel: Number(core.getInput("compression-level")),
  });
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = process.env;
  core.setOutput("artifact-id", id);
  core.setOutput("artifact-digest", digest);
  core.setOutput("artifact-url", `${server}/${repository}/actions/runs/${run}/artifacts/${id}`);
}

await upload().catch((error) => core.setFailed(error.message));
