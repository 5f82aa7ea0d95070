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

/** What the stack of a gateway has as outputs that keeps its routes itself. */
export const gatewayWithRoutes = {
  ...gateway,
  smtp: "smtp.gateway.test",
  slots: ["a", "b"],
  addresses: {
    a: { inbound: "203.0.113.7", relay: "203.0.113.8" },
    b: { inbound: "203.0.113.9", relay: "203.0.113.10" },
  },
  routeStore: {
    table: "routes",
    region: "eu-central-1",
    secretPrefix: "/mxhero/example",
    nextHops: "public" as const,
  },
};

/** The same domain on such a gateway. */
export const contosoWithRoute = {
  ...contoso,
  sendingFrom: ["11.22.33.44"],
  probeRecipient: "info@contoso.test",
  fixIt: "https://contoso.test/mail",
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
