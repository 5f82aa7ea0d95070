/**
 * The metadata service of an instance (IMDSv2), as the host sees it at 169.254.169.254.
 *
 * Paths and answers: Amazon EC2 User Guide, "Instance metadata categories" and "Use IMDSv2".
 */

/** What an instance may know of itself. */
export interface InstanceMetadata {
  /** E.g. `i-0123456789abcdef0`. */
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly localIpv4: string;
  /** As given to the instance; not encoded. */
  readonly userData?: string;
  /** The role of its instance profile, with credentials that the lab's API accepts. */
  readonly role?: {
    readonly name: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** Readable where `InstanceMetadataTags` is enabled. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** Every document by its path below `/latest/`. */
export function metadataDocuments(instance: InstanceMetadata): Record<string, string> {
  const { instanceId, region, availabilityZone, localIpv4, userData, role, tags = {} } = instance;
  const identity = { instanceId, region, availabilityZone, privateIp: localIpv4 };
  const tagDocuments = Object.entries(tags).map(([key, value]) => [
    `meta-data/tags/instance/${key}`,
    value,
  ]);
  return {
    "meta-data/instance-id": instanceId,
    "meta-data/local-ipv4": localIpv4,
    "meta-data/placement/region": region,
    "meta-data/placement/availability-zone": availabilityZone,
    "dynamic/instance-identity/document": JSON.stringify(identity),
    ...(userData === undefined ? {} : { "user-data": userData }),
    ...(role === undefined
      ? {}
      : { [`meta-data/iam/security-credentials/${role.name}`]: credentialsOf(role) }),
    ...Object.fromEntries(tagDocuments),
  };
}

/** Far enough away that nothing of the lab has to renew them. */
const credentialsHours = 6;

function credentialsOf(role: NonNullable<InstanceMetadata["role"]>): string {
  const now = Date.now();
  return JSON.stringify({
    Code: "Success",
    LastUpdated: new Date(now).toISOString(),
    Type: "AWS-HMAC",
    AccessKeyId: role.accessKeyId,
    SecretAccessKey: role.secretAccessKey,
    Token: "lab",
    Expiration: new Date(now + credentialsHours * 3_600_000).toISOString(),
  });
}

/**
 * What is at a path: a document, or a list of what lies below a folder, folders with a slash.
 *
 * @returns `undefined` if nothing is
 */
export function lookUp(
  documents: Readonly<Record<string, string>>,
  path: string,
): string | undefined {
  const document = documents[path];
  if (document !== undefined) return document;
  const folder = path === "" || path.endsWith("/") ? path : `${path}/`;
  const below = Object.keys(documents)
    .filter((name) => name.startsWith(folder))
    .map((name) => name.slice(folder.length).replace(/\/.*$/, "/"));
  return below.length === 0 ? undefined : [...new Set(below)].join("\n");
}
