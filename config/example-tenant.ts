/** A sound tenant configuration for tests: one domain, border and standard. */

export const gateway = {
  mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
  smtpIn: "smtp-in.gateway.test",
  smtpRelay: "smtp-relay.gateway.test",
  spfInclude: "_spf.gateway.test",
};

export const contoso = {
  name: "contoso.test",
  mailSystem: "exchange",
  server: "mail.contoso.test",
  inbound: "border",
  outbound: "standard",
};

/** As the engine hands it to a program: lists and maps as JSON. */
export function stackValues(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
