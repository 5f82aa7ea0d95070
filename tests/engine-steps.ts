/** The steps of the engine, as the CLI prints them one a line. */

/** A step that is done: `delete gateway-a (aws:ec2:Instance)` as its three parts. */
export interface EngineStep {
  readonly verb: string;
  /** The module's last part and the class: `ec2:Instance`. */
  readonly type: string;
  readonly name: string;
}

/** In the order in which they ended. Components do nothing by themselves and are left out. */
export function endedSteps(text: string): EngineStep[] {
  const line =
    /^ *\S+ {1,2}(?:aws|cloudflare|mxhero):(\S+:\S+) (\S+) (created|updated|deleted|replaced)(?: |$)/gm;
  return [...text.matchAll(line)]
    .map(([, type = "", name = "", verb = ""]) => ({ verb, type, name }))
    .filter(({ type }) => !type.startsWith("gateway:"));
}

/** The steps of these, one a text: `deleted index:GatewaySlot gateway-a`. */
export function stepsOf(text: string, names: readonly string[]): string[] {
  return endedSteps(text)
    .filter(({ name }) => names.includes(name))
    .map(({ verb, type, name }) => `${verb} ${type} ${name}`);
}
