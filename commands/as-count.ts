/** A number of things as an option of a command. */
import { InvalidArgumentError } from "commander";

export function asCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number.");
}
