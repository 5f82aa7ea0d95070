/** A step of a program in the foreground: a spinner on a terminal, plain lines elsewhere. */
import { Listr, PRESET_TIMER } from "listr2";

/** Shows one line about the work. */
export type Say = (line: string) => void;

/**
 * Shows the title, how long the work took, and what it said meanwhile.
 *
 * @throws what `work` throws
 */
export async function step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const tasks = new Listr<{ result: T }>(
    {
      title,
      task: async (context, task) => {
        const say = (line: string) => {
          task.output = line;
        };
        context.result = await work(say);
      },
      rendererOptions: { outputBar: Number.POSITIVE_INFINITY, persistentOutput: true },
    },
    {
      rendererOptions: { timer: PRESET_TIMER },
      fallbackRenderer: "simple",
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  const { result } = await tasks.run();
  return result;
}
