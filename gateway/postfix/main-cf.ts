/** main.cf of the two Postfix instances: what the two share, and what each has for itself. */
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import { commonSettings, inboundInstance, lmdb, relayInstance } from "./common-settings.ts";
import { CLOSED_SLOT } from "./sessions.ts";
import { PASS_HEADERS } from "./tables.ts";

/** smtp-in: takes mail for the tenants' domains and brings it to their Servers. */
export function inboundMainCf(config: GatewayHostConfig): string {
  return `${commonSettings(config, inboundInstance(config))}
relay_domains = ${lmdb("inbound-transport")}
transport_maps = ${lmdb("inbound-transport")}
# Never back to the public MX, which is the gateway itself.
relay_transport = retry:4.3.5 the domain has no Server
# One map says who is accepted. smtpd asks it anew for each recipient, while it remembers for the rest of its
# life (100 s idle, or 100 clients) how a recipient's address was resolved: reject_unauth_destination, which goes
# by that, would see a domain's change late.
smtpd_relay_restrictions = check_recipient_access ${lmdb("inbound-recipients")},
  check_recipient_access static:{554 5.7.1 Relay access denied}, reject
smtpd_recipient_restrictions = reject_non_fqdn_recipient
smtpd_restriction_classes = ${CLOSED_SLOT}
smtpd_reject_unlisted_recipient = no
smtpd_data_restrictions = check_client_access static:{PREPEND ${PASS_HEADERS.inbound}: 0}
# For each client in a minute.
smtpd_client_message_rate_limit = ${config.clientLimits.messages}
smtpd_client_recipient_rate_limit = ${config.clientLimits.recipients}
# A notice of success would go to whoever was named as the sender.
smtpd_discard_ehlo_keywords = silent-discard, dsn, etrn

# Rcpt Lookup by probe. Probes have a transport of their own (master.cf), because what a Server answers to them
# is read differently.
address_verify_transport_maps = ${lmdb("inbound-probes")}
address_verify_map = lmdb:$data_directory/verify
address_verify_poll_delay = 1s
address_verify_poll_count = 5
unverified_recipient_reject_code = 550
unverified_recipient_defer_code = 451
# For both. The Server's own words would tell the world where it is.
unverified_recipient_reject_reason = the domain's mail system has not confirmed this address
# A mailbox that is new is accepted after 3 minutes. The defaults (3 h, 3 d) would refuse it for hours.
address_verify_negative_refresh_time = 3m
address_verify_negative_expire_time = 3m
# One that was deleted is accepted for a day at most; one that is used is asked for again every hour.
address_verify_positive_refresh_time = 1h
address_verify_positive_expire_time = 1d
`;
}

/** `policy_context` of the question where the mail of a null sender goes. */
export const NULL_SENDER_WAY = "null-sender-way";

/** smtp-relay: takes mail that the tenants send and brings it to their Relay Servers or to the world. */
export function relayMainCf(config: GatewayHostConfig): string {
  return `${commonSettings(config, relayInstance(config))}
# Where mail goes depends on the sender. There are no transport_maps here: they would win over it.
relay_domains =
sender_dependent_default_transport_maps = ${lmdb("relay-transport")}
# Who may send as whom, and how much in a minute, is the agent's decision. Without an answer nothing is relayed.
smtpd_relay_restrictions =
  check_policy_service ${policyService()}, reject
${recipientRestrictions(config)}smtpd_data_restrictions = check_client_access static:{PREPEND ${PASS_HEADERS.relay}: 0}
smtpd_discard_ehlo_keywords = silent-discard, etrn
# Certificates are asked for and not verified: their fingerprint says whose they are.
smtpd_tls_ask_ccert = yes
smtpd_tls_fingerprint_digest = sha256

# Logins at Relay Servers belong to the sender. They are given over TLS only. See master.cf for where.
smtp_sasl_password_maps = ${lmdb("relay-passwords")}
smtp_sender_dependent_authentication = yes
smtp_sasl_security_options = noanonymous, noplaintext
smtp_sasl_tls_security_options = noanonymous
`;
}

function policyService(more = ""): string {
  return `{ unix:${HOST_PATHS.policySocket}, timeout=5s,${more}
    { default_action = 451 4.3.5 the gateway cannot check now who may send } }`;
}

/**
 * Mail with the null sender goes the way of its client's domain, which only the agent knows. A FILTER stands in
 * the place of content_filter, so that with a processor this mail leaves by MX.
 */
function recipientRestrictions({ processor }: GatewayHostConfig): string {
  if (processor !== undefined) {
    return `\
smtpd_recipient_restrictions = reject_non_fqdn_recipient
smtpd_restriction_classes = ${CLOSED_SLOT}
`;
  }
  return `\
smtpd_recipient_restrictions = reject_non_fqdn_recipient,
  check_sender_access inline:{{<> = null_sender_way}}
# sender_dependent_default_transport_maps cannot tell one null sender from another. The agent answers FILTER,
# which holds for all recipients of the message.
smtpd_restriction_classes = ${CLOSED_SLOT}, null_sender_way
null_sender_way =
  check_policy_service ${policyService(` policy_context=${NULL_SENDER_WAY},`)}
`;
}
