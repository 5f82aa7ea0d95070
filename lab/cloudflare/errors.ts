/**
 * The errors of Cloudflare's API, in its envelope.
 *
 * Codes and texts are those that the public documentation and issue trackers show. Where none is
 * public, it says so.
 */
export interface ApiFault {
  readonly code: number;
  readonly message: string;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly faults: readonly ApiFault[];
  /** The faults are about the record itself: what older answers wrap in 1004. */
  readonly validation: boolean;
  /** Seconds, for the header `retry-after`. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    faults: readonly ApiFault[],
    { validation = false, retryAfter }: { validation?: boolean; retryAfter?: number } = {},
  ) {
    super(faults.map(({ code, message }) => `${code} ${message}`).join("; "));
    this.status = status;
    this.faults = faults;
    this.validation = validation;
    this.retryAfter = retryAfter;
  }
}

const error = (status: number, code: number, message: string) =>
  new ApiError(status, [{ code, message }]);
const invalid = (code: number, message: string) =>
  new ApiError(400, [{ code, message }], { validation: true });

const sameName =
  "For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.";

/** Credentials, routes and quotas of requests. */
export const missingToken = () =>
  error(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
export const malformedToken = () => error(400, 6003, "Invalid request headers");
export const unknownToken = () => error(401, 1000, "Invalid API Token");
export const invalidToken = () => error(403, 9109, "Invalid access token");
export const authentication = () => error(403, 10000, "Authentication error");
export const unauthorized = () => error(403, 9109, "Unauthorized to access requested resource");
export const noZone = () => error(404, 1001, "Invalid zone identifier");
export const noRoute = (path: string) =>
  new ApiError(404, [
    {
      code: 7003,
      message: `Could not route to ${path}, perhaps your object identifier is invalid?`,
    },
    { code: 7000, message: "No route for that URI" },
  ]);
export const tooManyRequests = (requests: number, seconds: number, retryAfter: number) => {
  const message = `More than ${requests} requests per ${seconds} seconds reached. Please wait and consider throttling your request speed`;
  return new ApiError(429, [{ code: 10000, message }], { retryAfter });
};
/** A limit that the caller has not reached by itself. */
export const rateLimited = (retryAfter: number) => tooManyRequests(1200, 300, retryAfter);
/** The code of an internal error is not public. */
export const internal = () => error(500, 10001, "Internal server error");

/** Bodies. */
export const invalidBody = (why: string) => error(400, 9207, `Request body is invalid. ${why}`);

/** Records among other records. */
export const noRecord = () => error(404, 81044, "Record does not exist.");
export const recordQuota = () => error(400, 81045, "Record quota exceeded.");
export const hostExists = () =>
  error(400, 81053, `An A, AAAA, or CNAME record with that host already exists. ${sameName}`);
export const cnameExists = () =>
  error(400, 81054, `A CNAME record with that host already exists. ${sameName}`);
export const nsExists = () =>
  error(400, 81056, `NS records with that host already exist. ${sameName}`);
export const identicalExists = () => error(400, 81058, "An identical record already exists.");
/** The text is not public. */
export const rrsetTooLong = () =>
  error(400, 83011, "The combined content of records with this name and type exceeds 8192 bytes.");
/** Neither code nor text is public. */
export const readOnly = () =>
  error(
    400,
    1046,
    "This record is managed by Email Routing. Disable Email Routing to modify/remove this record.",
  );

/** One record. */
export const badName = () => invalid(9000, "DNS name is invalid.");
export const badAddress = (type: "A" | "AAAA") =>
  type === "A"
    ? invalid(9005, "Content for A record must be a valid IPv4 address.")
    : invalid(9006, "Content for AAAA record must be a valid IPv6 address.");
export const badTarget = (type: string) =>
  type === "MX"
    ? invalid(9009, "Content for MX record must be a hostname.")
    : invalid(9007, `Content for ${type} record is invalid.`);
export const badPriority = () =>
  invalid(9008, "Invalid priority, priority must be set and be between 0 and 65535");
export const notProxiable = () => invalid(9004, "This record type cannot be proxied.");
export const recordTooLong = () => invalid(9015, "DNS record content exceeds 4096 bytes.");
export const badTtl = (least: number) =>
  invalid(9021, `TTL must be between ${least} and 86400 seconds, or 1 for Automatic.`);
export const tooManyTags = (tags: number, quota: number) =>
  invalid(9300, `DNS record has ${tags} tags, exceeding the quota of ${quota}.`);
export const commentTooLong = (length: number) =>
  invalid(9313, `DNS record comment exceeds the maximum length of ${length} characters.`);
