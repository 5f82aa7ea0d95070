/**
 * Entry of the npm scripts: sets up what is missing, then starts the named program with Node 24.
 *
 * Plain JavaScript without packages: it runs before any is installed, with Node 20 or newer. Nothing
 * else is loaded before the version is known, so that an old Node gives a sentence, not a stack.
 */
const oldestNode = 20;
const [major] = process.versions.node.split(".").map(Number);

if (major < oldestNode) {
  console.error(
    `Node ${process.versions.node} is too old: Node ${oldestNode} or newer is needed to start. ` +
      "Node 24, which runs the project, is installed by npm.",
  );
  process.exitCode = 1;
} else {
  void import("./programs.mjs").then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2));
  });
}
