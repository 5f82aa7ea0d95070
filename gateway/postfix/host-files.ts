/** Every file that Postfix needs on a gateway host, apart from maps and certificates. */
import { dirname } from "node:path";
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import { inboundInstance, relayInstance } from "./common-settings.ts";
import { inboundMainCf, relayMainCf } from "./main-cf.ts";
import { inboundMasterCf, relayMasterCf } from "./master-cf.ts";
import {
  headerChecks,
  nextHopStatusFilter,
  PASS_HEADERS,
  probeStatusFilter,
  publicAddressFilter,
} from "./tables.ts";

/** A text file; readable by all, for none holds a secret. */
export interface HostFile {
  readonly path: string;
  readonly content: string;
}

/** A folder that must exist before Postfix starts. */
export interface HostFolder {
  readonly path: string;
  readonly owner: "root" | "postfix";
  /** Permissions. */
  readonly mode: number;
}

function rootsFolder(path: string): HostFolder {
  return { path, owner: "root", mode: 0o755 };
}

export function renderHostFolders(config: GatewayHostConfig): HostFolder[] {
  const instances = [inboundInstance(config), relayInstance(config)];
  return [
    ...instances.flatMap(({ directory, queue, data }): HostFolder[] => [
      rootsFolder(directory),
      rootsFolder(queue),
      { path: data, owner: "postfix", mode: 0o700 },
    ]),
    rootsFolder(HOST_PATHS.maps),
    rootsFolder(dirname(HOST_PATHS.inboundLog)),
    { path: dirname(HOST_PATHS.tlsChain), owner: "root", mode: 0o700 },
  ];
}

/**
 * The files of both instances, Debian's own instance made silent, and the rotation of the logs. After writing
 * them, `postfix -c <directory> check` makes the folders of each instance.
 */
export function renderHostFiles(config: GatewayHostConfig): HostFile[] {
  return [
    { path: "/etc/postfix/main.cf", content: primaryMainCf(config) },
    { path: "/etc/logrotate.d/mxhero-gateway", content: logRotation() },
    ...[inboundInstance(config), relayInstance(config)].map(({ name, queue }) => ({
      path: `/etc/systemd/system/postfix@${name}.service.d/restart.conf`,
      content: restart(queue),
    })),
    ...instanceFiles(HOST_PATHS.inboundInstance, {
      "main.cf": inboundMainCf(config),
      "master.cf": inboundMasterCf(config),
      header_checks: headerChecks(PASS_HEADERS.inbound),
      next_hop_status: nextHopStatusFilter,
      public_addresses: publicAddressFilter,
      probe_status: probeStatusFilter,
    }),
    ...instanceFiles(HOST_PATHS.relayInstance, {
      "main.cf": relayMainCf(config),
      "master.cf": relayMasterCf(config),
      header_checks: headerChecks(PASS_HEADERS.relay),
      next_hop_status: nextHopStatusFilter,
      public_addresses: publicAddressFilter,
    }),
  ];
}

function instanceFiles(directory: string, files: Readonly<Record<string, string>>): HostFile[] {
  return Object.entries(files).map(([name, content]) => ({
    path: `${directory}/${name}`,
    content,
  }));
}

/** Debian starts this instance whenever it starts Postfix: it knows the others and serves nobody itself. */
function primaryMainCf(config: GatewayHostConfig): string {
  const directories = [inboundInstance(config), relayInstance(config)].map(
    ({ directory }) => directory,
  );
  return `\
# Written by the gateway's agent. This instance only knows the two that work.
compatibility_level = 3.6
multi_instance_directories = ${directories.join(" ")}
multi_instance_wrapper = $command_directory/postmulti -p --
multi_instance_enable = no
master_service_disable = inet
inet_interfaces = loopback-only
mydestination =
default_transport = error:5.3.2 no mail leaves here
local_transport = error:5.1.1 no local mailboxes
`;
}

/**
 * Debian's unit leaves an instance dead whose master process has ended. Only for the two that work: the primary
 * one is disabled, ends at once and would be started again for ever.
 *
 * Debian's unit does not say which process is the main one, so that the instance would count as running as long as
 * any is left: a session that waits for its client keeps the port, for five minutes, while nobody accepts mail.
 */
function restart(queue: string): string {
  return `\
# Written by the gateway's agent.
[Unit]
StartLimitIntervalSec=0

[Service]
# Without its master, the rest of an instance holds the ports and is of no use: it is ended first.
PIDFile=${queue}/pid/master.pid
KillMode=control-group
TimeoutStopSec=10
Restart=always
RestartSec=2
`;
}

/** Logs hold addresses of mail: two weeks, and for nobody but administrators and the agent, which follows them. */
function logRotation(): string {
  const { inboundLog, relayLog, inboundInstance: inbound, relayInstance: relay } = HOST_PATHS;
  return `\
${inboundLog} ${relayLog} {
  daily
  rotate 14
  compress
  delaycompress
  missingok
  notifempty
  create 0640 root mxhero-gateway
  sharedscripts
  postrotate
    postfix -c ${inbound} reload
    postfix -c ${relay} reload
  endscript
}
`;
}
