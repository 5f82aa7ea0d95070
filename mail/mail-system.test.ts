import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MxRecord } from "./dns.ts";
import { recogniseMailSystem, recommendServer } from "./mail-system.ts";

const mx = (...exchanges: string[]): MxRecord[] =>
  exchanges.map((exchange, index) => ({ preference: index * 10, exchange }));

describe("recogniseMailSystem", () => {
  // Hosts as they stand in the vendors' set-up guides and in published zones.
  test.each([
    ["contoso-com.mail.protection.outlook.com", "microsoft365", "mailboxes"],
    ["contosotest-com.o-v1.mx.microsoft", "microsoft365", "mailboxes"],
    ["contoso-com.mail.protection.office365.us", "microsoft365", "mailboxes"],
    ["contoso-com.mail.protection.partner.outlook.cn", "microsoft365", "mailboxes"],
    ["smtp.google.com", "google", "mailboxes"],
    ["aspmx.l.google.com", "google", "mailboxes"],
    ["alt4.aspmx.l.google.com", "google", "mailboxes"],
    ["aspmx3.googlemail.com", "google", "mailboxes"],
    ["in1-smtp.messagingengine.com", "fastmail", "mailboxes"],
    ["mx01.mail.icloud.com", "icloud", "mailboxes"],
    ["mailsec.protonmail.ch", "proton", "mailboxes"],
    ["mx1.emailsrvr.com", "rackspace", "mailboxes"],
    ["mx2.zoho.com.au", "zoho", "mailboxes"],
    ["d40321a.ess.barracudanetworks.com", "barracuda", "filter"],
    ["cluster1.eu.messagelabs.com", "broadcom", "filter"],
    ["mx1.hc1234-56.iphmx.com", "cisco", "filter"],
    ["route1.mx.cloudflare.net", "cloudflareEmailRouting", "filter"],
    ["mailstream-central.mxrecord.mx", "cloudflareEmailSecurity", "filter"],
    ["cust1234-1.in.mailcontrol.com", "forcepoint", "filter"],
    ["mx01.hornetsecurity.com", "hornetsecurity", "filter"],
    ["us-smtp-inbound-1.mimecast.com", "mimecast", "filter"],
    ["mx0a-00123456.pphosted.com", "proofpoint", "filter"],
    ["mx1-us1.ppe-hosted.com", "proofpointEssentials", "filter"],
    ["mx-01-eu-west-1.prod.hydra.sophos.com", "sophos", "filter"],
    ["contoso.in.tmes.trendmicro.eu", "trendMicro", "filter"],
    ["smtp-in.mxhero.com", "mxhero", "gateway"],
  ])("%s is %s (%s)", (exchange, system, role) => {
    expect(recogniseMailSystem(mx(exchange))).toMatchObject({ system, role });
  });

  test("whole labels count", () => {
    for (const exchange of [
      "contoso-com.mail.protection.outlook.com.evil.test",
      "notmx.microsoft",
      "xsmtp.google.com",
      "gmail-smtp-in.l.google.com",
      "evilpphosted.com",
      "trendmicro.com",
    ]) {
      expect(recogniseMailSystem(mx(exchange))).toEqual({
        system: "other",
        name: exchange,
        role: "unknown",
      });
    }
  });

  test("the most preferred record counts, in whatever order they come", () => {
    const records = [
      { preference: 100, exchange: "contoso-com.mail.protection.outlook.com" },
      { preference: 0, exchange: "contoso.in.tmes.trendmicro.com" },
    ];
    expect(recogniseMailSystem(records).name).toBe("Trend Micro Email Security");
    expect(recogniseMailSystem(records.toReversed()).name).toBe("Trend Micro Email Security");
  });

  test("among equals, a known one counts", () => {
    const records = ["mail.contoso.test", "mx0a-00123456.pphosted.com"].map((exchange) => ({
      preference: 10,
      exchange,
    }));
    expect(recogniseMailSystem(records).system).toBe("proofpoint");
  });

  test("the gateway's own hosts", () => {
    expect(recogniseMailSystem(mx("mx1.gateway.test"), ["mx1.gateway.test"])).toEqual({
      system: "mxhero",
      name: "mxHERO",
      role: "gateway",
    });
  });

  test("no MX, and the null MX", () => {
    expect(recogniseMailSystem([]).role).toBe("none");
    expect(recogniseMailSystem(mx("")).role).toBe("none");
  });
});

describe("recommendServer", () => {
  test("Microsoft 365: the host of the present MX, in both schemes", () => {
    for (const host of [
      "contoso-com.mail.protection.outlook.com",
      "contoso-com.o-v1.mx.microsoft",
    ]) {
      const present = mx("contoso.in.tmes.trendmicro.com", host);
      expect(recommendServer("microsoft365", "contoso.com", present)).toMatchObject({
        server: host,
        source: "present-mx",
      });
    }
  });

  test("Microsoft 365: derived by the older scheme otherwise, and it says what that is worth", () => {
    const recommendation = recommendServer("microsoft365", "contoso.co.uk", []);
    expect(recommendation).toMatchObject({
      server: "contoso-co-uk.mail.protection.outlook.com",
      source: "naming-scheme",
    });
    expect(recommendation.explanation).toContain("before July 2026");
  });

  test("Microsoft 365: the host of a domain with a hyphen, or too long for one label, cannot be derived", () => {
    for (const domain of ["fabrikam-inc.com", "xn--bcher-kva.example", `${"a".repeat(60)}.com`]) {
      expect(recommendServer("microsoft365", domain, [])).toMatchObject({
        server: undefined,
        source: "unknown",
        explanation: expect.stringContaining("admin centre"),
      });
    }
  });

  test("Microsoft 365: a host below mx.microsoft is never guessed", () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        const { server = "" } = recommendServer("microsoft365", domain.toLowerCase(), []);
        expect(server).not.toContain("mx.microsoft");
      }),
    );
  });

  test("Google Workspace: the ASPMX set where the domain has it, smtp.google.com otherwise", () => {
    const aspmx = mx("aspmx.l.google.com", "alt1.aspmx.l.google.com");
    expect(recommendServer("google", "contoso.com", aspmx)).toMatchObject({
      server: "aspmx.l.google.com",
      source: "present-mx",
    });
    expect(recommendServer("google", "contoso.com", mx("mx1.gateway.test"))).toMatchObject({
      server: "smtp.google.com",
      source: "vendor",
    });
  });

  test("other mailbox providers: from the present MX only", () => {
    expect(recommendServer("zoho", "contoso.com", mx("mx.zoho.eu", "mx2.zoho.eu"))).toMatchObject({
      server: "mx.zoho.eu",
      source: "present-mx",
    });
    expect(recommendServer("zoho", "contoso.com", [])).toMatchObject({
      server: undefined,
      explanation: expect.stringContaining("Zoho Mail"),
    });
  });

  test("a server of one's own: the present MX host, if nothing known stands there", () => {
    const own = mx("mail.contoso.test", "backup.contoso.test");
    expect(recommendServer("exchange", "contoso.test", own)).toMatchObject({
      server: "mail.contoso.test",
      source: "present-mx",
    });
    expect(
      recommendServer("exchange", "contoso.test", mx("mx0a-00123456.pphosted.com")),
    ).toMatchObject({ server: undefined, explanation: expect.stringContaining("Proofpoint") });
    expect(recommendServer("other", "contoso.test", [])).toMatchObject({
      server: undefined,
      explanation: expect.stringContaining("no MX"),
    });
  });

  test("a filter is not where mail ends", () => {
    expect(
      recommendServer("mimecast", "contoso.test", mx("us-smtp-inbound-1.mimecast.com")),
    ).toMatchObject({ server: undefined, explanation: expect.stringContaining("Mimecast") });
  });

  test("the gateway itself is never recommended", () => {
    const gatewayHosts = ["mx1.gateway.test", "mx2.gateway.test"];
    for (const system of ["other", "exchange", "google", "microsoft365"] as const) {
      const { server } = recommendServer(system, "contoso.test", mx(...gatewayHosts), gatewayHosts);
      expect(gatewayHosts).not.toContain(server);
    }
  });
});
