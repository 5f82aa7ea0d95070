/**
 * Mail of one domain through a smart host: Postfix, Exim, Sendmail.
 *
 * Sources: postconf(5) sender_dependent_relayhost_maps ([host] is looked up by address, not by MX), DATABASE_README
 * (texthash); Exim specification, chapters 15 and 20 (senders, manualroute, byname); cf/README of Sendmail (SMART_HOST).
 * The lines were run with Postfix 3.7, Exim 4.96 and Sendmail 8.17.
 */
import type { StepFacts } from "./facts.ts";
import { bare, shell } from "./quoting.ts";
import type { CommandBlock } from "./step.ts";

const POSTFIX_MAP = "/etc/postfix/gateway_senders";
/** A file with a dot in its name is passed over there. */
const EXIM_ROUTERS = "/etc/exim4/conf.d/router";

/** One block a program; only one of them is in use. */
export function smarthostBlocks(facts: StepFacts): CommandBlock[] {
  return [postfix(facts), ...exim(facts), sendmail(facts)];
}

function postfix({ domain, gateway }: StepFacts): CommandBlock {
  const host = bare(gateway.smtpRelay);
  const line = `@${bare(domain)} [${host}]:25`;
  const setting = `sender_dependent_relayhost_maps = texthash:${POSTFIX_MAP}`;
  return {
    where: "a shell as root, for Postfix",
    lines: [
      "postconf -h sender_dependent_relayhost_maps # shows nothing, or this map; otherwise put the next line into the map it shows, and leave the third out",
      `echo ${shell(line)} >> ${POSTFIX_MAP}`,
      `postconf -e ${shell(setting)}`,
      "postfix reload",
      `postmap -q ${shell(`@${domain}`)} texthash:${POSTFIX_MAP} # shows [${host}]:25`,
    ],
    undo: [
      `sed -i ${shell(`/^@${bare(domain).replaceAll(".", "\\.")} /d`)} ${POSTFIX_MAP}`,
      "postfix reload",
    ],
  };
}

/** The router has to stand before the one that looks MX up. */
function exim({ domain, gateway }: StepFacts): CommandBlock[] {
  const name = `gateway_${bare(domain).replaceAll(/[.-]/g, "_")}`;
  const file = `${EXIM_ROUTERS}/150_exim4-config_${name}`;
  const router = [
    `${name}:`,
    "  driver = manualroute",
    `  senders = *@${bare(domain)}`,
    "  domains = ! +local_domains",
    "  transport = remote_smtp",
    `  route_list = * ${bare(gateway.smtpRelay)} byname`,
    "  host_find_failed = defer",
    "  no_more",
  ];
  return [
    {
      where: `a new file, for Exim: ${file} (where the configuration is one file, before the router with driver = dnslookup)`,
      lines: router,
      undo: ["Delete these lines."],
    },
    {
      where: "a shell as root, for Exim (without update-exim4.conf where there is none)",
      lines: [
        "update-exim4.conf && systemctl reload exim4",
        `exim4 -f ${shell(`postmaster@${domain}`)} -bt someone@example.com # shows router = ${name}, host ${gateway.smtpRelay}`,
      ],
      undo: ["update-exim4.conf && systemctl reload exim4"],
    },
  ];
}

/** It knows no smart host for one domain alone. */
function sendmail({ gateway }: StepFacts): CommandBlock {
  const host = bare(gateway.smtpRelay);
  return {
    where:
      "/etc/mail/sendmail.mc before the first MAILER, for Sendmail (it counts for all mail that the server sends)",
    lines: [
      `define(\`SMART_HOST', \`esmtp:[${host}]')dnl`,
      "dnl and then, in a shell as root: make -C /etc/mail && systemctl restart sendmail",
      `dnl to check: echo '3,0 someone@example.com' | sendmail -bt, which ends with $# esmtp $@ [ ${host.replaceAll(".", " . ")} ]`,
    ],
    undo: ["Delete the line, then make -C /etc/mail && systemctl restart sendmail"],
  };
}
