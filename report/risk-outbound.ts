/** The risk of a gateway that nobody here can ask who still sends through it. */
import { opOf } from "./domain-change.ts";
import type { MailDomain } from "./mail-domain.ts";
import { type Finder, risk } from "./risk.ts";

/** The way out through the gateway ends, or SPF loses it. */
export const outboundOnWord: Finder = ({ domain }) => {
  const isGone = opOf(domain, "drain") === "delete";
  const drain = isGone ? domain.old.drain : domain.new.drain;
  const isBlind = domain.old.drain?.store === undefined && drain?.store === undefined;
  const ends = isGone || losesSpfTerm(domain);
  if (!ends || !isBlind || drain?.quietSeconds === 0) return [];
  return [
    risk(
      "outbound-on-word",
      "medium",
      "Whether mail of the domain still leaves through this gateway cannot be seen from here. The run stops until somebody says that none does.",
      `When nothing is sent there any more, run it with MXHERO_OUTBOUND_STOPPED=${domain.domain} in the environment.`,
    ),
  ];
};

/** Another gateway has an SPF term of its own in its place. */
function losesSpfTerm({ parts }: MailDomain): boolean {
  return parts.some(
    ({ part, changes }) =>
      part === "drain" && changes.some(({ path, kind }) => path === "include" && kind === "delete"),
  );
}
