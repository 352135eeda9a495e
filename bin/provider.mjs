import { runProgram } from "../scripts/program.mjs";

await runProgram("components/local/main", process.argv.slice(2));
