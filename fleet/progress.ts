/** The one display of a run over many stacks: a changing one on a terminal, plain lines elsewhere. */
import { Listr, PRESET_TIMER } from "listr2";
import { visible } from "../report/visible-text.ts";

export interface Progress {
  /** What a stack waits for or does just now. */
  say(stack: string, line: string): void;
  /** A stack is done, and how it ended. */
  done(stack: string, outcome: string): void;
}

/** So many lines of what the stacks say stay in sight. */
const LINES = 6;

export async function withProgress<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  return process.stderr.isTTY ? onTerminal(title, total, work) : asLines(title, total, work);
}

function asLines<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  let done = 0;
  console.error(titleOf(title, total));
  return work({
    say: (stack, line) => console.error(`  ${visible(stack)}: ${line}`),
    done: (stack, outcome) => {
      done += 1;
      console.error(`[${done}/${total}] ${visible(stack)}: ${outcome}`);
    },
  });
}

async function onTerminal<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  let done = 0;
  const tasks = new Listr<{ result: T }>(
    {
      title: titleOf(title, total),
      task: async (context, task) => {
        context.result = await work({
          say: (stack, line) => {
            task.output = `${stack}: ${line}`;
          },
          done: (stack, outcome) => {
            done += 1;
            task.title = `${titleOf(title, total)}, ${done} done`;
            task.output = `${stack}: ${outcome}`;
          },
        });
      },
      rendererOptions: { outputBar: LINES },
    },
    { rendererOptions: { timer: PRESET_TIMER }, registerSignalListeners: false },
  );
  const { result } = await tasks.run();
  return result;
}

function titleOf(title: string, total: number): string {
  return `${title}: ${total === 1 ? "1 stack" : `${total} stacks`}`;
}
