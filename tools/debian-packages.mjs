/** The Debian packages of the engine and the lab: installed where missing, without starting or enabling a service. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findProgram } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

/** What the build of the engine and the lab need. `file`: must be there too, since slim images leave documentation out. */
const packages = [
  // Go fetches the modules of the engine over TLS.
  { name: "ca-certificates" },
  // dig, for who looks around in the lab.
  { name: "bind9-dnsutils" },
  // A gateway host fetches its bundle with it.
  { name: "curl" },
  { name: "iproute2" },
  // The addresses of the lab's hosts are translated, as AWS does.
  { name: "nftables", service: "nftables" },
  { name: "pdns-server", service: "pdns" },
  { name: "pdns-backend-sqlite3" },
  // What gateway hosts run.
  { name: "postfix", service: "postfix" },
  { name: "postfix-lmdb" },
  { name: "libsasl2-modules" },
  { name: "logrotate", service: "logrotate.timer" },
  { name: "python3-venv" },
  { name: "unbound", service: "unbound" },
  { name: "python3-spf", file: "/usr/share/doc/python3-spf/rfc7208-tests.yml.gz" },
];

/**
 * Run by root; the packages are its arguments. policy-rc.d is Debian's way to say that no service
 * may be started; an own file of the host's is left alone. The lock keeps two checkouts apart.
 */
const installation = `
services=$1; shift
exec 9>/run/pulumi-mxhero-packages.lock && flock 9 || exit
policy=/usr/sbin/policy-rc.d
if ! [ -e $policy ] || grep -q pulumi-mxhero $policy; then
  trap 'rm -f $policy' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n# pulumi-mxhero is installing packages\\nexit 101\\n' >$policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
install() {
  apt-get install --yes --quiet --reinstall --no-install-recommends \\
    --option DPkg::Lock::Timeout=300 \\
    --option Dpkg::Options::=--path-include='/usr/share/doc/python3-spf/*' "$@"
}
dpkg --configure -a
install "$@" || { apt-get update --quiet && install "$@"; } || exit
if command -v systemctl >/dev/null; then
  for service in $services; do systemctl --quiet disable "$service" 2>/dev/null; done
fi
exit 0
`;

/** @throws {SetupError} unless root or sudo is there: the lab's namespaces need one of them too */
export function requireRoot() {
  if (isRoot() || findProgram("sudo") !== undefined) return;
  throw new SetupError(
    "Neither root nor sudo: one of them is needed for the lab's network namespace and packages.",
  );
}

/** @throws {SetupError} if a package is missing, and apt too */
export async function installDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (findProgram("apt-get") === undefined) {
    throw new SetupError(
      `apt-get is missing: the lab needs the Debian 12 packages ${names.join(", ")}.`,
    );
  }
  announce(`Installing Debian packages for the lab: ${names.join(", ")}. No service is started.`);
  if (!isRoot()) askForPassword();
  const services = missing.flatMap(({ service }) => service ?? []).join(" ");
  const command = ["sh", "-c", installation, "sh", services, ...names];
  await withElapsedTime(() =>
    runCommand("Installing Debian packages", isRoot() ? command : ["sudo", ...command]),
  );
}

function isRoot() {
  return spawnSync("id", ["-u"], { encoding: "utf8" }).stdout?.trim() === "0";
}

function missingPackages() {
  const format = "${Package} ${db:Status-Status}\\n";
  const names = packages.map(({ name }) => name);
  const { stdout } = spawnSync("dpkg-query", ["--show", `--showformat=${format}`, ...names], {
    encoding: "utf8",
  });
  const installed = new Set((stdout ?? "").split("\n"));
  return packages.filter(
    ({ name, file }) => !installed.has(`${name} installed`) || (file && !existsSync(file)),
  );
}

/** Before the elapsed time is shown, which would hide the question. */
function askForPassword() {
  if (!process.stdin.isTTY) return;
  const { status } = spawnSync("sudo", ["--validate"], { stdio: "inherit" });
  if (status !== 0) throw new SetupError("sudo gave no root rights: they are needed for packages.");
}
