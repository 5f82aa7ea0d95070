/** master.cf of the two Postfix instances: which services there are, and how many processes of each. */
import { TLS_LEVELS, type TlsLevel } from "../../mail/route.ts";
import { type GatewayHostConfig, HOST_PATHS, RETURN_PORTS } from "../host-config.ts";

/** The transport to a host that a tenant named for outbound mail. */
export function relayTransport(tls: TlsLevel): string {
  return `relay-${tls}`;
}

/** The transport to a tenant's Server, and the one of probes for recipients there. */
export const SERVER_TRANSPORT = "server";
export const PROBE_TRANSPORT = "probe";

/** `smtp_tls_security_level`; see TLS_README. `secure` checks the name of the next hop. */
const securityLevels: Readonly<Record<TlsLevel, string>> = {
  opportunistic: "may",
  required: "encrypt",
  verified: "secure",
};

type Options = Readonly<Record<string, string>>;

/** One line of master.cf, with its options below. Nothing runs in a chroot: the policy socket is in /run. */
function service(
  name: string,
  type: string,
  isPrivate: string,
  maximumProcesses: string,
  command: string,
  options: Options = {},
): string {
  const line = [name, type, isPrivate, "-", "n", "-", maximumProcesses, command].join(" ");
  const lines = Object.entries(options).map(([key, value]) => `  -o ${option(key, value)}`);
  return [line, ...lines].map((text) => `${text}\n`).join("");
}

/** Values with spaces need braces: master(5). */
function option(key: string, value: string): string {
  return value.includes(" ") ? `{ ${key} = ${value} }` : `${key}=${value}`;
}

/** What a host that is named by a tenant's configuration has in common. */
function namedHop(config: GatewayHostConfig): Options {
  return {
    smtp_host_lookup: "dns",
    smtp_delivery_status_filter: "regexp:$config_directory/next_hop_status",
    ...(config.nextHops === "public"
      ? { smtp_dns_reply_filter: "regexp:$config_directory/public_addresses" }
      : {}),
  };
}

/**
 * To start a process costs more than to deliver a message: a client sets up TLS each time. The default is an end
 * after 100 messages. smtpd keeps it, since it remembers addresses for its life.
 */
const LONG_LIVED: Options = { max_use: "1000" };

const daemons = [
  service("pickup", "unix", "n", "1", "pickup"),
  service("cleanup", "unix", "n", "0", "cleanup", LONG_LIVED),
  service("qmgr", "unix", "n", "1", "qmgr"),
  service("tlsmgr", "unix", "-", "1", "tlsmgr"),
  service("rewrite", "unix", "-", "-", "trivial-rewrite"),
  service("bounce", "unix", "-", "0", "bounce"),
  service("defer", "unix", "-", "0", "bounce"),
  service("trace", "unix", "-", "0", "bounce"),
  service("verify", "unix", "-", "1", "verify"),
  service("flush", "unix", "n", "0", "flush"),
  service("proxymap", "unix", "-", "-", "proxymap"),
  service("proxywrite", "unix", "-", "1", "proxymap"),
  service("showq", "unix", "n", "-", "showq"),
  service("error", "unix", "-", "-", "error"),
  service("retry", "unix", "-", "-", "error"),
  service("discard", "unix", "-", "-", "discard"),
  service("anvil", "unix", "-", "1", "anvil"),
  service("scache", "unix", "-", "1", "scache"),
  service("postlog", "unix-dgram", "n", "1", "postlogd"),
].join("");

/** Enough that Servers which hang hold a part of them only. */
const CLIENTS = "1000";
const SESSIONS = "300";
const PROBES = "300";

function smtpClient(name: string, options: Options = {}): string {
  return service(name, "unix", "-", CLIENTS, "smtp", { ...LONG_LIVED, ...options });
}

/** The way through the processor and back. Without one there is no hop more. */
function processing(config: GatewayHostConfig, returnPort: number): string {
  if (config.processor === undefined) return "";
  const handOver = service("processor", "unix", "-", "100", "smtp", {
    smtp_host_lookup: "native",
    smtp_tls_security_level: "none",
    smtp_send_xforward_command: "yes",
    // It may answer only when it has done its work.
    smtp_data_done_timeout: "1200s",
  });
  const back = service(`127.0.0.1:${returnPort}`, "inet", "n", "-", "smtpd", {
    content_filter: "",
    mynetworks: "127.0.0.0/8",
    // It takes mail in a closed slot, too: what comes back is out of the queue.
    smtpd_client_restrictions: "",
    smtpd_sender_restrictions: "",
    smtpd_end_of_data_restrictions: "",
    smtpd_relay_restrictions: "permit_mynetworks,reject",
    smtpd_recipient_restrictions: "permit_mynetworks,reject",
    smtpd_data_restrictions: "",
    receive_override_options: "no_header_body_checks,no_unknown_recipient_checks",
    smtpd_authorized_xforward_hosts: "127.0.0.0/8",
    smtpd_tls_security_level: "none",
    smtpd_discard_ehlo_keywords: "",
    smtpd_client_connection_count_limit: "0",
    smtpd_client_connection_rate_limit: "0",
    smtpd_client_message_rate_limit: "0",
    smtpd_client_recipient_rate_limit: "0",
  });
  return handOver + back;
}

export function inboundMasterCf(config: GatewayHostConfig): string {
  return `\
# service type private unpriv chroot wakeup maxproc command
${service("smtp", "inet", "n", SESSIONS, "smtpd")}${daemons}\
# Bounces, to the senders' MX.
${smtpClient("smtp")}\
# Mail to the tenants' Servers.
${smtpClient(SERVER_TRANSPORT, namedHop(config))}\
# Probes: only what is said about the mailbox is final, and someone is waiting for the answer.
${service(PROBE_TRANSPORT, "unix", "-", PROBES, "smtp", {
  ...namedHop(config),
  smtp_delivery_status_filter: "regexp:$config_directory/probe_status",
  smtp_helo_timeout: "20s",
  smtp_mail_timeout: "30s",
  smtp_rcpt_timeout: "30s",
})}${processing(config, RETURN_PORTS.inbound)}`;
}

/** Only these clients load the authorities: it takes each of them tens of milliseconds. */
const VERIFIED: Options = {
  smtp_tls_CAfile: HOST_PATHS.authorities,
  smtp_tls_secure_cert_match: "nexthop",
};

export function relayMasterCf(config: GatewayHostConfig): string {
  const hops = TLS_LEVELS.map((tls) =>
    smtpClient(relayTransport(tls), {
      ...namedHop(config),
      smtp_tls_security_level: securityLevels[tls],
      ...(tls === "verified" ? VERIFIED : {}),
      smtp_sasl_auth_enable: "yes",
    }),
  );
  return `\
# service type private unpriv chroot wakeup maxproc command
${service("smtp", "inet", "n", SESSIONS, "smtpd")}\
# Submission: as above, and nothing in clear.
${service("submission", "inet", "n", SESSIONS, "smtpd", { smtpd_tls_security_level: "encrypt" })}\
${daemons}\
# Mail to the world, by MX. /etc/hosts is asked first: there the fleet's inbound side has its private addresses.
${smtpClient("smtp", { smtp_host_lookup: "native" })}\
# Mail to Relay Servers, and back to Servers. Only here logins are used.
${hops.join("")}${processing(config, RETURN_PORTS.relay)}`;
}
