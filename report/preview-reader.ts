/** STUB of FLEET */
export interface PreviewOutcome {
  readonly exitCode: number | undefined;
  readonly text: string;
}
export interface StackPreview {
  readonly outcome: PreviewOutcome;
  readonly events?: any[];
}
export class PreviewReader {
  events: any[] = [];
  see(event: any): void {
    if (event.diagnosticEvent?.severity !== "debug") this.events.push(event);
  }
  end(outcome: PreviewOutcome): StackPreview {
    return { outcome, events: this.events };
  }
}
