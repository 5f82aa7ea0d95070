/**
 * A repository at GitHub, as a job of its workflows sees it: the client of GitHub's API, and who we are there.
 *
 * The client tries again after a fault of the server or of the network (octokit's plugin retry: 3 times, after 1, 4
 * and 9 s). Creating is no such call: see `createOnce`.
 */
import { Octokit } from "@octokit/core";
import { paginateRest } from "@octokit/plugin-paginate-rest";
import { retry } from "@octokit/plugin-retry";
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";

const Client = Octokit.plugin(paginateRest, retry);

export interface Repository {
  readonly client: InstanceType<typeof Client>;
  readonly owner: string;
  readonly repo: string;
  /** Where the repository is for people: `https://github.com/example/mail`. */
  readonly url: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const variables = z.object({
  GITHUB_TOKEN: z.string().regex(/^\S+$/),
  GITHUB_REPOSITORY: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
  GITHUB_API_URL: z.url().default("https://api.github.com"),
  GITHUB_SERVER_URL: z.url().default("https://github.com"),
});

/**
 * The repository that the environment names, with the variables that GitHub sets in a job.
 *
 * @throws MailRuleError `github-variable-faulty`
 */
export function openRepository(environment: Environment = process.env): Repository {
  const { success, data, error } = variables.safeParse(environment);
  if (!success) {
    const names = [...new Set(error.issues.map(({ path }) => path.join(".")))].join(", ");
    throw new MailRuleError({
      code: "github-variable-faulty",
      where: "the environment",
      problem: `Without a sound ${names} nothing can be asked of GitHub.`,
      fix: "Set GITHUB_TOKEN to a token of the repository and GITHUB_REPOSITORY to owner/name.",
    });
  }
  const [owner = "", repo = ""] = data.GITHUB_REPOSITORY.split("/");
  const client = new Client({
    auth: data.GITHUB_TOKEN,
    baseUrl: data.GITHUB_API_URL,
    userAgent: "pulumi-mxhero",
  });
  return { client, owner, repo, url: `${data.GITHUB_SERVER_URL}/${data.GITHUB_REPOSITORY}` };
}

const viewer = z.object({ viewer: z.object({ login: z.string() }) });

/**
 * The name under which this token writes: `github-actions[bot]` in a workflow.
 *
 * By GraphQL: a workflow's token may not ask REST's `GET /user`.
 */
export async function ownLogin({ client }: Repository): Promise<string> {
  return viewer.parse(await client.graphql("query { viewer { login } }")).viewer.login;
}

/** How often creating is tried, with a look before each further try. */
const TRIES = 3;

/**
 * Creates a thing of which there is to be one. After a fault of the server nobody knows whether it was created, so
 * it is looked for before it is tried again.
 *
 * @param create asks without octokit's own further tries: `request: { retries: 0 }`
 * @param find looks whether it is there
 */
export async function createOnce<T>(
  create: () => Promise<T>,
  find: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await create();
    } catch (error) {
      if (attempt === TRIES || !isServerFault(error)) throw error;
      const found = await find();
      if (found !== undefined) return found;
    }
  }
}

/** Octokit gives a fault of the network the status 500, too. */
function isServerFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status >= 500
  );
}
