/** Runs the program that the stack's configuration asks for. */
import * as pulumi from "@pulumi/pulumi";
import { stackConfiguration } from "./stacks/configuration.ts";

export default async function program() {
  const stack = stackConfiguration();
  const keys = Object.keys(stack.values).filter((key) => key.startsWith("mail:"));
  if (keys.length > 0) {
    const { tenant } = await import("./stacks/tenant.ts");
    return tenant(stack);
  }
  throw new pulumi.RunError(
    `${stack.file} says nothing of any mail. Nothing was changed. ` +
      "For a tenant write mail:organisation, mail:gateway and mail:domains below config, " +
      "as stacks/Pulumi.contoso.yaml does.",
  );
}
