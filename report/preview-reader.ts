/**
 * Reads the events of a preview, and keeps of them only what a report needs. Secrets and the SDK's debug events, which
 * have secrets in clear, are dropped as they are read.
 */

export interface PreviewOutcome {
  /** `undefined`: a signal ended it. */
  readonly exitCode: number | undefined;
  /** What was printed beside the events; of a run that failed before the first event this is the reason. */
  readonly text: string;
}

export interface StackPreview {
  readonly outcome: PreviewOutcome;
}

export class PreviewReader {
  /** An event of the engine, as `pulumi preview --json` streams it and the Automation API's `onEvent` gives it. */
  see(_event: unknown): void {}

  end(outcome: PreviewOutcome): StackPreview {
    return { outcome };
  }
}
