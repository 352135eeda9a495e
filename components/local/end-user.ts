import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { findByUser } from "./processes.ts";
import { FIRST_USER } from "./users.ts";

const ROUNDS = 200;

/**
 * Ends all processes of a user that only Stackling gives out (as root). Told to the kernel as one
 * (kill(2), pid -1), because a process that forks without pause and never lives long is found by no search.
 */
export async function endUser(user: number): Promise<void> {
  if (user < FIRST_USER) throw new Error(`ending the processes of user ${user}: it is not one of ours`);
  for (let round = 0; round < ROUNDS; round++) {
    await execa("/bin/sh", ["-c", "kill -9 -1"], { uid: user, gid: user, cwd: "/", reject: false });
    if ((await findByUser(user)).length === 0) return;
    await delay(10);
  }
  throw new Error(`ending the processes of user ${user}: some are still there after SIGKILL`);
}
