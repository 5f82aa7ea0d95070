/**
 * What a program uses of the `mxhero` provider: one class a resource. No logic.
 *
 * Values come from Pulumi's single files: its index loads the Automation API too, which takes 0.2 s.
 */
import type * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/pulumi/resource.js";

/** An MX record as programs write it. */
export interface MxTarget {
  /** The host that receives the mail: a name, never an address. */
  readonly exchange: pulumi.Input<string>;
  /** 0–65535; senders try the lowest first (RFC 5321 section 5.1). */
  readonly preference: pulumi.Input<number>;
}

/** An MX record as the provider reports it; `exchange` is `""` for the null MX (RFC 7505). */
export interface MxTargetOutput {
  readonly exchange: string;
  readonly preference: number;
}

/** Where a domain's zone is, and at Cloudflare which token opens it. */
interface ZoneArgs {
  /** The organisation that holds the domain. It is written into the domain's journal. */
  readonly organisation: pulumi.Input<string>;
  /** The domain, lower case, in A-labels (RFC 5890). Another domain is another resource. */
  readonly domain: pulumi.Input<string>;
  /** `manual`: a person changes the records, and a run stops at each change. @default `cloudflare` */
  readonly dns?: pulumi.Input<string> | undefined;
  /** The id of the zone. @default the zone is found by the domain's name */
  readonly zoneId?: pulumi.Input<string> | undefined;
  /** The name of the token, not the token. @default the provider's one token */
  readonly credential?: pulumi.Input<string> | undefined;
}

export interface MxTakeoverArgs extends ZoneArgs {
  /** The gateway's MX records. */
  readonly mx: pulumi.Input<pulumi.Input<MxTarget>[]>;
  /** The system that finally receives the mail, a host name or an address. It is never the gateway. */
  readonly server: pulumi.Input<string>;
  /** The Server is found by its MX records instead of its address. @default false */
  readonly mxLookup?: pulumi.Input<boolean> | undefined;
  /** The old MX serves again; everything else stays. @default false */
  readonly bypass?: pulumi.Input<boolean> | undefined;
  /** How long old and new MX stand side by side, in seconds. @default 60 */
  readonly overlapSeconds?: pulumi.Input<number> | undefined;
  /** What a hand-back installs instead of the MX that was found. */
  readonly handBackTo?: pulumi.Input<pulumi.Input<MxTarget>[]> | undefined;
  /**
   * The SPF terms that were accepted as a stand-in for `mx`; empty: accepted that nothing takes its place.
   * Absent: a domain whose SPF record relies on `mx` is refused.
   */
  readonly spfTerms?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /**
   * The administrator's word that the mail system takes mail from everyone, so that the domain may be handed
   * back unproven. @default false
   */
  readonly handBackConfirmed?: pulumi.Input<boolean> | undefined;
  /** An address of the domain that exists, for the proof of a hand-back. @default postmaster */
  readonly probeRecipient?: pulumi.Input<string> | undefined;
  /**
   * Whoever runs the gateway keeps its routes: it is asked whether it takes the domain's mail before the MX
   * move there. @default false
   */
  readonly probeGateway?: pulumi.Input<boolean> | undefined;
  /** The gateway refuses the domain's mail now, so that its MX may not be moved there. @default false */
  readonly inactive?: pulumi.Input<boolean> | undefined;
  /** Names and addresses of the gateway: a proof of a hand-back from one of them proves nothing. @default none */
  readonly gatewayHosts?: pulumi.Input<pulumi.Input<string>[]> | undefined;
}

/** The MX of one domain, pointed at the gateway; deleting it hands the domain back. */
export class MxTakeover extends CustomResource {
  /** What a hand-back restores. */
  declare readonly before: pulumi.Output<MxTargetOutput[]>;
  /** What is served now. */
  declare readonly after: pulumi.Output<MxTargetOutput[]>;
  /** Who holds the domain, as the journal has it. */
  declare readonly claim: pulumi.Output<string>;
  /**
   * From when the mail system may be locked to the gateway's addresses: the former MX have left every cache by
   * then. ISO 8601, UTC. Absent while they stand, as in a bypass.
   */
  declare readonly lockDownSafeFrom: pulumi.Output<string | undefined>;

  constructor(name: string, args: MxTakeoverArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      before: undefined,
      after: undefined,
      claim: undefined,
      lockDownSafeFrom: undefined,
    };
    super("mxhero:index:MxTakeover", name, { ...args, ...outputs }, options);
  }
}

export interface SpfIncludeArgs extends ZoneArgs {
  /** The gateway's SPF domain. Absent: mail does not leave through the gateway. */
  readonly include?: pulumi.Input<string> | undefined;
  /** Terms that stand in for `mx`, for example `a:mail.contoso.test`. */
  readonly replacements?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** SPF domains of gateways that the domain was at before, and that may still send its mail. */
  readonly alsoInclude?: pulumi.Input<string[] | undefined>;
  /** The record to begin with where the domain has none, for example `v=spf1 -all`. */
  readonly base?: pulumi.Input<string> | undefined;
  /** The gateway's endpoint for outbound mail: by it one gateway is told from another. */
  readonly relay?: pulumi.Input<string> | undefined;
  /**
   * Nobody here can ask the gateway what goes out through it: before its term is taken out of the record, a person is
   * asked. @default false
   */
  readonly unseen?: pulumi.Input<boolean> | undefined;
}

/** The gateway's terms in one domain's SPF record; deleting it takes those terms out again. */
export class SpfInclude extends CustomResource {
  /** The record without the gateway's terms; empty where there was none. */
  declare readonly before: pulumi.Output<string>;
  /** The record that is served now. */
  declare readonly after: pulumi.Output<string>;
  /** The DNS lookups that the record takes, of the 10 that RFC 7208 section 4.6.4 allows. */
  declare readonly lookups: pulumi.Output<number>;
  /** Who uses how many of them, in one line. */
  declare readonly lookupsByTerm: pulumi.Output<string>;
  /** Who holds the domain, as the journal has it. */
  declare readonly claim: pulumi.Output<string>;

  constructor(name: string, args: SpfIncludeArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      before: undefined,
      after: undefined,
      lookups: undefined,
      lookupsByTerm: undefined,
      claim: undefined,
    };
    super("mxhero:index:SpfInclude", name, { ...args, ...outputs }, options);
  }
}

/** Where a gateway keeps its routes: outputs of the gateway's stack. */
export interface RouteStoreArgs {
  /** The name of the DynamoDB table. */
  readonly table: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  /** In front of the names of secrets in the parameter store: `/mxhero/<gateway>`. */
  readonly secretPrefix: pulumi.Input<string>;
  /** The KMS key of the secrets. @default AWS's own key for parameters */
  readonly keyId?: pulumi.Input<string> | undefined;
}

export interface RelayServerArgs {
  /** A host name or an address. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** `opportunistic`, `required` or `verified`. */
  readonly tls: pulumi.Input<string>;
  readonly login?:
    | {
        readonly user: pulumi.Input<string>;
        /** A secret. It goes into the parameter store, and nowhere else in clear. */
        readonly password: pulumi.Input<string>;
      }
    | undefined;
}

export interface RouteArgs {
  /** The organisation that holds the domain. */
  readonly organisation: pulumi.Input<string>;
  /** The domain, lower case, in A-labels (RFC 5890). Another domain is another resource. */
  readonly domain: pulumi.Input<string>;
  readonly store: pulumi.Input<RouteStoreArgs>;
  /** The gateway's names and addresses: no next hop may be one of them. */
  readonly gatewayHosts: pulumi.Input<pulumi.Input<string>[]>;
  /** `public`: private and special addresses are refused as next hops. `private`: they are not. */
  readonly nextHops: pulumi.Input<string>;
  /** The system that finally receives the mail, a host name or an address. It is never the gateway. */
  readonly server: pulumi.Input<string>;
  /** The Server is found by its MX records instead of its address. */
  readonly mxLookup: pulumi.Input<boolean>;
  /** `off`, `probe` or `list`. */
  readonly rcptLookup: pulumi.Input<string>;
  /** The addresses that exist, with the look-up by `list`. */
  readonly recipients?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Whether the gateway accepts mail for the domain. */
  readonly inbound: pulumi.Input<boolean>;
  /** `standard`, `loopback` or `none`. */
  readonly outbound: pulumi.Input<string>;
  readonly relayServer?: pulumi.Input<RelayServerArgs> | undefined;
  /** Addresses, networks and certificates' fingerprints of who may send as the domain. */
  readonly sendingFrom: pulumi.Input<pulumi.Input<string>[]>;
  /** A mailbox that exists, which every slot asks the Server for. */
  readonly probeRecipient: pulumi.Input<string>;
  /** Where a person learns what to do once mail is refused: a web or mail address. */
  readonly fixIt: pulumi.Input<string>;
  /** Slots that are dead and are not waited for. */
  readonly excludeSlots: pulumi.Input<pulumi.Input<string>[]>;
  /** @default nobody asks whether someone still sends before a change refuses it */
  readonly sending?: pulumi.Input<SendingArgs> | undefined;
  /**
   * The domain's mail is refused, for 2 days with 4xx and then with 5xx and the fix-it address, until it is active
   * again. @default false
   */
  readonly inactive?: pulumi.Input<boolean> | undefined;
  /** Whether an `SpfInclude` keeps `formerIncludes` in the domain's SPF record. @default false */
  readonly editsSpf?: pulumi.Input<boolean> | undefined;
}

/** What must be known before mail that goes out through the gateway may be refused. */
export interface SendingArgs {
  /** `microsoft365`, `google`, `exchange` or `other`: in whose words a person is told what still sends. */
  readonly mailSystem: pulumi.Input<string>;
  /** The gateway's endpoint for outbound mail. */
  readonly relay: pulumi.Input<string>;
  /** For how long nothing may have been sent, in seconds; 0: nobody asks. @default 86400 */
  readonly quietSeconds?: pulumi.Input<number> | undefined;
  /** The gateway's SPF domain, where the domain's SPF record names it. */
  readonly include?: pulumi.Input<string> | undefined;
  /** The gateway's endpoint to which the mail system hands inbound mail. @default it hands none over */
  readonly handsOverTo?: pulumi.Input<string> | undefined;
}

/** A gateway that the domain has moved away from, where it is still served. */
export interface FormerGatewayOutput {
  readonly store: {
    readonly table: string;
    readonly region: string;
    readonly secretPrefix: string;
  };
  readonly sending?: { readonly relay: string; readonly handsOverTo?: string };
}

/** What the gateway knows of one domain; deleting it lets the route leave by its times. */
export class Route extends CustomResource {
  /** The version that serves. */
  declare readonly version: pulumi.Output<number>;
  /** The slots that have proven it and hold it. */
  declare readonly slots: pulumi.Output<string[]>;
  /** Who holds the domain, as the route store has it. */
  declare readonly claim: pulumi.Output<string>;
  /** Gateways that the domain was at before, and where it is still served. */
  declare readonly formerGateways: pulumi.Output<FormerGatewayOutput[]>;
  /** Their SPF domains, which the domain's SPF record must still name. */
  declare readonly formerIncludes: pulumi.Output<string[]>;

  constructor(name: string, args: RouteArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      version: undefined,
      slots: undefined,
      claim: undefined,
      formerGateways: undefined,
      formerIncludes: undefined,
    };
    super("mxhero:index:Route", name, { ...args, ...outputs }, options);
  }
}

export interface DrainArgs extends SendingArgs {
  /** The domain, lower case, in A-labels (RFC 5890). Another domain is another resource. */
  readonly domain: pulumi.Input<string>;
  /** @default nobody here can ask the gateway, and a delete needs the administrator's word */
  readonly store?: pulumi.Input<RouteStoreArgs> | undefined;
  /** The claim of the domain's `Route`. Where another resource holds the domain, too, nothing is waited for. */
  readonly claim?: pulumi.Input<string> | undefined;
  /** Gateways that the domain was at before: there, too, it must be quiet. */
  readonly former?: pulumi.Input<FormerSendingArgs[]> | undefined;
  /** Other terms that the domain's SPF record is given. */
  readonly replacements?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** The gateway's names: where the domain's MX names one, nothing more needs to be handed over. */
  readonly gatewayHosts?: pulumi.Input<pulumi.Input<string>[]> | undefined;
}

/** How a domain sends through a gateway that it was at before. */
export interface FormerSendingArgs {
  readonly relay: string;
  /** To which endpoint the mail system hands inbound mail over there. */
  readonly handsOverTo?: string | undefined;
  readonly store: FormerGatewayOutput["store"];
}

/** Deleting it waits until the domain's mail system has stopped to send to the gateway. */
export class Drain extends CustomResource {
  constructor(name: string, args: DrainArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:Drain", name, { ...args }, options);
  }
}
