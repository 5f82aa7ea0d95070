#!/bin/bash
# Makes this host slot a of the gateway example. Runs once, at the first start.
# Certificate: ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab
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

# The queue's volume outlives this host: its files have owners whose numbers are the same on every image.
getent group postfix > /dev/null || groupadd --system --gid 540 postfix
getent group postdrop > /dev/null || groupadd --system --gid 541 postdrop
getent passwd postfix > /dev/null ||
  useradd --system --uid 540 --gid postfix --home-dir /var/spool/postfix --no-create-home --shell /usr/sbin/nologin postfix

# Nothing starts before it is configured.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
retry apt-get -q update
# The image's own upgrades may be under way.
retry apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install postfix postfix-lmdb libsasl2-modules logrotate curl ca-certificates e2fsprogs
rm -f /usr/sbin/policy-rc.d

# For Session Manager, in place of SSH.
install_session_manager() {
  curl -sSf -m 60 -o /tmp/amazon-ssm-agent.deb "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/latest/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb" &&
    apt-get -q -y -o DPkg::Lock::Timeout=300 install /tmp/amazon-ssm-agent.deb &&
    systemctl enable --now amazon-ssm-agent
}
install_session_manager || echo "mxhero: Session Manager is not there"

# The queue's volume is attached after the start, and may hold mail: only an empty one is formatted.
# Size: 20 GiB
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
for _ in $(seq 600); do [ -e "$device" ] && break; sleep 1; done
head -c 4096 "$device" > /dev/null
found=0
blkid -p "$device" || found=$?
case $found in
  0) ;;
  2) mkfs.ext4 -q "$device" ;;
  *) echo "mxhero: $device can't be judged"; exit 1 ;;
esac
mkdir -p /var/spool/mxhero-gateway /var/spool/postfix-in /var/spool/postfix-relay
cat >> /etc/fstab <<FSTAB
$device /var/spool/mxhero-gateway ext4 nodev,nosuid,noexec 0 2
/var/spool/mxhero-gateway/in /var/spool/postfix-in none bind 0 0
/var/spool/mxhero-gateway/relay /var/spool/postfix-relay none bind 0 0
FSTAB
mount /var/spool/mxhero-gateway
# The volume may have been made larger. A slot that keeps its room serves, too.
resize2fs "$device" || echo "mxhero: $device is not larger"
mkdir -p /var/spool/mxhero-gateway/in /var/spool/mxhero-gateway/relay
mount /var/spool/postfix-in
mount /var/spool/postfix-relay

# The second address, now and at every start.
cat > /etc/systemd/system/mxhero-address.service <<'UNIT'
[Unit]
Description=The relay address of the mxHERO gateway
After=network-online.target
Wants=network-online.target
Before=mxhero-gateway.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'ip address replace 10.20.0.11/32 dev "$(ip -o -4 address show to 10.20.0.10 | cut -d" " -f2)"'

[Install]
WantedBy=multi-user.target
UNIT

metadata() { curl -sSf -m 10 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/$1"; }
field() { sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' <<< "$credentials"; }

fetch_bundle() {
  local token role credentials
  token=$(curl -sSf -m 10 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token) || return 1
  role=$(metadata meta-data/iam/security-credentials/) || return 1
  credentials=$(metadata "meta-data/iam/security-credentials/$role") || return 1
  curl -sSf -m 300 --aws-sigv4 aws:amz:eu-central-1:s3 -o /opt/mxhero-gateway/bundle.tar.gz --config - https://mxhero-gateway-example-1a2b3c.s3.eu-central-1.amazonaws.com/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.tar.gz <<CURL || return 1
user = "$(field AccessKeyId):$(field SecretAccessKey)"
header = "x-amz-security-token: $(field Token)"
header = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CURL
  echo "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  /opt/mxhero-gateway/bundle.tar.gz" | sha256sum -c --quiet
}
mkdir -p /opt/mxhero-gateway /etc/mxhero-gateway
retry fetch_bundle
tar -xzf /opt/mxhero-gateway/bundle.tar.gz -C /opt/mxhero-gateway

cat > /etc/mxhero-gateway/gateway.json <<'CONFIGURATION'
{
 "slot": "a",
 "gateway": "example",
 "smtpIn": "smtp-in.gateway.test",
 "smtpRelay": "smtp-relay.gateway.test",
 "inbound": {
  "address": "10.20.0.10",
  "publicAddress": "198.51.100.1"
 },
 "relay": {
  "address": "10.20.0.11",
  "publicAddress": "198.51.100.2"
 },
 "peers": [
  {
   "slot": "a",
   "inboundAddress": "10.20.0.10"
  }
 ],
 "store": {
  "table": "mxhero-gateway-example",
  "region": "eu-central-1",
  "secretPrefix": "/mxhero/example"
 },
 "bundle": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
 "nextHops": "public",
 "maximumMessageBytes": 157286400,
 "networkTls": {
  "certificateSecret": "tls/certificate",
  "keySecret": "tls/key",
  "expires": "2027-01-01T00:00:00.000Z"
 },
 "logGroup": "/mxhero/example"
}
CONFIGURATION
systemctl daemon-reload
systemctl enable --now mxhero-address.service
# Makes the user of the unit: systemd refuses to start anything of a unit whose user does not exist.
/opt/mxhero-gateway/node /opt/mxhero-gateway/agent.js install
cp /opt/mxhero-gateway/mxhero-gateway.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now mxhero-gateway.service
echo "mxhero: slot a is set up"

