/** What the engine's name of a resource says: `urn:pulumi:<stack>::<project>::<types>::<name>`. */

export function stackOf(urn: string): string {
  return urn.replace(/^urn:pulumi:/, "").split("::")[0] ?? "";
}

export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
