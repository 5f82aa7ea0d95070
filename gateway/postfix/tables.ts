/** Small tables that Postfix reads as text: loops, answers to probes, addresses that are not public. */

/** Each pass through an instance leaves one such field in the message's header, with the number of passes since. */
export const PASS_HEADERS = {
  inbound: "X-Gateway-Inbound-Pass",
  relay: "X-Gateway-Relay-Pass",
} as const;

/**
 * A message that has passed so often is refused. Mail that is forwarded from tenant to tenant passes a few
 * times; a loop passes without end.
 */
const MAXIMUM_PASSES = 5;

/**
 * header_checks(5). A message comes in with a new field that says 0, and each field is raised by one; so the
 * oldest one has counted all passes. Postfix's checks see one field at a time and cannot count otherwise.
 */
export function headerChecks(header: string): string {
  const raised = Array.from(
    { length: MAXIMUM_PASSES },
    (_, passes) => `/^${header}: ${passes}$/ REPLACE ${header}: ${passes + 1}`,
  );
  return `\
# Loops: what has come through here ${MAXIMUM_PASSES} times before goes no further.
if /^${header}: /
/^${header}: ${MAXIMUM_PASSES}$/ REJECT 5.4.6 Mail loop: this message has passed this gateway ${MAXIMUM_PASSES} times before. The domain's Server or a forwarding rule sends it back here
${raised.join("\n")}
endif
`;
}

/**
 * How the answer to a probe becomes one about the recipient: `smtp_delivery_status_filter`.
 *
 * Only what a Server says at RCPT, and about the mailbox, may be final. Everything else would make all of a
 * domain's recipients unknown: a Server that blocks the gateway, a name that is gone, a sender it dislikes.
 * Enhanced codes of RFC 3463: 5.1.1 no such mailbox, 5.1.3 bad syntax, 5.1.6 moved; 5.1.10 is Exchange's
 * RecipientNotFound, and Exchange Online's directory-based blocking says 5.4.1.
 */
export const probeStatusFilter = `\
/^5\\.1\\.(1|3|6|10) .* \\(in reply to RCPT TO command\\)/ 5.1.1 no such mailbox
/^5\\.4\\.1 .* said: 550 5\\.4\\.1 .*Recipient address rejected.* \\(in reply to RCPT TO command\\)/ 5.1.1 no such mailbox
# Servers without enhanced codes (Exim, qmail and others), in their usual words.
/^5\\.0\\.0 .* said: 55[0-3][ -].*(no such user|user unknown|unknown user|no mailbox here by that name|unrouteable address).* \\(in reply to RCPT TO command\\)/ 5.1.1 no such mailbox
/^5(\\..*)$/ 4$1
`;

/**
 * A next hop whose name is gone may come back: its zone expired, a record was mistyped. Its mail waits as for
 * a Server that is down, instead of bouncing at once.
 */
export const nextHopStatusFilter = `\
/^5(\\.4\\.4 .*)$/ 4$1
`;

/**
 * Addresses that no next hop of a public gateway has: `smtp_dns_reply_filter`. A tenant's DNS shall not lead
 * the gateway to hosts beside it. IPv4: IANA's special-purpose registry; IPv6: outside 2000::/3.
 */
export const publicAddressFilter = `\
/ IN A (0|10|127|22[4-9]|2[34][0-9]|25[0-5])\\./ IGNORE
/ IN A 100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\./ IGNORE
/ IN A 169\\.254\\./ IGNORE
/ IN A 172\\.(1[6-9]|2[0-9]|3[01])\\./ IGNORE
/ IN A 192\\.(0\\.0|0\\.2|168\\.[0-9]+)\\./ IGNORE
/ IN A (198\\.1[89]|198\\.51\\.100|203\\.0\\.113)\\./ IGNORE
/ IN AAAA [^23]/ IGNORE
/ IN AAAA ([23][0-9a-f]{0,2}:|2001:(0|db8|10|2[0-9a-f]):|2002:)/ IGNORE
`;
