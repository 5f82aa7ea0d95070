/** Attaches a volume to a host that is on, as EC2 does. The host sees it under the name that udev gives it there. */
import type { Disk } from "../aws/machines.ts";
import type { Host } from "./host.ts";
import { runAsRoot } from "./root.ts";
import { makeVolume } from "./volume.ts";

/** The file takes no more room than what is written to it. */
const MEGABYTES = 512;

/**
 * Detached at once, a loop device lives until nobody has it open: the kernel frees it when the host ends.
 * Amazon's udev rules name a volume by its id.
 */
const inHost = `
mknod "/dev/$1" b 7 "$2"
mkdir -p /dev/disk/by-id
(exec 9<"/dev/$1" </dev/null >/dev/null 2>&1; exec sleep infinity) &
ln -s "../../$1" "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$3"`;

/** @param number counts the host's disks, from 1 @param file holds the volume, and is made if it is not there */
export async function attachDisk(host: Host, { volumeId }: Disk, number: number, file: string) {
  await makeVolume({ file, megabytes: MEGABYTES });
  const loop = (await runAsRoot(["losetup", "--show", "--find", file])).trim();
  try {
    const minor = loop.replace(/^\D+/, "");
    const name = volumeId.replace("-", "");
    await host.run(["sh", "-ec", inHost, "sh", `nvme${number}n1`, minor, name]);
  } finally {
    await runAsRoot(["losetup", "--detach", loop]);
  }
}
