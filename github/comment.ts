/** The one comment of a kind on a pull request: created once, then kept up to date. */
import { MailRuleError } from "../mail/errors.ts";
import { BODY_LIMIT, isOwn, isSameText, marked } from "./own-text.ts";
import { createOnce, ownLogin, type Repository } from "./repository.ts";

export type CommentOutcome = "created" | "updated" | "unchanged";

/**
 * Creates the comment, or updates the one that is there. Comments of others are never touched; of several of our
 * own the oldest is kept up to date.
 *
 * REST: issues/comments, docs.github.com/en/rest/issues/comments.
 *
 * @param kind what the comment is about; one comment of each kind is kept
 * @param details what its hidden line says besides
 * @throws MailRuleError `comment-too-long`; octokit's RequestError
 */
export async function keepComment(
  repository: Repository,
  pullRequest: number,
  kind: string,
  markdown: string,
  details?: string,
): Promise<CommentOutcome> {
  const { client, owner, repo } = repository;
  const body = marked(kind, markdown, details);
  refuseTooLong(body);
  const login = await ownLogin(repository);
  const find = () => findComment(repository, pullRequest, kind, login);
  const present = await find();
  if (present === undefined) {
    const place = { owner, repo, issue_number: pullRequest };
    const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
    await createOnce(
      async () => (await client.request(route, { ...place, body, request: { retries: 0 } })).data,
      find,
    );
    return "created";
  }
  if (isSameText(present.body, body)) return "unchanged";
  const route = "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}";
  await client.request(route, { owner, repo, comment_id: present.id, body });
  return "updated";
}

/** The comment of a kind, as `keepComment` keeps it: by its hidden line and its author. */
export async function findOwnComment(repository: Repository, pullRequest: number, kind: string) {
  return findComment(repository, pullRequest, kind, await ownLogin(repository));
}

async function findComment(
  { client, owner, repo }: Repository,
  pullRequest: number,
  kind: string,
  login: string,
) {
  const route = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments";
  const pages = client.paginate.iterator(route, {
    owner,
    repo,
    issue_number: pullRequest,
    per_page: 100,
  });
  for await (const { data } of pages) {
    const own = data.find((comment) => isOwn(comment, kind, login));
    if (own !== undefined) return own;
  }
  return undefined;
}

function refuseTooLong(body: string): void {
  if (body.length <= BODY_LIMIT) return;
  throw new MailRuleError({
    code: "comment-too-long",
    problem: `The comment has ${body.length} characters; GitHub takes ${BODY_LIMIT}.`,
    fix: "Put what does not fit into a file of its own: npm run fleet -- preview --rest <file>.",
  });
}
