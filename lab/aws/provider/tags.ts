/** Tags, as each of AWS's APIs writes them. */
import { CreateTagsCommand, DeleteTagsCommand, type Tag } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { ec2 } from "./clients.ts";

export const tags = z.record(z.string(), z.string()).exactOptional();

export type Tags = Readonly<Record<string, string>>;

/**
 * In front of the tags with which the stand-in keeps what the emulator has no place for. A program never
 * sees them; the lab's host runner reads them.
 */
export const OWN_TAGS = "lab:";

/** The names of the stand-in's own tags on an Elastic IP. */
export const ADDRESS_TAGS = {
  /** The private address that the Elastic IP is associated with: the emulator knows primary ones only. */
  privateAddress: `${OWN_TAGS}private-address`,
  /** What its PTR record says. */
  domainName: `${OWN_TAGS}domain-name`,
} as const;

export function tagList(given: Tags = {}) {
  return Object.entries(given).map(([Key, Value]) => ({ Key, Value }));
}

/** The program's tags; undefined where there are none. */
export function tagsOf(
  list: readonly { Key?: string | undefined; Value?: string | undefined }[] = [],
) {
  const own = list.flatMap(({ Key = "", Value = "" }) =>
    Key.startsWith(OWN_TAGS) || Key.startsWith("aws:") ? [] : [[Key, Value] as const],
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Makes the tags of something of EC2 those given. */
export async function retag(id: string, news: Tags = {}, old: Tags = {}): Promise<void> {
  const gone = Object.keys(old).filter((key) => !Object.hasOwn(news, key));
  if (gone.length > 0) await removeTags(id, gone);
  if (Object.keys(news).length > 0) {
    await ec2().send(new CreateTagsCommand({ Resources: [id], Tags: tagList(news) }));
  }
}

export async function removeTags(id: string, keys: readonly string[]): Promise<void> {
  const Tags = keys.map((Key) => ({ Key }));
  await ec2().send(new DeleteTagsCommand({ Resources: [id], Tags }));
}

export function tagValue(list: readonly Tag[] | undefined, key: string): string | undefined {
  return list?.find(({ Key }) => Key === key)?.Value;
}
