/** The one issue of a kind: opened, kept up to date, and closed when there is nothing more to tell. */
import { isOwn, isSameText, marked } from "./own-text.ts";
import { createOnce, ownLogin, type Repository } from "./repository.ts";

/** `none`: there was nothing to tell, and no issue. */
export type IssueOutcome = "opened" | "updated" | "unchanged" | "closed" | "none";

export interface IssueText {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
}

/**
 * Opens the issue, or updates the open one. Issues of others are never touched. An issue that a person has closed
 * stays closed; what still differs opens another.
 *
 * REST: issues, docs.github.com/en/rest/issues/issues.
 */
export async function keepIssue(
  repository: Repository,
  kind: string,
  text: IssueText,
): Promise<IssueOutcome> {
  const { client, owner, repo } = repository;
  const login = await ownLogin(repository);
  const find = () => findOpenIssue(repository, kind, login);
  const { title } = text;
  const body = marked(kind, text.body);
  const present = await find();
  if (present === undefined) {
    const issue = { owner, repo, title, body, request: { retries: 0 } };
    await createOnce(
      async () => (await client.request("POST /repos/{owner}/{repo}/issues", issue)).data,
      find,
    );
    return "opened";
  }
  if (present.title === title && isSameText(present.body, body)) return "unchanged";
  await change(repository, present.number, { title, body });
  return "updated";
}

/** Closes the open issue, if there is one, with a last comment. */
export async function closeIssue(
  repository: Repository,
  kind: string,
  farewell: string,
): Promise<IssueOutcome> {
  const { client, owner, repo } = repository;
  const present = await findOpenIssue(repository, kind, await ownLogin(repository));
  if (present === undefined) return "none";
  const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
  await client.request(route, { owner, repo, issue_number: present.number, body: farewell });
  await change(repository, present.number, { state: "closed", state_reason: "completed" });
  return "closed";
}

async function change(
  { client, owner, repo }: Repository,
  number: number,
  changes: {
    readonly title?: string;
    readonly body?: string;
    readonly state?: "closed";
    readonly state_reason?: "completed";
  },
): Promise<void> {
  const route = "PATCH /repos/{owner}/{repo}/issues/{issue_number}";
  await client.request(route, { owner, repo, issue_number: number, ...changes });
}

async function findOpenIssue({ client, owner, repo }: Repository, kind: string, login: string) {
  const route = "GET /repos/{owner}/{repo}/issues";
  const pages = client.paginate.iterator(route, { owner, repo, state: "open", per_page: 100 });
  for await (const { data } of pages) {
    // The list has pull requests, too.
    const own = data.find((issue) => issue.pull_request === undefined && isOwn(issue, kind, login));
    if (own !== undefined) return own;
  }
  return undefined;
}
