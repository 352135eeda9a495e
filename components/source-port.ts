/** Where the code of a preview comes from, as the service port has it. */

/** A commit to run. The head of a pull request chooses `commit` and nothing else. */
export interface SourceDefinition {
  /** Where to fetch from, as the operator's config or the forge names it; never holds a credential. */
  readonly repository: string;
  /** Full hexadecimal object id. */
  readonly commit: string;
  readonly submodules: boolean;
  readonly lfs: boolean;
  /** Shell commands that prepare the tree, in order; the first failing one fails the release. */
  readonly install: readonly BuildStep[];
  readonly build: readonly BuildStep[];
}

export interface LinkedSource extends SourceDefinition {
  /** In place of what `environment` says for the others: for its builds and services. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface BuildStep {
  readonly command: string;
  readonly directory: string;
}
