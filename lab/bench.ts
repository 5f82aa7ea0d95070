/** `npm run bench [-- <figure>...]`: measures, prints a table and writes `bench.json`. */
import { writeFile } from "node:fs/promises";
import { Argument, Command } from "commander";
import { BenchLab } from "./bench/bench-lab.ts";
import { judge, type Result } from "./bench/figure.ts";
import { figures } from "./bench/figures.ts";
import { table } from "./bench/table.ts";
import { step } from "./step.ts";
import { startWorld } from "./world.ts";

const net = "127.1";
const file = new URL("../bench.json", import.meta.url);

async function measure(names: readonly string[]): Promise<Result[]> {
  await using world = await step("Start the lab", (say) => startWorld({ net, onProgress: say }));
  await using lab = await BenchLab.create(world);
  const results: Result[] = [];
  for (const figure of figures.filter(({ name }) => names.includes(name))) {
    const measurement = await step(`${figure.name}: ${figure.meaning}`, (say) =>
      figure.measure(lab, say),
    );
    results.push(judge(figure, measurement));
  }
  return results;
}

const all = figures.map(({ name }) => name);
const program = new Command("npm run bench --")
  .description("Measures the project's figures, prints a table and writes bench.json.")
  .addArgument(
    new Argument("[figure...]", "the figures to measure; all if none is given").choices(all),
  )
  .parse();
const names = program.args.length === 0 ? all : program.args;
const results = await measure(names);
await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\n${table(results)}\n\nWritten to bench.json.`);
