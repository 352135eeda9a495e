import { runProgram } from "../scripts/program.mjs";

await runProgram("components/policy/main", process.argv.slice(2));
