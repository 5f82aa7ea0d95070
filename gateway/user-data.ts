/**
 * The user data of a slot's instance: the script that makes a gateway host of a bare Debian 12. Pure.
 *
 * It holds no secret, and it is the whole of what a slot is told: whatever changes in it makes a new instance.
 */
import { type GatewayHostInput, HOST_PATHS } from "./host-config.ts";

/** What a slot's instance is told. */
export interface UserDataInput {
  readonly host: GatewayHostInput;
  /** The object that holds the bundle; its SHA-256 stands in the host's configuration. */
  readonly bundle: { readonly bucket: string; readonly key: string };
  /** The queue volume: `vol-0123456789abcdef0`. */
  readonly volumeId: string;
  /** Its size: a larger volume is a changed slot, for only a start makes the file system larger. */
  readonly volumeGiB: number;
  /** The certificate's SHA-256 fingerprint: a renewed certificate is a changed slot. */
  readonly certificate: string;
}

/** The unit that runs the agent. */
export const AGENT_UNIT = "mxhero-gateway.service";

const PROGRAM = "/opt/mxhero-gateway";
const VOLUME = "/var/spool/mxhero-gateway";

export function renderUserData(input: UserDataInput): string {
  const parts = [
    beginning(input),
    installPackages(),
    installSessionManager(input),
    mountQueue(input),
    addRelayAddress(input),
    fetchBundle(input),
    startAgent(input),
  ];
  return `${parts.join("\n")}\n`;
}

function beginning({ host, certificate }: UserDataInput): string {
  return `#!/bin/bash
# Makes this host slot ${host.slot} of the gateway ${host.gateway}. Runs once, at the first start.
# Certificate: ${certificate}
set -euo pipefail
umask 022
exec > >(tee -a /var/log/mxhero-bootstrap.log) 2>&1
trap 'echo "mxhero: failed in line $LINENO"' ERR

# Package mirrors, the metadata service and fresh credentials fail now and then.
retry() {
  local pause
  for pause in 2 5 10 20 40; do
    "$@" && return 0
    echo "mxhero: again in $pause s: $1"
    sleep "$pause"
  done
  "$@"
}
`;
}

/** Between the numbers that Debian's tools give out, which begin at either end of 100 to 999. */
const POSTFIX_ID = 540;
const POSTDROP_ID = 541;

/** Without libsasl2-modules no Relay Server would take a login: Debian's postfix only recommends it. */
const PACKAGES = "postfix postfix-lmdb libsasl2-modules logrotate curl ca-certificates e2fsprogs";

function installPackages(): string {
  return `# The queue's volume outlives this host: its files have owners whose numbers are the same on every image.
getent group postfix > /dev/null || groupadd --system --gid ${POSTFIX_ID} postfix
getent group postdrop > /dev/null || groupadd --system --gid ${POSTDROP_ID} postdrop
getent passwd postfix > /dev/null ||
  useradd --system --uid ${POSTFIX_ID} --gid postfix --home-dir /var/spool/postfix --no-create-home --shell /usr/sbin/nologin postfix

# Nothing starts before it is configured.
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
retry apt-get -q update
# The image's own upgrades may be under way.
retry apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install ${PACKAGES}
rm -f /usr/sbin/policy-rc.d
`;
}

/** Amazon's udev rule names a volume by its id (docs.aws.amazon.com: Map EBS volumes to NVMe device names). */
function mountQueue({ volumeId, volumeGiB }: UserDataInput): string {
  const device = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
  return `# The queue's volume is attached after the start, and may hold mail: only an empty one is formatted.
# Size: ${volumeGiB} GiB
device=${device}
for _ in $(seq 600); do [ -e "$device" ] && break; sleep 1; done
head -c 4096 "$device" > /dev/null
found=0
blkid -p "$device" || found=$?
case $found in
  0) ;;
  2) mkfs.ext4 -q "$device" ;;
  *) echo "mxhero: $device can't be judged"; exit 1 ;;
esac
mkdir -p ${VOLUME} ${HOST_PATHS.inboundQueue} ${HOST_PATHS.relayQueue}
cat >> /etc/fstab <<FSTAB
$device ${VOLUME} ext4 nodev,nosuid,noexec 0 2
${VOLUME}/in ${HOST_PATHS.inboundQueue} none bind 0 0
${VOLUME}/relay ${HOST_PATHS.relayQueue} none bind 0 0
FSTAB
mount ${VOLUME}
# The volume may have been made larger. A slot that keeps its room serves, too.
resize2fs "$device" || echo "mxhero: $device is not larger"
mkdir -p ${VOLUME}/in ${VOLUME}/relay
mount ${HOST_PATHS.inboundQueue}
mount ${HOST_PATHS.relayQueue}
`;
}

/** An instance configures only the first address of its interface by itself. */
function addRelayAddress({ host }: UserDataInput): string {
  return `# The second address, now and at every start.
cat > /etc/systemd/system/mxhero-address.service <<'UNIT'
[Unit]
Description=The relay address of the mxHERO gateway
After=network-online.target
Wants=network-online.target
Before=${AGENT_UNIT}

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'ip address replace ${host.relay.address}/32 dev "$(ip -o -4 address show to ${host.inbound.address} | cut -d" " -f2)"'

[Install]
WantedBy=multi-user.target
UNIT
`;
}

/** Of a request without a body. S3 asks for it, and Debian 12's curl does not send it by itself. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Credentials go to curl on its standard input: its arguments could be read in the process list. */
function fetchBundle({ host, bundle }: UserDataInput): string {
  const { region, endpoint } = host.store;
  const url =
    endpoint === undefined
      ? `https://${bundle.bucket}.s3.${region}.amazonaws.com/${bundle.key}`
      : `${endpoint.replace(/\/$/, "")}/${bundle.bucket}/${bundle.key}`;
  return `metadata() { curl -sSf -m 10 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/$1"; }
field() { sed -n 's/.*"'"$1"'" *: *"\\([^"]*\\)".*/\\1/p' <<< "$credentials"; }

fetch_bundle() {
  local token role credentials
  token=$(curl -sSf -m 10 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token) || return 1
  role=$(metadata meta-data/iam/security-credentials/) || return 1
  credentials=$(metadata "meta-data/iam/security-credentials/$role") || return 1
  curl -sSf -m 300 --aws-sigv4 aws:amz:${region}:s3 -o ${PROGRAM}/bundle.tar.gz --config - ${url} <<CURL || return 1
user = "$(field AccessKeyId):$(field SecretAccessKey)"
header = "x-amz-security-token: $(field Token)"
header = "x-amz-content-sha256: ${EMPTY_SHA256}"
CURL
  echo "${host.bundle}  ${PROGRAM}/bundle.tar.gz" | sha256sum -c --quiet
}
mkdir -p ${PROGRAM} /etc/mxhero-gateway
retry fetch_bundle
tar -xzf ${PROGRAM}/bundle.tar.gz -C ${PROGRAM}
`;
}

/**
 * Debian's images lack it. It is there before what may fail, so that one can look. Mail does not depend on it:
 * its own failure stops nothing.
 */
function installSessionManager({ host }: UserDataInput): string {
  const { region } = host.store;
  const folder = `https://s3.${region}.amazonaws.com/amazon-ssm-${region}/latest`;
  return `# For Session Manager, in place of SSH.
install_session_manager() {
  curl -sSf -m 60 -o /tmp/amazon-ssm-agent.deb "${folder}/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb" &&
    apt-get -q -y -o DPkg::Lock::Timeout=300 install /tmp/amazon-ssm-agent.deb &&
    systemctl enable --now amazon-ssm-agent
}
install_session_manager || echo "mxhero: Session Manager is not there"
`;
}

function startAgent({ host }: UserDataInput): string {
  return `cat > ${HOST_PATHS.configuration} <<'CONFIGURATION'
${JSON.stringify(host, null, 1)}
CONFIGURATION
systemctl daemon-reload
systemctl enable --now mxhero-address.service
# Makes the user of the unit: systemd refuses to start anything of a unit whose user does not exist.
${PROGRAM}/node ${PROGRAM}/agent.js install
cp ${PROGRAM}/${AGENT_UNIT} /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now ${AGENT_UNIT}
echo "mxhero: slot ${host.slot} is set up"
`;
}
