import { runProgram } from "../../scripts/program.mjs";

await runProgram("infra/language-host", process.argv.slice(2));
