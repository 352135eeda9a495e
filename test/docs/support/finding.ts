/** What came of looking at a block. */
export interface Finding {
  /** What whoever reads such a thing would say against it. */
  readonly fault?: string;
  /** Nobody here can judge more than its form; says what it is. */
  readonly onlyParsed?: string;
}
