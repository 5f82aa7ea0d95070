/**
 * GitHub's API in the lab: as much of it as the project's commands ask for, with the rights of each token.
 *
 * It is strict where GitHub is: a token without the right is refused, lists come in pages, and a body that is too
 * long is not taken. It cannot tell what GitHub would do in any other case.
 */
import { once } from "node:events";
import { createAdaptorServer } from "@hono/node-server";
import { createApi } from "./api.ts";
import { Store } from "./store.ts";
import type { Call, LabGithub } from "./types.ts";

export type * from "./types.ts";

const port = 8788;

export interface GithubOptions {
  /** The first two octets of its address, as a world's `net`. */
  readonly net: string;
  /** @default "example/mail" */
  readonly repository?: string;
}

/** Starts it with an empty repository. Resolves when it listens. */
export async function startGithub(options: GithubOptions): Promise<LabGithub> {
  const { net, repository = "example/mail" } = options;
  const store = new Store(repository);
  const calls: Call[] = [];
  const url = `http://${net}.0.21:${port}`;
  const app = createApi(store, url, (call) => calls.push(call));
  const server = createAdaptorServer({ fetch: app.fetch });
  server.listen(port, `${net}.0.21`);
  await once(server, "listening");
  return {
    url,
    repository,
    calls,
    addToken: (permissions, login) => store.addToken(permissions, login),
    addPullRequest: (spec) => store.addPullRequest(spec),
    nextNumber: () => store.nextNumber(),
    pushTo: (number, commit) => {
      store.pullRequest(number).commit = commit;
    },
    retarget: (number, base, byGithub) => store.retarget(number, base, byGithub),
    merge: (number, commits, unknownFor) => store.merge(number, commits, unknownFor),
    addRun: (spec) => store.addRun(spec),
    addComment: (number, login, body) => void store.addComment(number, login, body),
    addIssue: (login, title, body) => store.addIssue(login, title, body).number,
    deleteComments: (number) => void store.issue(number).comments.splice(0),
    commentsOf: (number) => store.issue(number).comments,
    issues: () => store.issues.filter(({ pullRequest }) => pullRequest === undefined),
    failNext: (fault) => store.faults.push(fault),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}
