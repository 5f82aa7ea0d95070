/** One domain of a tenant: its route, its SPF record and its MX, and what became of its mail path. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { all, output, secret } from "@pulumi/pulumi/output.js";
import { ComponentResource, type Resource } from "@pulumi/pulumi/resource.js";
import { type Directives, directivesOf } from "../config/directives.ts";
import { inboundByBorder, inboundWithoutMx, outboundPath } from "../config/mail-path.ts";
import type {
  DomainPlan,
  DrainPlan,
  RoutePlan,
  SpfPlan,
  TakeoverPlan,
} from "../config/tenant-plan.ts";
import { domainSteps, formatStep, type Step, type StepFacts } from "../mail/steps/index.ts";
import {
  Drain,
  type FormerGatewayOutput,
  type FormerSendingArgs,
  MxTakeover,
  type MxTargetOutput,
  Route,
  SpfInclude,
} from "../provider/sdk.ts";

export interface TenantDomainArgs {
  readonly plan: DomainPlan;
}

/** The way of the mail in words. */
export interface PathReport {
  readonly before: Output<string>;
  readonly after: Output<string>;
}

/** What the gateway knows of a domain. It has no secret in it. */
export interface RouteReport extends Directives {
  readonly sendingFrom: readonly string[];
  /** Its mail is refused until it is active again. */
  readonly inactive: boolean;
  readonly version: Output<number>;
  /** The slots that serve this version. */
  readonly slots: Output<string[]>;
}

/** What a stack's outputs say of a domain. Parts that are not touched are absent. */
export interface DomainReport {
  readonly name: string;
  readonly inbound: string;
  readonly outbound: string;
  readonly server: string;
  /** `microsoft365`, `google`, `exchange` or `other`. */
  readonly mailSystem: string;
  readonly directives: Directives;
  /** The gateway's endpoint for inbound mail, by which it is known. */
  readonly gateway: string;
  readonly bypass: boolean;
  /** Who changes the records: `cloudflare` is its API, `manual` a person. */
  readonly dns: string;
  readonly route?: RouteReport;
  readonly inboundPath: PathReport;
  readonly outboundPath: PathReport;
  readonly mx?: {
    readonly before: Output<MxTargetOutput[]>;
    readonly after: Output<MxTargetOutput[]>;
    /** From when the mail system may be locked to the gateway's addresses. */
    readonly lockDownSafeFrom: Output<string | undefined>;
  };
  readonly spf?: {
    readonly before: Output<string>;
    readonly after: Output<string>;
    readonly lookups: Output<number>;
    readonly lookupsByTerm: Output<string>;
  };
}

/** What a person has to do: the lines of each step, in order. */
export interface StepsReport {
  /** The step that waits for a time, as it is as long as a preview does not know that time. */
  readonly untimed?: readonly string[];
  readonly onboarding: readonly (readonly string[] | Output<string[]>)[];
  readonly offboarding: readonly (readonly string[])[];
}

/**
 * The gateway knows the domain before SPF is edited, and SPF is edited before the MX moves. Pulumi deletes
 * in reverse: the MX is back, and no more mail goes out through the gateway, before SPF loses its term, and
 * only then the route begins to leave.
 */
export class TenantDomain extends ComponentResource {
  readonly report: DomainReport;
  readonly steps: StepsReport;

  constructor(name: string, { plan }: TenantDomainArgs, options?: ComponentResourceOptions) {
    super("mxhero:tenant:TenantDomain", name, {}, options);
    const route = plan.route && this.addRoute(name, plan.route);
    const spf = plan.spf && this.includeInSpf(name, plan.spf, route);
    const drain = plan.drain && this.addDrain(name, plan.drain, route, spf);
    const before = [route, spf, drain].flatMap(present);
    const directives = directivesOf(plan.config);
    const takeover = plan.takeover && this.takeOverMx(name, plan.takeover, before);
    this.report = {
      name: plan.displayName,
      inbound: plan.config.inbound,
      outbound: plan.config.outbound,
      server: plan.config.server,
      mailSystem: plan.config.mailSystem,
      directives,
      gateway: plan.gateway.smtpIn,
      bypass: plan.config.bypass,
      dns: plan.config.dns,
      ...(route && plan.route && { route: routeReport(plan.route, directives, route) }),
      inboundPath: takeover ? borderPath(plan, takeover) : settled(inboundWithoutMx(plan)),
      outboundPath: settled(outboundPath(plan)),
      ...(takeover && { mx: mxReport(takeover) }),
      ...(spf && {
        spf: {
          before: spf.before,
          after: spf.after,
          lookups: spf.lookups,
          lookupsByTerm: spf.lookupsByTerm,
        },
      }),
    };
    this.steps = stepsReport(plan.steps, takeover?.lockDownSafeFrom);
    this.registerOutputs({ report: this.report, steps: this.steps });
  }

  private addRoute(name: string, plan: RoutePlan): Route {
    const { relayServer } = plan;
    const login = relayServer?.login;
    const args = {
      ...plan,
      relayServer: relayServer && {
        ...relayServer,
        login: login && { user: login.user, password: secret(login.password) },
      },
    };
    return new Route(`${name}-route`, args, { parent: this });
  }

  private includeInSpf(name: string, spf: SpfPlan, route: Route | undefined): SpfInclude {
    const alsoInclude = route?.formerIncludes.apply((names) => (names?.length ? names : undefined));
    const args = { ...spf, alsoInclude };
    return new SpfInclude(`${name}-spf`, args, { parent: this, dependsOn: present(route) });
  }

  private addDrain(
    name: string,
    drain: DrainPlan,
    route: Route | undefined,
    spf: SpfInclude | undefined,
  ): Drain {
    const dependsOn = [...present(route), ...present(spf)];
    const former = route?.formerGateways.apply(formerSending);
    const args = { ...drain, claim: route?.claim, former };
    return new Drain(`${name}-drain`, args, { parent: this, dependsOn });
  }

  private takeOverMx(
    name: string,
    takeover: TakeoverPlan,
    dependsOn: readonly Resource[],
  ): MxTakeover {
    return new MxTakeover(`${name}-mx`, takeover, { parent: this, dependsOn: [...dependsOn] });
  }
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

/** Those through which the domain may still send. */
function formerSending(gateways: readonly FormerGatewayOutput[] = []): FormerSendingArgs[] {
  return gateways.flatMap(({ store, sending }) =>
    sending === undefined
      ? []
      : [{ relay: sending.relay, handsOverTo: sending.handsOverTo, store }],
  );
}

function routeReport({ sendingFrom, inactive }: RoutePlan, directives: Directives, route: Route) {
  const { version, slots } = route;
  return { ...directives, sendingFrom, inactive, version, slots };
}

/** Only the step that has to wait is unknown in a preview. */
function stepsReport(facts: StepFacts, safeFrom?: MxTakeover["lockDownSafeFrom"]): StepsReport {
  const { onboarding, offboarding } = domainSteps(facts);
  const timed = onboarding.findIndex(({ isTimed }) => isTimed);
  return {
    ...(timed !== -1 && { untimed: linesOfStep(onboarding, timed) }),
    onboarding: onboarding.map((step, index) =>
      step.isTimed && safeFrom
        ? safeFrom.apply((time) => linesOfStep(domainSteps(facts, time).onboarding, index))
        : formatStep(step, index + 1),
    ),
    offboarding: offboarding.map((step, index) => formatStep(step, index + 1)),
  };
}

function linesOfStep(steps: readonly Step[], index: number): string[] {
  return steps.slice(index, index + 1).flatMap((step) => formatStep(step, index + 1));
}

function mxReport({ before, after, lockDownSafeFrom }: MxTakeover) {
  return { before, after, lockDownSafeFrom };
}

function borderPath(plan: DomainPlan, { before, after }: MxTakeover): PathReport {
  const path = all([before, after]).apply(([old, now]) => {
    return inboundByBorder(plan, { before: old, after: now });
  });
  return { before: path.before, after: path.after };
}

function settled({ before, after }: { before: string; after: string }): PathReport {
  return { before: output(before), after: output(after) };
}
