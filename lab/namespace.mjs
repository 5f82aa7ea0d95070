/**
 * Runs a command where nothing leaks in or out: in network, mount and process namespaces of its own.
 *
 * Inside, `lo` is the only interface, every port may be bound, and temporary files lie in memory.
 * All of it ends with the command. Plain JavaScript, because the set-up starts it with Node 20.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Run by root, as the process that becomes `unshare`. It also ends `unshare` soon after the caller
 * is gone, since a caller that was killed cannot.
 */
const outside = `
caller=$1; shift
{ while kill -0 "$caller" && kill -0 $$; do sleep 1; done; kill -9 $$; } >/dev/null 2>&1 &
NAMESPACE_PID=$$ exec unshare --net --mount --pid --fork --kill-child --mount-proc "$@"
`;

/**
 * Run by root, as the first process of the namespaces: it stays, to collect orphans. Everything else
 * ends when it does.
 */
const inside = `
ip link set lo up &&
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start &&
mount -t tmpfs -o mode=1777 tmpfs /dev/shm || exit 125
TMPDIR=/dev/shm "$@"
exit $?
`;

/** Gives up root's rights, and undoes what sudo does to the environment. */
function asCaller(env) {
  const uid = process.getuid?.();
  if (uid === 0) return [];
  const identity = [`--reuid=${uid}`, `--regid=${process.getgid?.()}`];
  const groups = `--groups=${process.getgroups?.().join(",")}`;
  const kept = ["PATH", "HOME", "USER", "LOGNAME", "SHELL"].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return ["setpriv", ...identity, groups, "--inh-caps=-all", "env", ...kept];
}

/**
 * Runs a command in fresh namespaces, with the caller's terminal, user and working directory.
 *
 * Needs root, or sudo, and the commands `unshare`, `setpriv` and `ip`. SIGINT, SIGTERM and SIGHUP
 * are passed on to the command.
 *
 * @param {readonly string[]} command program and arguments
 * @param {NodeJS.ProcessEnv} [callersEnv] its environment. Two variables are added: `TMPDIR`, a folder that
 *   ends with the command, and `NAMESPACE_PID`, outside the process to give to `nsenter`
 * @returns {Promise<number>} its exit code; 128 and the signal's number if a signal ended it; 125 if
 *   the namespaces could not be made
 */
export async function enterNamespace(command, callersEnv = process.env) {
  // Where Debian keeps the programs of administrators and servers; a user's PATH may lack it.
  const env = { ...callersEnv, PATH: `${callersEnv.PATH}:/usr/sbin:/sbin` };
  const isolate = ["sh", "-c", outside, "sh", String(process.pid), "sh", "-c", inside, "sh"];
  const asRoot = process.getuid?.() === 0 ? isolate : ["sudo", "--preserve-env", ...isolate];
  const [program = "", ...args] = [...asRoot, ...asCaller(env), ...command];
  const child = spawn(program, args, { stdio: "inherit", env });
  const forward = forwardSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (cause) =>
        reject(
          new Error(`Cannot make a network namespace: "${program}" did not start.`, { cause }),
        ),
      );
      child.once("exit", (code) => resolve(code ?? 125));
    });
  } finally {
    forward.stop();
  }
}

/**
 * `unshare` keeps signals to itself, so they go to the command directly. A terminal's Ctrl-C has
 * reached it already.
 */
function forwardSignals(child) {
  const forward = (signal) => {
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    for (const pid of mainProcesses(child.pid)) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return {
    stop: () => {
      for (const signal of signals) process.off(signal, forward);
    },
  };
}

/** The children of the first process of the namespaces that `ancestor` made. */
function mainProcesses(ancestor) {
  for (const pid of childrenOf(ancestor)) {
    if (isFirstInNamespace(pid)) return childrenOf(pid);
    const found = mainProcesses(pid);
    if (found.length > 0) return found;
  }
  return [];
}

function childrenOf(pid) {
  return readFor(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/** Its last number in `NSpid` is the one that it has in its own namespace. */
function isFirstInNamespace(pid) {
  const numbers = /^NSpid:\s+(.*)$/m.exec(readFor(pid, "status"))?.[1]?.split(/\s+/) ?? [];
  return numbers.length > 1 && numbers.at(-1) === "1";
}

/** Empty if the process has ended. */
function readFor(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return "";
    throw error;
  }
}
