/** The settings of main.cf that both Postfix instances share. See postconf(5) for each. */
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import { sessionSettings } from "./sessions.ts";

/** What makes one instance different from the other. */
export interface Instance {
  /** As `postmulti` knows it. */
  readonly name: "postfix-in" | "postfix-relay";
  readonly myhostname: string;
  /** Private, bound. */
  readonly address: string;
  /** What the world sees instead. */
  readonly publicAddress: string;
  readonly directory: string;
  readonly queue: string;
  readonly data: string;
  readonly log: string;
}

/** The group of both instances, for `postmulti -g`. */
export const INSTANCE_GROUP = "mxhero-gateway";

export function inboundInstance({ smtpIn, inbound }: GatewayHostConfig): Instance {
  return {
    ...inbound,
    name: "postfix-in",
    myhostname: smtpIn,
    directory: HOST_PATHS.inboundInstance,
    queue: HOST_PATHS.inboundQueue,
    data: "/var/lib/postfix-in",
    log: HOST_PATHS.inboundLog,
  };
}

export function relayInstance({ smtpRelay, relay }: GatewayHostConfig): Instance {
  return {
    ...relay,
    name: "postfix-relay",
    myhostname: smtpRelay,
    directory: HOST_PATHS.relayInstance,
    queue: HOST_PATHS.relayQueue,
    data: "/var/lib/postfix-relay",
    log: HOST_PATHS.relayLog,
  };
}

/** An LMDB map, as Postfix writes it. */
export function lmdb(map: string): string {
  return `lmdb:${HOST_PATHS.maps}/${map}`;
}

/**
 * What SMTP counts for a message of so many bytes: with attachments in base64, 78 bytes carry 57
 * (RFC 2045 section 6.8), and there is a header.
 */
export function messageSizeLimit(maximumMessageBytes: number): number {
  return Math.ceil((maximumMessageBytes / 57) * 78) + 65_536;
}

export function commonSettings(config: GatewayHostConfig, instance: Instance): string {
  return [
    identity(instance),
    noLocalMail,
    unchangedMail(config),
    smtpServer,
    sessionSettings(config),
    tls,
    smtpClient(instance),
    bounces,
    processing(config),
  ].join("\n");
}

function identity({ name, myhostname, address, publicAddress, queue, data, log }: Instance) {
  return `\
# Written by the gateway's agent from the stack's configuration, and written anew when it starts.
compatibility_level = 3.6
multi_instance_name = ${name}
multi_instance_group = ${INSTANCE_GROUP}
multi_instance_enable = yes
queue_directory = ${queue}
data_directory = ${data}
maillog_file = ${log}
enable_long_queue_ids = yes

# One name on all slots: a host that is greeted with its own name knows that the mail would loop. The other
# instance has another name, so that mail between tenants can pass from one to the other.
myhostname = ${myhostname}
myorigin = $myhostname
inet_interfaces = ${address}
inet_protocols = all
# The address that the network translates to ours.
proxy_interfaces = ${publicAddress}
smtpd_banner = $myhostname ESMTP
`;
}

const noLocalMail = `\
# There are no mailboxes, no local users and no trusted networks here.
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:5.1.1 no local mailboxes
mailbox_size_limit = 0
authorized_submit_users = root
biff = no
# A route holds for its domain only. With the default, the subdomains of each would be accepted, too.
parent_domain_matches_subdomains =
# Recipients such as user%other.test@domain mean no other host.
allow_percent_hack = no
swap_bangpath = no
append_dot_mydomain = no
# user+tag is the mailbox user, as at Microsoft 365 and Google.
recipient_delimiter = +
`;

function unchangedMail({ maximumMessageBytes }: GatewayHostConfig): string {
  return `\
# Mail passes bit by bit, or its DKIM signatures break: no header is rewritten, completed or dropped, no body
# is converted, no long line is folded.
local_header_rewrite_clients =
always_add_missing_headers = no
message_drop_headers =
disable_mime_input_processing = yes
disable_mime_output_conversion = yes
smtp_line_length_limit = 0
# Longer header fields are cut: To: fields with thousands of addresses exist.
header_size_limit = 4194304
# header_checks count passes in the message's own header, not in that of a message attached to a bounce.
header_checks = regexp:$config_directory/header_checks
mime_header_checks =
nested_header_checks =
smtputf8_enable = yes
# Messages of ${maximumMessageBytes} bytes, once their attachments are encoded in base64.
message_size_limit = ${messageSizeLimit(maximumMessageBytes)}
`;
}

const smtpServer = `\
# SMTP smuggling: only <CR><LF>.<CR><LF> ends a message, and nobody is excepted. Debian's default is "no".
smtpd_forbid_bare_newline = normalize
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
cleanup_replace_stray_cr_lf = yes
smtpd_helo_required = yes
strict_rfc821_envelopes = yes
disable_vrfy_command = yes
smtpd_etrn_restrictions = reject
fast_flush_domains =
# Limits for each client address, in 60 s. Mail systems of large tenants stay far below. There is at most one TLS
# handshake in a connection, so that it needs no limit of its own.
anvil_rate_time_unit = 60s
smtpd_client_connection_count_limit = 50
smtpd_client_connection_rate_limit = 1200
smtpd_soft_error_limit = 10
smtpd_hard_error_limit = 20
`;

const tls = `\
# TLS wherever the other side can, never older than 1.2. To us with forward secrecy and authenticated encryption
# only. To others the older ciphers of 1.2 stay: without them, some would get the mail in clear.
tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION
tls_preempt_cipherlist = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = ${HOST_PATHS.tlsChain}
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_ciphers = high
smtpd_tls_mandatory_ciphers = high
smtpd_tls_exclude_ciphers = aNULL, kRSA, PSK, SRP, SHA1, SHA256, SHA384, MD5
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_protocols = >=TLSv1.2
smtp_tls_mandatory_protocols = >=TLSv1.2
smtp_tls_ciphers = high
smtp_tls_mandatory_ciphers = high
smtp_tls_exclude_ciphers = aNULL, PSK, SRP, MD5
smtp_tls_session_cache_database = lmdb:$data_directory/smtp_scache
smtp_tls_loglevel = 1
`;

function smtpClient({ address }: Instance): string {
  return `\
smtp_bind_address = ${address}
# Large receivers refuse IPv6 without a PTR record.
smtp_address_preference = ipv4
# Servers that accept connections and then hang: with the defaults (30 s, 300 s, 100 processes), those of 30
# tenants held every process, and no other tenant's mail left. Measured; see also maxproc in master.cf.
smtp_connect_timeout = 10s
smtp_helo_timeout = 30s
`;
}

const bounces = `\
# No postmaster lives here. Problems are seen in the log and in the agent's health.
notify_classes =
`;

function processing({ processor }: GatewayHostConfig): string {
  if (processor === undefined) return "";
  return `\
# Accepted mail passes through the processor and comes back on loopback: see master.cf.
content_filter = processor:[${processor.host}]:${processor.port}
`;
}
