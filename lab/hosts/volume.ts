/** A host's volume: a file with a file system in it, which the host sees as a disk of a fixed size. */
import { existsSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { runAsRoot } from "./root.ts";

export interface VolumeOptions {
  /** The file; made if it is not there. It stays when the host ends. */
  readonly file: string;
  /** @default 64 */
  readonly megabytes?: number;
  /** Under which name the host sees it. @default "/dev/nvme1n1" */
  readonly device?: string;
  /**
   * Where the host mounts it, with a file system made by the lab.
   * @default not mounted and empty: both are left to the user data, as on AWS
   */
  readonly mountPoint?: string;
}

/** Makes the file, and the file system where the lab is to. */
export async function makeVolume({
  file,
  megabytes = 64,
  mountPoint,
}: VolumeOptions): Promise<void> {
  if (existsSync(file)) return;
  await writeFile(file, "");
  await truncate(file, megabytes * 2 ** 20);
  if (mountPoint !== undefined) await runAsRoot(["mkfs.ext4", "-q", "-m", "0", file]);
}
