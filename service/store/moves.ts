/** What this replica itself wrote about previews, told to whoever counts it. Other replicas tell their own. */
import type { Preview, Receipt } from "../status.ts";

/** A move to another condition or reason that was committed. */
export type MoveListener = (before: Preview, after: Preview) => void;

export interface MoveWatch {
  /** Calls back, and must not throw; the result ends it. */
  onMove(listener: MoveListener): () => void;
  /** The same for receipts. */
  onReceipt(listener: (receipt: Receipt) => void): () => void;
}

export interface Moves extends MoveWatch {
  moved: MoveListener;
  proved(receipt: Receipt): void;
}

export function createMoves(): Moves {
  const moves = new Set<MoveListener>();
  const receipts = new Set<(receipt: Receipt) => void>();
  return {
    moved(before, after) {
      for (const listener of moves) listener(before, after);
    },
    proved(receipt) {
      for (const listener of receipts) listener(receipt);
    },
    onMove: (listener) => subscribe(moves, listener),
    onReceipt: (listener) => subscribe(receipts, listener),
  };
}

/** The result takes it out again. */
export function subscribe<T>(set: Set<T>, callback: T): () => void {
  set.add(callback);
  return () => set.delete(callback);
}
