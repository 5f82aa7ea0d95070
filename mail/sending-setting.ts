/**
 * By which setting a mail system sends through the gateway, in the words that its administrators know.
 *
 * Sources: Microsoft, "Conditional mail routing in Exchange Online" (connectors, mail flow rules) and
 * `Set-SendConnector`; Google, support pages 178333 "Outbound mail gateway" and 2614757 "Add mail routes";
 * Postfix, postconf(5) `relayhost`; Exim, specification, chapter "The manualroute router"; Sendmail, cf/README.
 */

export const MAIL_SYSTEM_KINDS = ["microsoft365", "google", "exchange", "other"] as const;
export type MailSystemKind = (typeof MAIL_SYSTEM_KINDS)[number];

const SETTINGS: Readonly<Record<MailSystemKind, (relay: string) => string>> = {
  microsoft365: (relay) =>
    `Microsoft 365: in the Exchange admin center, the connector from Office 365 with the smart host ${relay} (Mail flow > Connectors) and the mail flow rules that use it (Mail flow > Rules)`,
  google: (relay) =>
    `Google Workspace: in the Admin console under Apps > Google Workspace > Gmail, the outbound gateway ${relay}, or the routing rules whose route (Hosts) is ${relay}; Google takes up to 60 minutes to apply a change`,
  exchange: (relay) =>
    `Exchange: the Send Connector with the smart host ${relay} (Get-SendConnector shows it), or the transport agent that sends there`,
  other: (relay) =>
    `the smarthost setting that names ${relay} (Postfix: relayhost or transport_maps; Exim: a manualroute router; Sendmail: SMART_HOST)`,
};

/** The setting, as the object of a sentence. @param relay the gateway's endpoint for outbound mail */
export function sendingSetting(system: MailSystemKind, relay: string): string {
  return SETTINGS[system](relay);
}
