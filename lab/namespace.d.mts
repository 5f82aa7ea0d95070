export function enterNamespace(
  command: readonly string[],
  env?: Readonly<Record<string, string | undefined>>,
): Promise<number>;
