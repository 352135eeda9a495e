/** Address of a commit's page after a pattern that the forge gave (`PullRequest.commitUrl`, `reviewUrl`). */
export function addressOf(pattern: string | undefined, sha: string | undefined): string | undefined {
  return sha === undefined ? undefined : pattern?.replaceAll("{sha}", sha);
}
