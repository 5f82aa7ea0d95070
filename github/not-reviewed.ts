/** Why what was merged is not done: nobody has reviewed it, or not just that. */
import { MailRuleError } from "../mail/errors.ts";
import type { CommentSource } from "./comment-source.ts";

const FIX = "Run the workflow up by hand: it shows what would be done, and waits for an approval.";

export function withoutPullRequest(commit: string, into: string): MailRuleError {
  return notReviewed(
    `commit ${commit}`,
    `It was pushed without a pull request into ${into}, so that nobody has reviewed what would be done.`,
  );
}

export function withTwin(number: number, twin: number): MailRuleError {
  return ofPullRequest(
    number,
    `Pull request ${twin} has the same last commit: what it says may have come from that one's workflow.`,
  );
}

export function fromFork(number: number): MailRuleError {
  return ofPullRequest(
    number,
    "It came from a fork, which is previewed without credentials: nobody has seen what would be done.",
  );
}

/** @param url of the preview's run */
export function afterRetargeting(number: number, url: string): MailRuleError {
  return ofPullRequest(
    number,
    `The branch that it goes into was changed when ${url} had begun, with the workflow of the former one and for that.`,
  );
}

export function withoutComment(number: number): MailRuleError {
  return ofPullRequest(number, "No comment on it shows what would be done.");
}

/** @param shown what its comment says of itself, where it says anything */
export function withOtherComment(
  number: number,
  shown: CommentSource | undefined,
  { commit, run, attempt }: CommentSource,
): MailRuleError {
  const said =
    shown === undefined
      ? "does not say which run it shows"
      : `shows what run ${shown.run}, attempt ${shown.attempt}, has left for the commit ${shown.commit}`;
  return ofPullRequest(
    number,
    `Its comment ${said}. The last report is another one, of run ${run}, attempt ${attempt}, for the commit ${commit}.`,
  );
}

export function withLateComment(number: number): MailRuleError {
  return ofPullRequest(
    number,
    "Its comment was written or changed when it had been merged already.",
  );
}

function ofPullRequest(number: number, problem: string): MailRuleError {
  return notReviewed(`pull request ${number}`, problem);
}

function notReviewed(where: string, problem: string): MailRuleError {
  return new MailRuleError({ code: "not-reviewed", where, problem, fix: FIX });
}
