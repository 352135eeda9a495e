/** A bound on processes that needs no control group: by the system user, whose processes and threads all count. */

/**
 * The shell command with the bound before it, by whatever letter this machine's shell calls it: bash by `-u`, dash by
 * `-p`. Unbounded where the user is not the preview's own, for then everything of ours would count.
 */
export function boundedCommand(command: string, { user, most }: { readonly user?: number; readonly most: number }) {
  if (user === undefined) return command;
  return `ulimit -u ${most} 2>/dev/null || ulimit -p ${most} 2>/dev/null\n${command}`;
}
